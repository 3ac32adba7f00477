//! What this machine answers by itself: literal addresses, static records, /etc/hosts, hooks, its own names.
