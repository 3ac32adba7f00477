//! What the tests of the NSS modules share: their C programs, and daemons that misbehave on purpose.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use support::{Command, Sandbox};

/// The module as dlopen finds it: whichever the sandbox's options laid in the library directory.
pub const MODULE: &str = "libnss_mymachines.so.2";

/// Where our machined and the user database listen.
pub const MACHINED: &str = "/run/switchyard/machined/io.switchyard.Machines";
pub const USERS: &str = "/run/systemd/userdb/io.systemd.Machine";

/// Compiles a C program of tests/c and gives its path.
pub fn compile(s: &Sandbox, name: &str, source: &str, flags: &str) -> String {
    let path = format!("/tmp/{name}");
    fs::write(format!("{path}.c"), source).unwrap();
    // A static program that uses NSS makes the linker warn; that is what is to be tested.
    let line = format!("cc -O1 -pthread {flags} -o {path} {path}.c -ldl 2>&1");
    // A compiler has no haste, beside others that measure something.
    s.cmd("sh")
        .args(["-c", &line])
        .timeout(Duration::from_secs(60))
        .run()
        .ok();
    path
}

/// `nss_probe`, to be called as `probe.ask("4", "web")`.
pub struct Probe<'s> {
    _sandbox: &'s Sandbox,
    program: String,
    module: String,
}

impl<'s> Probe<'s> {
    pub fn new(sandbox: &'s Sandbox) -> Self {
        Self::of(sandbox, MODULE)
    }

    /// Of a module by its path.
    pub fn of(sandbox: &'s Sandbox, module: &str) -> Self {
        let source = include_str!("c/nss_probe.c");
        Self {
            _sandbox: sandbox,
            program: compile(sandbox, "nss_probe", source, "-Wall -Wextra -Werror"),
            module: module.into(),
        }
    }

    /// Of a newer systemd's module, with the C library that it came with.
    pub fn newer(sandbox: &'s Sandbox, module: &str) -> Self {
        let probe = Self::of(sandbox, module);
        Self {
            program: format!("newer {}", probe.program),
            ..probe
        }
    }

    /// What nsswitch.conf calls the module: `libnss_SERVICE.so.2`.
    fn service(&self) -> &str {
        let file = self.module.rsplit('/').next().unwrap();
        let service = file.strip_prefix("libnss_").unwrap();
        service.split('.').next().unwrap()
    }

    /// What the module answers by this entry point, in one line.
    #[track_caller]
    pub fn ask(&self, function: &str, argument: &str) -> String {
        self.ask_with("", function, argument)
    }

    /// As [`Probe::ask`], with options of the program.
    #[track_caller]
    pub fn ask_with(&self, options: &str, function: &str, argument: &str) -> String {
        self.command(options, function, argument)
            .run()
            .ok()
            .trim_end()
            .to_string()
    }

    /// The program, to be run.
    pub fn command(&self, options: &str, function: &str, argument: &str) -> Command {
        let (program, module, service) = (&self.program, &self.module, self.service());
        let line = format!("{program} {options} -- {module} {service} {function} '{argument}'");
        Command::shell(&line)
    }

    /// Asks, and does something after a while; what the answer was, and how many seconds it took.
    #[track_caller]
    pub fn ask_meanwhile(
        &self,
        function: &str,
        argument: &str,
        after: Duration,
        act: impl FnOnce(),
    ) -> (String, f64) {
        seconds(|| {
            thread::scope(|threads| {
                let answer = threads.spawn(|| self.ask(function, argument));
                thread::sleep(after);
                act();
                answer.join().unwrap()
            })
        })
    }

