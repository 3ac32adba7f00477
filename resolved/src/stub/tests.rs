//! Tests of the stub by bytes.
