//! Why a call has no answer.

use std::{borrow::Cow, io};

use serde::Serialize;
use serde_json::{Map, Value};

/// What a handler returns instead of an answer.
#[derive(Debug)]
pub enum Failure {
    /// The error to reply with.
    Error(ErrorReply),
    /// The peer is gone or does not read: the connection is closed.
    Disconnected(io::Error),
}

/// A Varlink error: its full name and its parameters.
#[derive(Debug, Serialize)]
pub struct ErrorReply {
    error: Cow<'static, str>,
    parameters: Map<String, Value>,
}

impl ErrorReply {
    /// Its full name.
    pub fn name(&self) -> &str {
        &self.error
    }
}

impl Failure {
    /// An error without parameters, by its full name: `io.systemd.Machine.NoSuchMachine`.
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(ErrorReply {
            error: name.into(),
            parameters: Map::new(),
        })
    }

    /// Adds a parameter to the error.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: impl Into<Value>) -> Self {
        if let Self::Error(reply) = &mut self {
            reply.parameters.insert(parameter.to_owned(), value.into());
        }
        self
    }

    /// `org.varlink.service.InvalidParameter`
    pub fn invalid_parameter(parameter: &str) -> Self {
        Self::named("org.varlink.service.InvalidParameter").with("parameter", parameter)
    }

    /// `org.varlink.service.InterfaceNotFound`
    pub fn interface_not_found(interface: &str) -> Self {
        Self::named("org.varlink.service.InterfaceNotFound").with("interface", interface)
    }

    /// `org.varlink.service.MethodNotFound`
    pub fn method_not_found(method: &str) -> Self {
        Self::named("org.varlink.service.MethodNotFound").with("method", method)
    }

    /// `org.varlink.service.MethodNotImplemented`
    pub fn method_not_implemented(method: &str) -> Self {
        Self::named("org.varlink.service.MethodNotImplemented").with("method", method)
    }

    /// `org.varlink.service.PermissionDenied`
    pub fn permission_denied() -> Self {
        Self::named("org.varlink.service.PermissionDenied")
    }

    /// `org.varlink.service.ExpectedMore`
    pub fn expected_more() -> Self {
        Self::named("org.varlink.service.ExpectedMore")
    }

    /// `io.systemd.System`: an error number, as sd-varlink reports it.
    pub fn system(error: &io::Error) -> Self {
        let number = error
            .raw_os_error()
            .unwrap_or(rustix::io::Errno::IO.raw_os_error());
        Self::named("io.systemd.System")
            .with("origin", "linux")
            .with("errno", number)
    }
}
