//! Tests of the cache as a whole.