    /// Has the entry points, and a real program within `limit` seconds, take a reply to a question about `web` that the daemon
    /// gives now. `expected`: how the answer starts, `|` between alternatives. `also` sees the status, and counts as one of
    /// the entry points.
    #[track_caller]
    pub fn survives(
        &self,
        s: &Sandbox,
        kind: &str,
        expected: &str,
        limit: u32,
        also: impl FnOnce(&str),
    ) {
        let begun = Instant::now();
        let answer = self.ask("4", "web");
        let fits = expected.split('|').any(|start| answer.starts_with(start));
        assert!(fits, "{kind}: {answer}");
        assert!(
            !answer.contains("(errno changed)") && !answer.contains("(outside)"),
            "{kind}: {answer}"
        );
        // The other entry points agree, each in its own form.
        let status = answer.split(' ').next().unwrap();
        for function in ["3", "2", "1"] {
            let other = self.ask(function, "web");
            assert!(other.starts_with(status), "{kind}, by {function}: {other}");
        }
        also(status);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(3), "{kind} took {took:?}");
        // What is read to its limit takes its time.
        let many = if expected.contains("errno=90") {
            10
        } else {
            200
        };
        self.leaves_nothing(kind, many, "4", "web");
        let line = format!("timeout {limit} getent -s hosts:mymachines ahosts web");
        let getent = s.run(&line);
        let wanted = if status == "SUCCESS" { 0 } else { 2 };
        assert_eq!(getent.status, Some(wanted), "{kind}: {getent}");
    }

    /// Asks so many times in one process, and sees that it has no descriptor more than before, and hardly memory. What the
    /// last time gave.
    #[track_caller]
    pub fn leaves_nothing(
        &self,
        state: &str,
        many: usize,
        function: &str,
        argument: &str,
    ) -> String {
        let ask = self.command(&format!("-n {many}"), function, argument);
        let run = ask.timeout(Duration::from_secs(100)).run();
        let took = run.took;
        let said = run.ok();
        println!(
            "{state}, {function}, {many} times in {took:?}: {}",
            said.trim_end()
        );
        assert_eq!(figure(&said, "fds="), 0, "{state}, {function}: {said}");
        assert!(figure(&said, "kb=") < 64, "{state}, {function}: {said}");
        said
    }
}

/// What came of some work, and how many seconds it took.
pub fn seconds<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let outcome = work();
    (outcome, begun.elapsed().as_secs_f64())
}

/// A figure that nss_probe says.
pub fn figure(said: &str, key: &str) -> i64 {
    let rest = said.split(key).nth(1).unwrap();
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

/// What a daemon does with a connection once it has read the question.
#[derive(Clone)]
pub enum Behaviour {
    /// Sends this and hangs up.
    Send(Vec<u8>),
    /// Sends this and keeps the connection.
    SendAndHold(Vec<u8>),
    /// Sends this over and over.
    Flood(Vec<u8>),
    /// Sends this byte by byte, with pauses in between, for ever.
    Drip(u8),
    /// Hangs up without having read the question.
    Refuse,
}

impl Behaviour {
    pub fn reply(json: &str) -> Self {
        Behaviour::Send(format!("{json}\0").into_bytes())
    }
}

/// A daemon in this process, on the socket of a real one.
pub struct FakeDaemon {
    behaviour: Arc<Mutex<Behaviour>>,
    questions: Arc<AtomicUsize>,
}

impl FakeDaemon {
    pub fn start(path: &str, behaviour: Behaviour) -> Self {
        fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        let _ = fs::remove_file(path);
        let listener = UnixListener::bind(path).unwrap();
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        let daemon = Self {
            behaviour: Arc::new(Mutex::new(behaviour)),
            questions: Arc::default(),
        };
        let (behaviour, questions) = (daemon.behaviour.clone(), daemon.questions.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                questions.fetch_add(1, Ordering::SeqCst);
                let behaviour = behaviour.lock().unwrap().clone();
                thread::spawn(move || serve(stream.unwrap(), behaviour));
            }
        });
        daemon
    }

    pub fn now(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    /// How many connections there have been.
    pub fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }
}

/// Errors are the asker's hanging up, which is as good an end as any.
fn serve(mut stream: UnixStream, behaviour: Behaviour) {
    if matches!(behaviour, Behaviour::Refuse) {
        return;
    }
    let mut question = [0; 4096];
    let Ok(1..) = stream.read(&mut question) else {
        return;
    };
    match behaviour {
        Behaviour::Send(bytes) => drop(stream.write_all(&bytes)),
        Behaviour::SendAndHold(bytes) => {
            let _ = stream.write_all(&bytes);
            let _ = stream.read(&mut question);
        }
        Behaviour::Flood(bytes) => while stream.write_all(&bytes).is_ok() {},
        Behaviour::Drip(byte) => {
            while stream.write_all(&[byte]).is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        }
        Behaviour::Refuse => {}
    }
}
