//! The whole of the daemon's state, and what can be asked and told.
