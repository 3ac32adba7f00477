//! Paths beside the original: one C program asks for all of them in many environments, and prints the same.

mod sd_probe;

use std::fs;
use std::time::Duration;

use sd_probe::{OURS, Probe, quiet};
use support::{Sandbox, sandbox, skip_for_machine};

const PROBE: &str = include_str!("c/path_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "path_probe", PROBE)
}

/// A line of shell that asks for what 252 has, in an environment of its own.
///
/// Debian's 252 has files of its own in /lib yet, which is another name of /usr/lib; and the path of libraries is that of the one asked.
fn ask(environment: &str, suffix: &str) -> String {
    format!(
        r"env -i {environment} LD_LIBRARY_PATH=$LD_LIBRARY_PATH $probe 0 61 {suffix} |
          sed -e 's#/usr/lib/systemd#/lib/systemd#g' -e 's#\([: ]/lib/systemd/[^: ]*\)\1\([: ]\|$\)#\1\2#g' \
              -e /^35/s#$LD_LIBRARY_PATH#LIBRARY#"
    )
}

#[test]
fn environments() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare(&ask("HOME=/home/u", ""), &[]);
        assert!(said.contains("\n20: 0  /home/u/.config\n"), "{said}");
        for environment in [
            "A=1",
            "HOME=rel",
            "HOME=/",
            "HOME=/home/../u/",
            "HOME=/home/u// XDG_DOCUMENTS_DIR=/docs",
            "HOME=/h TMPDIR=/nonexistent TEMP=/run TMP=/usr",
            "HOME=/h TMPDIR=run",
            "HOME=/h XDG_RUNTIME_DIR=/r XDG_CONFIG_HOME=/c XDG_DATA_HOME=/d XDG_CACHE_HOME=/k XDG_STATE_HOME=/s",
            "HOME=/h XDG_RUNTIME_DIR=rel XDG_CONFIG_HOME=rel XDG_CACHE_HOME= XDG_DATA_HOME=/d/",
            "HOME=/h XDG_DATA_DIRS=/a:/b XDG_CONFIG_DIRS=/e:/f PATH=/x:/y",
            "HOME=/h XDG_DATA_DIRS=a:/b:: XDG_CONFIG_DIRS= PATH=x:/y:/y XDG_DATA_HOME=rel",
            "HOME=/h PATH= XDG_DATA_DIRS=",
            "HOME=/h SYSTEMD_UNIT_PATH=/a:/b",
            "HOME=/h SYSTEMD_UNIT_PATH=/a:b:",
            "HOME=/h SYSTEMD_GENERATOR_PATH=/g: SYSTEMD_NETWORK_PATH=/n",
        ] {
            probe.compare(&ask(environment, ""), &[]);
        }
        for suffix in ["x", "/x", "x/", "/", "x//y", "../z", "''"] {
            probe.compare(&ask("HOME=/h XDG_DATA_HOME=/d/", suffix), &[]);
        }
    });
}

/// What xdg-user-dirs has written of a user.
#[test]
fn user_directories() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        fs::create_dir_all("/tmp/home/.config").unwrap();
        for lines in [
            r#"# comment
XDG_DOCUMENTS_DIR="$HOME/Docs"
  XDG_MUSIC_DIR = "$HOME/m"
XDG_PICTURES_DIR="/abs/pics"
XDG_VIDEOS_DIR="rel"
XDG_DOWNLOAD_DIR=$HOME/unquoted
XDG_PUBLICSHARE_DIR="$HOME"
XDG_TEMPLATES_DIR="$HOME/t" # x
XDG_DESKTOP_DIR="$HOMEx""#,
            r#"XDG_DOCUMENTS_DIR="$HOME/"
XDG_DOCUMENTS_DIR="$HOME/two"
XDG_MUSIC_DIR="/a//b/"
XDG_PICTURES_DIR="$HOME/a \"b"
XDG_VIDEOS_DIR=""
XDG_DOWNLOAD_DIR="/"
XDG_PUBLICSHARE_DIR="/x
XDG_PUBLICSHARE_DIR="/y"
XDG_TEMPLATES_DIR="$HOME/../t"
XDG_DESKTOP_DIR="$HOME/d"x"#,
        ] {
            fs::write("/tmp/home/.config/user-dirs.dirs", lines).unwrap();
            probe.compare(&ask("HOME=/tmp/home", ""), &[]);
            probe.compare(&ask("HOME=/tmp/home", "x"), &[]);
        }
        let said = probe.compare(&ask("HOME=/u XDG_CONFIG_HOME=/tmp/home/.config", ""), &[]);
        assert!(said.contains("\n31: 0  /u/d\n"), "{said}");
    });
}

/// Without a variable the home is what the list of users says.
#[test]
fn homes() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        for (uid, home) in [("1", "/usr/sbin"), ("65534", "/"), ("12345", "null")] {
            let line = format!(
                "env -i LD_LIBRARY_PATH=$LD_LIBRARY_PATH setpriv --reuid {uid} --clear-groups $probe 16 31"
            );
            let said = probe.compare(&line, &[]);
            assert!(
                said.lines()
                    .any(|line| line.starts_with("23: ") && line.ends_with(home)),
                "{said}"
            );
        }
    });
}

/// What later versions have, by their manual: Debian's 262 answers so, but by other numbers.
#[test]
fn later_numbers() {
    sandbox!(quiet(), |s| {
        let line = "env -i HOME=/h XDG_RUNTIME_DIR=/r XDG_STATE_HOME=/s SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/e \
                    LD_LIBRARY_PATH=$LD_LIBRARY_PATH $probe 62 76 | grep -v parts";
        let said = probe(s).with(OURS, line);
        let expected = "\
62: 0  /usr/lib/systemd/system-environment-generators
63: 0  /usr/lib/systemd/user-environment-generators
64: 0  /e
65: 0  /e
66: 0  /s
67: 0  /etc/credstore
68: 0  /etc/credstore:/run/credstore:/usr/local/lib/credstore:/usr/lib/credstore
69: 0  /etc/credstore.encrypted
70: 0  /etc/credstore.encrypted:/run/credstore.encrypted:/usr/local/lib/credstore.encrypted:/usr/lib/credstore.encrypted
71: 0  /h/.config/credstore
72: 0  /h/.config/credstore:/r/credstore:/h/.local/lib/credstore
73: 0  /h/.config/credstore.encrypted
74: 0  /h/.config/credstore.encrypted:/r/credstore.encrypted:/h/.local/lib/credstore.encrypted
75: 0  /etc:/run:/usr/local/lib:/usr/lib
76: -95 EOPNOTSUPP null
null: EINVAL EINVAL
";
        assert_eq!(said, expected);
    });
}

/// Under valgrind: nothing is read that is not there, nothing is lost.
#[test]
fn memory() {
    sandbox!(quiet().timeout(Duration::from_secs(120)), |s| {
        if s.run("valgrind --version").status != Some(0) {
            skip_for_machine!("there is no valgrind");
        }
        let _compiled = probe(s);
        let line = format!(
            "export LD_LIBRARY_PATH={OURS}; \
             valgrind -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9 \
             /tmp/path_probe 0 80 x 2>&1"
        );
        let checked = s.cmd("sh").args(["-c", &line]);
        checked.timeout(Duration::from_secs(60)).run().ok();
    });
}
