//! What a daemon of ours does at start: logging, readiness, privileges, signals
