//! The command line: what resolvconf(8) of openresolv, Debian and systemd agree on.

/// What `--help` prints.
const HELP: &str = "\
Usage: resolvconf -a INTERFACE[.PROTOCOL] <FILE
       resolvconf -d INTERFACE[.PROTOCOL]

Tells the resolver the DNS servers and domains of a network interface.

  -a           take them from FILE, in the format of resolv.conf(5), in place of those it had
  -d           forget all that was told of the interface
  -f           do nothing if the interface does not exist
  -x           ask these servers about all names that no other interface is for
  -p           ask these servers about names in their domains alone
  -h, --help   print this and exit
  --version    print the version and exit

Ignored: -m METRIC, -u. Not supported, the call fails: -I, -i, -l, -R, -r, -v, -V,
--enable-updates, --disable-updates, --updates-are-enabled.
";

/// For which names the interface's servers are preferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preference {
    /// As the resolver decides.
    #[default]
    Regular,
    /// `-p`: for its own domains alone.
    Private,
    /// `-x`: for all names.
    Exclusive,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// `-a`
    Add(Preference),
    /// `-d`
    Remove,
}

/// With which interface.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// As written.
    pub interface: String,
    /// `-f`
    pub may_be_missing: bool,
}

/// A call that does something.
#[derive(Debug, PartialEq, Eq)]
pub struct Invocation {
    pub action: Action,
    pub target: Target,
}

/// A command line, understood.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Print this.
    Print(String),
    /// This switch has nothing to do here.
    Ignored(&'static str),
    /// Do this.
    Do(Invocation),
}

/// Understands a command line, without the program's name. `is_set`: whether an environment variable is.
///
/// The first switch that ends the program wins, as with getopt(3).
///
/// # Errors
/// The sentence for the user.
pub fn parse(
    arguments: impl Iterator<Item = String>,
    is_set: impl Fn(&str) -> bool,
) -> Result<Outcome, String> {
    let mut line = Line {
        adds: None,
        // openresolv reads both.
        preference: match (is_set("IF_PRIVATE"), is_set("IF_EXCLUSIVE")) {
            (true, _) => Preference::Private,
            (false, true) => Preference::Exclusive,
            (false, false) => Preference::Regular,
        },
        may_be_missing: false,
        positional: Vec::new(),
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            line.positional.extend(arguments.by_ref());
        } else if let Some(word) = argument.strip_prefix("--") {
            return long(word);
        } else if argument.len() > 1 && argument.starts_with('-') {
            if let Some(outcome) = line.short(&argument, &mut arguments)? {
                return Ok(outcome);
            }
        } else {
            line.positional.push(argument);
        }
    }
    line.finish().map(Outcome::Do)
}

/// Every long option ends the program.
fn long(word: &str) -> Result<Outcome, String> {
    match word {
        "help" => Ok(Outcome::Print(HELP.to_owned())),
        "version" => Ok(Outcome::Print(format!(
            "resolvconf (Switchyard) {}\n",
            env!("CARGO_PKG_VERSION")
        ))),
        "enable-updates" | "disable-updates" | "updates-are-enabled" => {
            Err(format!("Switch --{word} not supported."))
        }
        _ => Err(format!("resolvconf: unrecognized option '--{word}'")),
    }
}

/// What was read so far.
struct Line {
    adds: Option<bool>,
    preference: Preference,
    may_be_missing: bool,
    positional: Vec<String>,
}

impl Line {
    /// One argument of switches: `-x`, `-fd`, `-m0`. `Some` if a switch ends the program.
    fn short(
        &mut self,
        argument: &str,
        arguments: &mut impl Iterator<Item = String>,
    ) -> Result<Option<Outcome>, String> {
        let mut switches = argument.chars().skip(1);
        while let Some(switch) = switches.next() {
            match switch {
                'a' => self.adds = Some(true),
                'd' => self.adds = Some(false),
                'f' => self.may_be_missing = true,
                'p' => self.preference = Preference::Private,
                'x' => self.preference = Preference::Exclusive,
                'h' => return Ok(Some(Outcome::Print(HELP.to_owned()))),
                'u' => return Ok(Some(Outcome::Ignored("-u"))),
                'm' => {
                    value(switch, switches, arguments)?;
                    return Ok(None);
                }
                'i' | 'l' | 'r' => {
                    value(switch, switches, arguments)?;
                    return Err(format!("Switch -{switch} not supported."));
                }
                'I' | 'R' | 'v' | 'V' => return Err(format!("Switch -{switch} not supported.")),
                _ => return Err(format!("resolvconf: invalid option -- '{switch}'")),
            }
        }
        Ok(None)
    }

