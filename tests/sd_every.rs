//! Every function of the headers, called with nothing, on what is new, closed, used up, or of another process: the same errno as
//! systemd's, never a signal, and nothing said.

#[path = "../libsd-bus-compat/tests/headers/header.rs"]
#[allow(dead_code, reason = "the headers are held against the code elsewhere")]
mod header;
mod sd_probe;

use std::collections::BTreeMap;
use std::fs;

use sd_probe::{OURS, Probe, open_bus, quiet};
use support::{Sandbox, sandbox};

const PROBE: &str = include_str!("c/sd_every.c");

/// Objects whose functions are called on one, by how C names them.
const OBJECTS: [&str; 8] = [
    "sd_bus",
    "sd_bus_creds",
    "sd_bus_message",
    "sd_bus_slot",
    "sd_bus_track",
    "sd_event",
    "sd_event_source",
    "sd_login_monitor",
];

/// A function of a header.
struct Function {
    name: String,
    returns: String,
    parameters: Vec<String>,
}

/// What preprocessed C declares and does not define.
fn functions(text: &str) -> Vec<Function> {
    let declared = header::declarations(text);
    let mut found: Vec<_> = declared.iter().filter_map(|one| function(one)).collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found.dedup_by(|one, other| one.name == other.name);
    found
}

fn function(declaration: &str) -> Option<Function> {
    let declaration = declaration.split_whitespace().collect::<Vec<_>>().join(" ");
    if declaration.starts_with("typedef") {
        return None;
    }
    let (before, rest) = declaration.split_once('(')?;
    let name = before.trim_end().rsplit([' ', '*']).next()?;
    if !name.starts_with("sd_") {
        return None;
    }
    // What follows the parameters are attributes.
    let mut depth = 1;
    let end = rest.find(|character| {
        depth += i32::from(character == '(') - i32::from(character == ')');
        depth == 0
    })?;
    let parameters = rest[..end].split(',').map(|one| one.trim().to_owned());
    Some(Function {
        name: name.to_owned(),
        returns: before.trim_end().strip_suffix(name)?.trim().to_owned(),
        parameters: parameters.filter(|one| one != "void").collect(),
    })
}

impl Function {
    /// The object that it is of.
    fn object(&self) -> Option<&'static str> {
        let first = self.parameters.first()?;
        let pointer = first.trim_start_matches("const ").replace(' ', "");
        let is_of = |object: &&&str| {
            let rest = pointer.strip_prefix(**object);
            rest.is_some_and(|rest| rest.starts_with('*') && !rest.starts_with("**"))
        };
        OBJECTS.iter().find(is_of).copied()
    }

    /// C that calls it, and says what it has answered.
    fn in_c(&self) -> String {
        let object = self.object();
        let argument = |(index, one): (usize, &String)| match one.as_str() {
            _ if index == 0 && object.is_some() => "object",
            "..." => "",
            one if one.starts_with("sd_id128_t") && !one.contains('*') => "(sd_id128_t) {{0}}",
            one if one.starts_with("va_list") || one.contains("__va_list") => "empty",
            _ => "0",
        };
        let arguments = self.parameters.iter().enumerate().map(argument);
        let arguments: Vec<_> = arguments.filter(|one| !one.is_empty()).collect();
        let Self { name, returns, .. } = self;
        let call = format!("function({})", arguments.join(", "));
        let say = match returns.trim_start_matches("extern ") {
            "void" => format!("{call}; say_nothing(\"{name}\")"),
            "sd_id128_t" => format!("(void) {call}; say_nothing(\"{name}\")"),
            returns if returns.ends_with('*') || returns.ends_with("handler_t") => {
                format!("say_pointer(\"{name}\", {call})")
            }
            _ => format!("say_number(\"{name}\", {call})"),
        };
        // Found while it runs: systemd's library has not all of them.
        let found = format!("__typeof__(&{name}) function = dlsym(RTLD_DEFAULT, \"{name}\")");
        format!("static void call_{name}(void) {{ {found}; {say}; }}\n")
    }

    fn entry(&self) -> String {
        let name = &self.name;
        let object = self.object();
        let object = object.map_or("NULL".to_owned(), |object| format!("\"{object}\""));
        format!("        {{\"{name}\", {object}, call_{name}}},\n")
    }
}

