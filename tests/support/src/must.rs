//! A failed step of the sandbox says what it was, and fails the test.

use std::fmt::{Debug, Display};

pub(crate) trait Must<T> {
    /// The value, or a panic that names the step.
    fn must(self, step: impl Display) -> T;
}

impl<T, E: Debug> Must<T> for Result<T, E> {
    #[track_caller]
    fn must(self, step: impl Display) -> T {
        match self {
            Ok(value) => value,
            Err(error) => panic!("sandbox: {step}: {error:?}"),
        }
    }
}

impl<T> Must<T> for Option<T> {
    #[track_caller]
    fn must(self, step: impl Display) -> T {
        match self {
            Some(value) => value,
            None => panic!("sandbox: {step}"),
        }
    }
}
