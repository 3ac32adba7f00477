//! Holds the integration tests of the whole; the tests are the files beside this one.
