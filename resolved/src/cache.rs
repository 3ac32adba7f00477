//! What was learnt and still holds: RRsets, absences and failures, of every scope, within one budget of memory.
