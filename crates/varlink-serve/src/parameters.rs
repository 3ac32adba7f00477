//! Parameters of a call, read into a type; and which of them is to blame where they can't be.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::failure::Failure;

/// Reads the parameters. A call without any is one with an empty object.
pub(crate) fn read<'c, T: Deserialize<'c>>(raw: Option<&'c RawValue>) -> Result<T, Failure> {
    let text = raw.map_or("{}", RawValue::get);
    if !text.starts_with('{') {
        return Err(Failure::invalid_parameter("parameters"));
    }
    serde_json::from_str(text).map_err(|error| {
        tracing::debug!("Parameters refused: {error}");
        Failure::invalid_parameter(&culprit(text, &error))
    })
}

/// The name of the parameter that the error is about.
fn culprit(text: &str, error: &serde_json::Error) -> String {
    let stopped = offset(text, error.line(), error.column());
    let fields = serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(text);
    let fields = fields.unwrap_or_default();
    let begin =
        |value: &RawValue| (value.get().as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    let holds = |value: &RawValue| {
        (begin(value)..=begin(value).saturating_add(value.get().len())).contains(&stopped)
    };
    // Inside a value, or right before or behind it: the message may then name a field of the value's own.
    if let Some((name, _)) = fields.iter().find(|(_, value)| holds(value)) {
        return name.to_string();
    }
    let message = error.to_string();
    for prefix in ["missing field `", "unknown field `", "duplicate field `"] {
        if let Some(name) = message
            .strip_prefix(prefix)
            .and_then(|rest| rest.split('`').next())
        {
            return name.to_owned();
        }
    }
    // The last parameter that begins before the place where reading stopped.
    fields
        .iter()
        .filter(|(_, value)| begin(value) < stopped)
        .max_by_key(|(_, value)| begin(value))
        .map_or_else(|| "parameters".to_owned(), |(name, _)| name.to_string())
}

/// The offset of a line and a column as serde_json counts them: both from 1, columns in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    before + column
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its form is of interest")]
    struct Form<'a> {
        name: &'a str,
        number: Option<u8>,
        list: Option<Vec<u8>>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its form is of interest")]
    struct Inner {
        name: String,
    }

    fn blamed(text: &str) -> String {
        let raw: &RawValue = serde_json::from_str(text).unwrap();
        match read::<Form<'_>>(Some(raw)) {
            Err(Failure::Error(reply)) => {
                serde_json::to_value(reply).unwrap()["parameters"]["parameter"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn the_wrong_parameter_is_named() {
        assert_eq!(blamed("{}"), "name");
        assert_eq!(blamed(r#"{"name":5}"#), "name");
        assert_eq!(blamed(r#"{"name":["a"],"number":1}"#), "name");
        assert_eq!(blamed(r#"{"name":"a","list":{}}"#), "list");
        assert_eq!(blamed(r#"{"name":"a","number":256}"#), "number");
        assert_eq!(
            blamed("{\"name\":\"a\",\n\n \"number\"\n: \"x\",\"list\":[]}"),
            "number"
        );
        assert_eq!(blamed(r#"{"list":[1,{"a":2}],"name":"a"}"#), "list");
        assert_eq!(blamed(r#"{"name":"a","other":1}"#), "other");
        assert_eq!(blamed(r#"{"name":"a","name":"b"}"#), "name");
        for inner in ["{}", r#"{"x":1}"#, r#"{"name":"a","name":"a"}"#, "5"] {
            let text = format!(r#"{{"name":"a","inner":{inner},"list":[]}}"#);
            assert_eq!(blamed(&text), "inner", "{inner}");
        }
        assert_eq!(blamed("[]"), "parameters");
        assert_eq!(blamed("3"), "parameters");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!(
            r#"{{"name":"a","list":{}{}}}"#,
            "[".repeat(5000),
            "]".repeat(5000)
        );
        let raw: &RawValue = serde_json::from_str(&deep).unwrap();
        assert!(read::<Form<'_>>(Some(raw)).is_err());
    }
}
