//! Yes and no.

/// A boolean as systemd.syntax(7) has it: `1 yes y true t on`, `0 no n false f off`, in either case.
#[must_use]
pub fn parse_boolean(word: &str) -> Option<bool> {
    let is = |words: [&str; 6]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is(["1", "yes", "y", "true", "t", "on"]) {
        Some(true)
    } else if is(["0", "no", "n", "false", "f", "off"]) {
        Some(false)
    } else {
        None
    }
}