    fn finish(self) -> Result<Invocation, String> {
        let adds = self
            .adds
            .ok_or("Expected either -a or -d on the command line.")?;
        let [interface] = <[String; 1]>::try_from(self.positional)
            .map_err(|_| "Expected interface name as argument.")?;
        Ok(Invocation {
            action: if adds {
                Action::Add(self.preference)
            } else {
                Action::Remove
            },
            target: Target {
                interface,
                may_be_missing: self.may_be_missing,
            },
        })
    }
}

/// The value of a switch: the rest of its argument, or the next one.
fn value(
    switch: char,
    rest: std::iter::Skip<std::str::Chars<'_>>,
    arguments: &mut impl Iterator<Item = String>,
) -> Result<String, String> {
    let rest: String = rest.collect();
    if !rest.is_empty() {
        return Ok(rest);
    }
    arguments
        .next()
        .ok_or_else(|| format!("resolvconf: option requires an argument -- '{switch}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Outcome, String> {
        parse(line.split_whitespace().map(str::to_owned), |_| false)
    }

    fn action(line: &str) -> (Action, bool) {
        match read(line) {
            Ok(Outcome::Do(invocation)) => {
                assert_eq!(invocation.target.interface, "wg0");
                (invocation.action, invocation.target.may_be_missing)
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn as_callers_write_it() {
        // wg-quick
        assert_eq!(
            action("-a wg0 -m 0 -x"),
            (Action::Add(Preference::Exclusive), false)
        );
        assert_eq!(action("-d wg0 -f"), (Action::Remove, true));
        // others
        assert_eq!(action("-a wg0"), (Action::Add(Preference::Regular), false));
        assert_eq!(action("-fd wg0"), (Action::Remove, true));
        assert_eq!(
            action("-xm0 -a -- wg0"),
            (Action::Add(Preference::Exclusive), false)
        );
        assert_eq!(
            action("-xp -a wg0"),
            (Action::Add(Preference::Private), false)
        );
    }

    #[test]
    fn by_environment() {
        let preference = |name: &'static str, line: &str| {
            let words = line.split_whitespace().map(str::to_owned);
            match parse(words, |asked| asked == name) {
                Ok(Outcome::Do(invocation)) => invocation.action,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(
            preference("IF_EXCLUSIVE", "-a x"),
            Action::Add(Preference::Exclusive)
        );
        assert_eq!(
            preference("IF_PRIVATE", "-a x"),
            Action::Add(Preference::Private)
        );
        assert_eq!(
            preference("IF_PRIVATE", "-x -a x"),
            Action::Add(Preference::Exclusive)
        );
    }

    #[test]
    fn what_ends_the_program() {
        assert_eq!(read("-u x"), Ok(Outcome::Ignored("-u")));
        assert_eq!(read("-a -h"), read("--help"));
        assert!(matches!(read("--version"), Ok(Outcome::Print(_))));
        for (line, said) in [
            ("", "Expected either -a or -d on the command line."),
            ("-p", "Expected either -a or -d on the command line."),
            ("-a", "Expected interface name as argument."),
            ("-a x y", "Expected interface name as argument."),
            ("-l", "resolvconf: option requires an argument -- 'l'"),
            ("-l x", "Switch -l not supported."),
            ("-I", "Switch -I not supported."),
            ("-V", "Switch -V not supported."),
            ("-z", "resolvconf: invalid option -- 'z'"),
            ("--nonsense", "resolvconf: unrecognized option '--nonsense'"),
            ("--enable-updates", "Switch --enable-updates not supported."),
        ] {
            assert_eq!(read(line), Err(said.to_owned()), "{line}");
        }
    }
}
