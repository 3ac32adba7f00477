//! Errors as they go over the bus.

use std::{borrow::Cow, fmt};

/// An error reply: a name and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The name, e.g. `org.freedesktop.DBus.Error.InvalidArgs`.
    pub name: Cow<'static, str>,
    /// What a person reads.
    pub message: String,
}

impl Error {
    /// An error with a name of one's own.
    pub fn new(name: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            message: message.into(),
        }
    }
}

/// Makes a constructor for each of the standard errors.
macro_rules! standard {
    ($($(#[$doc:meta])* $function:ident $name:literal;)*) => {
        impl Error {
            $($(#[$doc])*
            pub fn $function(message: impl Into<String>) -> Self {
                Self::new(concat!("org.freedesktop.DBus.Error.", $name), message)
            })*
        }
    };
}

standard! {
    /// The arguments of a call are wrong.
    invalid_args "InvalidArgs";
    /// The caller may not do this.
    access_denied "AccessDenied";
    /// Nothing answers to this path.
    unknown_object "UnknownObject";
    /// The object has no such interface.
    unknown_interface "UnknownInterface";
    /// The interface has no such method.
    unknown_method "UnknownMethod";
    /// The interface has no such property.
    unknown_property "UnknownProperty";
    /// The property can't be written.
    property_read_only "PropertyReadOnly";
    /// More is asked for at once than will be done.
    limits_exceeded "LimitsExceeded";
    /// Everything else.
    failed "Failed";
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for Error {}
