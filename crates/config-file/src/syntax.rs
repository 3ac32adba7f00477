//! The lines of a configuration file: systemd.syntax(7).

use std::path::Path;

use crate::Wrong;

/// `key = value` in one of the sections asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Of its first line, from 1.
    pub line: usize,
    /// Without space around.
    pub key: String,
    /// Without space around; empty: the list begins anew.
    pub value: String,
}

/// Reads the assignments of one section.
///
/// What is in no section, in an unknown one, or no assignment at all, is a diagnostic. Sections and keys that begin with
/// `X-` are other programs' and passed over.
pub fn parse(path: &Path, bytes: &[u8], section: &str, wrong: &mut Wrong) -> Vec<Assignment> {
    let mut assignments = Vec::new();
    let mut place = Place::Nowhere;
    for (number, line) in logical_lines(path, bytes, wrong) {
        if let Some(header) = line.strip_prefix('[') {
            place = match header.strip_suffix(']') {
                Some(name) if name == section => Place::Ours,
                Some(name) if name.starts_with("X-") => Place::Others,
                Some(name) => {
                    let message = format!("unknown section [{name}]; only [{section}] is read");
                    wrong.line(path, number, message);
                    Place::Others
                }
                None => {
                    let message = "a section's header ends with ]; what is below it is skipped";
                    wrong.line(path, number, message);
                    Place::Others
                }
            };
            continue;
        }
        match (&place, line.split_once('=')) {
            (Place::Others, _) => {}
            (_, None) => wrong.line(path, number, "no = in the line"),
            (Place::Nowhere, _) => {
                wrong.line(
                    path,
                    number,
                    format!("not in a section; [{section}] goes first"),
                );
            }
            (Place::Ours, Some((key, value))) => match key.trim() {
                "" => wrong.line(path, number, "nothing in front of the ="),
                key if key.starts_with("X-") => {}
                key => assignments.push(Assignment {
                    line: number,
                    key: key.to_owned(),
                    value: value.trim().to_owned(),
                }),
            },
        }
    }
    assignments
}

/// Which section the lines are in.
enum Place {
    Nowhere,
    Ours,
    Others,
}

/// The lines with those that go on in the next put together; without comments, empty ones, and space around.
fn logical_lines(path: &Path, bytes: &[u8], wrong: &mut Wrong) -> Vec<(usize, String)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = Vec::new();
    let mut begun: Option<(usize, String)> = None;
    for (index, line) in bytes.split(|byte| matches!(byte, b'\n' | 0)).enumerate() {
        let number = index + 1;
        let Ok(line) = std::str::from_utf8(line) else {
            wrong.line(path, number, "not UTF-8");
            continue;
        };
        let line = line.strip_suffix('\r').unwrap_or(line);
        // Comments may stand between the parts of a line.
        if line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let (line, goes_on) = match goes_on(line) {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (first, mut text) = begun.take().unwrap_or((number, String::new()));
        text.push_str(line);
        if goes_on {
            text.push(' ');
            begun = Some((first, text));
        } else {
            lines.push((first, text));
        }
    }
    lines.extend(begun);
    lines.retain_mut(|(_, line)| {
        let trimmed = line.trim();
        if trimmed.len() != line.len() {
            *line = trimmed.to_owned();
        }
        !line.is_empty()
    });
    lines
}

/// A line that ends with a backslash which is not itself escaped, without it.
fn goes_on(line: &str) -> Option<&str> {
    let rest = line.trim_end_matches('\\');
    let backslashes = line.len() - rest.len();
    (backslashes % 2 == 1).then(|| line.strip_suffix('\\'))?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line, key and value.
    type Set = (usize, String, String);

    fn read(text: &str) -> (Vec<Set>, Vec<(usize, String)>) {
        let mut wrong = Wrong::default();
        let read = parse(Path::new("f"), text.as_bytes(), "Resolve", &mut wrong);
        let read = read.into_iter().map(|a| (a.line, a.key, a.value)).collect();
        let wrong = wrong.into_list();
        (
            read,
            wrong.into_iter().map(|w| (w.line, w.message)).collect(),
        )
    }

    fn right(text: &str) -> Vec<Set> {
        let (read, wrong) = read(text);
        assert_eq!(wrong, []);
        read
    }

    fn set(line: usize, key: &str, value: &str) -> Set {
        (line, key.to_owned(), value.to_owned())
    }

    #[test]
    fn assignments_and_comments() {
        let text = "# one\n; two\n\n[Resolve]\r\n  A = b = c \r\n\t# three\nB=\nC=d # e\n";
        let expected = [set(5, "A", "b = c"), set(7, "B", ""), set(8, "C", "d # e")];
        assert_eq!(right(text), expected);
        assert_eq!(right("\u{feff}[Resolve]\nA=b"), [set(2, "A", "b")]);
    }

    #[test]
    fn lines_that_go_on() {
        let text = "[Resolve]\nA=b \\\n# between\n  c\\\n\nB=d\\\\\nC=e\\";
        let expected = [
            set(2, "A", "b    c"),
            set(6, "B", "d\\\\"),
            set(7, "C", "e"),
        ];
        assert_eq!(right(text), expected);
    }

    #[test]
    fn other_programs_sections_and_keys() {
        assert_eq!(
            right("[X-Mine]\nanything\n[Resolve]\nX-Key=1\nA=b"),
            [set(5, "A", "b")]
        );
    }

    #[test]
    fn wrong_lines_are_named_and_the_rest_holds() {
        let (read, wrong) =
            read("A=1\n[Other]\nB=2\n[Resolve]\nC\n=3\nD=4\n[Resolve\nE=5\n[Resolve]\nF=6");
        assert_eq!(read, [set(7, "D", "4"), set(11, "F", "6")]);
        let lines: Vec<usize> = wrong.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 5, 6, 8]);
        assert!(wrong[1].1.contains("[Other]"), "{wrong:?}");
    }

    #[test]
    fn bytes_that_are_no_text() {
        let mut wrong = Wrong::default();
        let read = parse(
            Path::new("f"),
            b"[Resolve]\nA=\xff\nB=1\0C=2",
            "Resolve",
            &mut wrong,
        );
        assert_eq!(read.len(), 2);
        assert_eq!(wrong.into_list()[0].line, 2);
    }
}
