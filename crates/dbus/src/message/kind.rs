//! What a message is for, and its flags.

/// The type of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Asks for something.
    MethodCall,
    /// Answers.
    MethodReturn,
    /// Answers that it can't be done.
    Error,
    /// Tells whoever listens.
    Signal,
    /// A type of a later specification: to be ignored.
    Other(u8),
}

impl Default for Kind {
    /// Of no message.
    fn default() -> Self {
        Self::Other(0)
    }
}

impl Kind {
    /// As it stands in a header. 0 is no type.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => None,
            1 => Some(Self::MethodCall),
            2 => Some(Self::MethodReturn),
            3 => Some(Self::Error),
            4 => Some(Self::Signal),
            other => Some(Self::Other(other)),
        }
    }

    /// As it stands in a header.
    pub const fn code(self) -> u8 {
        match self {
            Self::MethodCall => 1,
            Self::MethodReturn => 2,
            Self::Error => 3,
            Self::Signal => 4,
            Self::Other(code) => code,
        }
    }
}

/// Flag of a call whose sender wants no answer.
pub const NO_REPLY_EXPECTED: u8 = 1;
/// Flag of a call for which nobody is to be started.
pub const NO_AUTO_START: u8 = 2;
/// Flag of a call whose user may be asked to prove who he is.
pub const ALLOW_INTERACTIVE_AUTHORIZATION: u8 = 4;
