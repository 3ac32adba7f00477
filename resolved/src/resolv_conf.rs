//! /etc/resolv.conf: who writes it, what it says, and the files it may point to.