/// The probe, with calls of all that the headers have.
fn probe(s: &Sandbox) -> Probe<'_> {
    let (includes, _) = PROBE.split_once("static sd_bus *bus;").unwrap();
    fs::write("/tmp/headers.c", includes).unwrap();
    let text = s.run("cc -E -P -I/usr/include/switchyard /tmp/headers.c");
    let functions = functions(&text.ok());
    assert!(functions.len() > 450, "{}", functions.len());
    let calls: String = functions.iter().map(Function::in_c).collect();
    let entries: String = functions.iter().map(Function::entry).collect();
    let table = format!("{calls}\nstatic const struct function functions[] = {{\n{entries}}};\n");
    fs::write("/tmp/sd_every.h", table).unwrap();
    Probe::new(s, "sd_every", PROBE)
}

/// What systemd's library does not do so well.
const KNOWN: [(&str, &str); 5] = [
    // It ends the program, by a pointer that is followed or an assertion.
    (" ended by SIG", ""),
    // It has not these yet.
    (" is missing", ""),
    // A getter of what is not known says so before it says that there is no place for it.
    ("sd_bus_creds_get_cmdline = -61 ENODATA", " = -22 EINVAL"),
    (
        "sd_bus_creds_get_selinux_context = -61 ENODATA",
        " = -22 EINVAL",
    ),
    // One read brings the answer to Hello and the signal behind it, or two do.
    ("sd_bus_get_events = ", "sd_bus_get_events = "),
];

/// Whether a line of theirs may be another in ours.
fn may_differ(state: &str, theirs: &str, ours: &str) -> bool {
    let is_known = |(their, our): &(&str, &str)| theirs.contains(their) && ours.contains(our);
    // Of a process that was forked, theirs says so for half of its functions; all of ours do.
    let is_forked = state == "forked" && ours.ends_with(" = -10 ECHILD");
    // What waits for messages: see above.
    let waits = state == "running"
        && ["sd_bus_wait", "sd_bus_process", "sd_bus_get_timeout"]
            .iter()
            .any(|name| ours.starts_with(name));
    KNOWN.iter().any(is_known) || is_forked || waits
}

/// Calls all functions on objects in these states.
fn compare(s: &Sandbox, states: &[&str]) {
    let _bus = open_bus(s);
    let probe = probe(s);
    for state in states {
        let line = format!(
            "export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus; $probe {state} </dev/null 2>/tmp/said"
        );
        let theirs = probe.once(&sd_probe::theirs(s), &line);
        let ours = probe.once(OURS, &line);
        let said = fs::read_to_string("/tmp/said").unwrap();
        assert_eq!(said, "", "on {state}");
        // By the first word, the name of a function.
        let theirs: BTreeMap<_, _> = theirs.lines().map(named).collect();
        assert!(ours.lines().count() > 2, "on {state}: {ours}");
        for (name, ours) in ours
            .lines()
            .filter(|line| line.starts_with("sd_"))
            .map(named)
        {
            let theirs = theirs.get(name).copied().unwrap_or_default();
            let is_over = ours.contains(" ended ") || ours.contains(" missing");
            assert!(!is_over, "on {state}: {ours}");
            let is_fine = ours == theirs || may_differ(state, theirs, ours);
            assert!(is_fine, "on {state}: theirs `{theirs}`, ours `{ours}`");
        }
    }
}

fn named(line: &str) -> (&str, &str) {
    (line.split(' ').next().unwrap_or_default(), line)
}

#[test]
fn on_nothing() {
    sandbox!(quiet(), |s| compare(s, &["null"]));
}

#[test]
fn on_buses() {
    sandbox!(quiet(), |s| compare(s, &["new", "closed", "running"]));
}

#[test]
fn on_messages_and_what_belongs_to_a_bus() {
    sandbox!(quiet(), |s| compare(
        s,
        &["open", "sealed", "filter", "own"]
    ));
}

#[test]
fn on_loops() {
    sandbox!(quiet(), |s| compare(s, &["exited", "defer", "time", "io"]));
}

#[test]
fn in_a_process_that_was_forked() {
    sandbox!(quiet(), |s| compare(s, &["forked"]));
}
