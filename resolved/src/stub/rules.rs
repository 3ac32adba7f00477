//! Which questions are refused before anyone is asked.
