//! Rules as text.

use std::str::FromStr;

use crate::{
    error::{Error, Result},
    rule::{ARGUMENTS, KINDS, Rule, Test},
};

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// Blanks before a key are passed over, and there may be a comma at the end.
///
/// # Errors
/// [`Error::Invalid`]: it is no rule, knows a key that is none, or says something twice.
impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut rule = Self::default();
        let mut rest = text.trim_start_matches(BLANKS);
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=').ok_or(Error::Invalid)?;
            let (value, after) = value(after)?;
            rule.set(key, value)?;
            rest = after.trim_start_matches(BLANKS);
        }
        Ok(rule)
    }
}

impl Rule {
    fn set(&mut self, key: &str, value: String) -> Result<()> {
        let place = match key {
            "type" => {
                let kind = KINDS.iter().find(|(name, _)| *name == value);
                let kind = kind.ok_or(Error::Invalid)?.1;
                return fresh(self.kind.replace(kind).is_none());
            }
            "sender" => &mut self.sender,
            "interface" => &mut self.interface,
            "member" => &mut self.member,
            "path" => &mut self.path,
            "path_namespace" => &mut self.path_namespace,
            "destination" => &mut self.destination,
            _ => {
                let argument = argument(key).ok_or(Error::Invalid)?;
                return fresh(self.arguments.insert(argument, value).is_none());
            }
        };
        fresh(place.replace(value).is_none())
    }
}

fn fresh(is: bool) -> Result<()> {
    is.then_some(()).ok_or(Error::Invalid)
}

/// The number and the test of such as `arg0path`.
fn argument(key: &str) -> Option<(u8, Test)> {
    let rest = key.strip_prefix("arg")?;
    let end = rest.find(|character: char| !character.is_ascii_digit());
    let (number, suffix) = rest.split_at(end.unwrap_or(rest.len()));
    let plain = number == "0" || !number.starts_with('0');
    let number = number
        .parse()
        .ok()
        .filter(|number| plain && *number < ARGUMENTS)?;
    let tests = [Test::Is, Test::Path, Test::Namespace, Test::Has];
    let test = tests.into_iter().find(|test| test.suffix() == suffix)?;
    Some((number, test))
}

/// A value, up to the next comma outside of quotes, and what follows that. Within quotes nothing has a meaning but the other
/// one; outside, a backslash protects a quote.
fn value(text: &str) -> Result<(String, &str)> {
    let mut value = String::new();
    let mut quoted = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => quoted = !quoted,
            ',' if !quoted => return Ok((value, characters.as_str())),
            '\\' if !quoted && characters.as_str().starts_with('\'') => {
                characters.next();
                value.push('\'');
            }
            _ => value.push(character),
        }
    }
    if quoted {
        Err(Error::Invalid)
    } else {
        Ok((value, ""))
    }
}
