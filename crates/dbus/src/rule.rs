//! Match rules (D-Bus specification, "Match Rules").

mod matches;
mod parse;

use std::{collections::BTreeMap, fmt};

pub use matches::Subject;

use crate::message::Kind;

/// Arguments from this one on can't be asked for.
pub const ARGUMENTS: u8 = 64;

/// What messages are wanted: those of which all holds that is said. Names and paths in it need not be valid: as in sd-bus
/// that is left to the bus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rule {
    /// `type`
    pub kind: Option<Kind>,
    /// `sender`
    pub sender: Option<String>,
    /// `interface`
    pub interface: Option<String>,
    /// `member`
    pub member: Option<String>,
    /// `path`
    pub path: Option<String>,
    /// `path_namespace`: this path and all below it.
    pub path_namespace: Option<String>,
    /// `destination`
    pub destination: Option<String>,
    /// `arg0` and the like, by the number of the argument.
    pub arguments: BTreeMap<(u8, Test), String>,
}

/// How an argument is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    /// `argN`: it is the same text.
    Is,
    /// `argNpath`: one of both begins with the other, which ends in `/`, or it is the same.
    Path,
    /// `argNnamespace`: it is this name or one below it.
    Namespace,
    /// `argNhas`: it is an array of texts with this one.
    Has,
}

impl Test {
    /// What follows the number.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Is => "",
            Self::Path => "path",
            Self::Namespace => "namespace",
            Self::Has => "has",
        }
    }
}

const KINDS: [(&str, Kind); 4] = [
    ("signal", Kind::Signal),
    ("method_call", Kind::MethodCall),
    ("method_return", Kind::MethodReturn),
    ("error", Kind::Error),
];

/// As a bus reads it: everything quoted, and always in the same order.
impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        let mut one = |key: fmt::Arguments<'_>, value: &str| {
            // An apostrophe stands outside of quotes only.
            let result = write!(
                formatter,
                "{before}{key}='{}'",
                value.replace('\'', r"'\''")
            );
            before = ",";
            result
        };
        if let Some((name, _)) = KINDS.iter().find(|(_, kind)| Some(*kind) == self.kind) {
            one(format_args!("type"), name)?;
        }
        let texts = [
            ("sender", &self.sender),
            ("interface", &self.interface),
            ("member", &self.member),
            ("path", &self.path),
            ("path_namespace", &self.path_namespace),
            ("destination", &self.destination),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                one(format_args!("{key}"), value)?;
            }
        }
        for ((number, test), value) in &self.arguments {
            one(format_args!("arg{number}{}", test.suffix()), value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
