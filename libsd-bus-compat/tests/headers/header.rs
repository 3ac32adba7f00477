//! What headers declare.

use std::collections::BTreeSet;

/// The functions that preprocessed C declares and does not define.
pub fn functions(text: &str) -> BTreeSet<String> {
    let declared = declarations(text);
    declared.iter().filter_map(|one| function(one)).collect()
}

/// What stands before a semicolon, outside braces.
pub fn declarations(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0_u32;
    let mut declaration = String::new();
    for character in text.chars() {
        match character {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                // The end of a function, or of what a structure has; its name may follow.
                declaration.clear();
            }
            ';' if depth == 0 => {
                found.push(std::mem::take(&mut declaration));
            }
            _ if depth == 0 => declaration.push(character),
            _ => {}
        }
    }
    found
}

fn function(declaration: &str) -> Option<String> {
    if declaration.trim_start().starts_with("typedef") {
        return None;
    }
    let (before, _) = declaration.split_once('(')?;
    let name = before.trim_end().rsplit([' ', '*', '\n']).next()?;
    name.starts_with("sd_").then(|| name.to_owned())
}
