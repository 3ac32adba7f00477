//! Messages with values of every type, built by the C library and read by others, and the other way round, by way of dbus-daemon:
//! what either says that it has read is the same text.

#[path = "round_trip/zbus_peer.rs"]
mod zbus_peer;

mod sd_probe;
mod sd_program;

use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sd_probe::Probe;
use sd_program::{
    BUS, Monitor, OURS, ask, assert_loaded, closed, compare, open_bus, start_service, theirs,
};
use support::{Daemon, Sandbox, sandbox, skip_for_machine};

const PROGRAM: &str = "/tmp/round_trip";
const SERVER: &str = "org.example.C";

const ALL: &str = "ybnqiuxtdsogvayaiasa(si)a{sv}(yx(sd)as)aasa{sa{sv}}ava(tt)ad \
    y:255 b:1 n:-32768 q:65535 i:-2147483648 u:4294967295 x:-9223372036854775808 t:18446744073709551615 d:7fefffffffffffff \
    s:ä€😀 'x' o:/a/b_1 g:a{sa(iv)} v<s>(s:in a variant) ay[y:0 y:1 y:255] ai[i:-1 i:1] as[s: s:two] a(si)[(s:a i:1) (s:b i:2)] \
    a{sv}[{s:k v<i>(i:7)} {s:l v<as>(as[s:x])}] (y:1 x:-2 (s:in d:3fe0000000000000) as[s:z]) aas[as[s:p] as[]] \
    a{sa{sv}}[{s:dev a{sv}[{s:prop v<v>(v<u>(u:5))}]}] av[v<y>(y:3) v<(ss)>((s:q s:r))] a(tt)[] ad[d:c002000000000000]";
const DESCRIPTORS: &str = "hahv(sh) h:one ah[h:two h:one] v<h>(h:three) (s:four h:two)";

/// What a client prints of a server's answers, whoever the two are.
fn expected() -> String {
    let of = |set| format!("Give {set}\nEcho {set}\nTake s s:{set}\nsignal {set}\n");
    format!(
        "{}{}Fail org.example.Failed as told\n",
        of(ALL),
        of(DESCRIPTORS)
    )
}

fn compile(s: &Sandbox) {
    Probe::new(s, "round_trip", include_str!("c/round_trip.c"));
}

/// The server in C, on a library.
fn serve(s: &Sandbox, library: &str) -> Daemon {
    start_service(s, library, &[PROGRAM, "serve"], SERVER)
}

/// The client in C, on a library, of a server.
#[track_caller]
fn call(s: &Sandbox, library: &str, name: &str) -> String {
    let client = s.cmd(PROGRAM).args(["call", name]);
    let client = client.env("LD_LIBRARY_PATH", library);
    let client = client.env("DBUS_SESSION_BUS_ADDRESS", BUS);
    let said = client.timeout(Duration::from_secs(30)).run().ok();
    // What it made of the error, as a number.
    said.replace("Fail Input/output error ", "Fail ")
}

#[track_caller]
fn quit(s: &Sandbox, name: &str, server: &Daemon) {
    ask(
        s,
        &format!("busctl --user call {name} /o org.example.Peer Quit"),
    );
    assert!(server.wait().success(), "{}", server.log());
}

#[test]
fn each_other() {
    sandbox!(closed(), |s| {
        open_bus(s);
        compile(s);
        let theirs = theirs(s);
        for (server, client) in [(&*theirs, OURS), (OURS, &*theirs), (OURS, OURS)] {
            let serving = serve(s, server);
            assert_eq!(call(s, client, SERVER), expected());
            quit(s, SERVER, &serving);
        }
    });
}

/// A library of Python's, as the client of the server in C, and as the server of the client.
fn python(s: &Sandbox, peer: &str) {
    const SERVER_OF_PYTHON: &str = "org.example.Python";
    open_bus(s);
    compile(s);
    fs::write("/tmp/peer.py", include_str!("round_trip/peer.py")).unwrap();
    let said = compare(s, |library| {
        let server = serve(s, library);
        let as_client = s
            .cmd("/usr/bin/python3")
            .args(["/tmp/peer.py", peer, "call", SERVER]);
        let as_client = as_client.env("DBUS_SESSION_BUS_ADDRESS", BUS);
        let as_client = as_client.timeout(Duration::from_secs(30)).run().ok();
        quit(s, SERVER, &server);
        let command = ["/usr/bin/python3", "/tmp/peer.py", peer, "serve"];
        let ready = support::Ready::BusName(SERVER_OF_PYTHON.into());
        let server = sd_program::start(peer, "", &command, ready);
        let as_server = call(s, library, SERVER_OF_PYTHON);
        quit(s, SERVER_OF_PYTHON, &server);
        as_client + &as_server
    });
    assert_eq!(said, expected().repeat(2));
}

#[test]
fn dbus_next() {
    sandbox!(closed(), |s| python(s, "dbus_next"));
}

#[test]
fn jeepney() {
    sandbox!(closed(), |s| python(s, "jeepney"));
}

/// GLib's library, of which gdbus is made.
#[test]
fn gio() {
    sandbox!(closed(), |s| python(s, "gio"));
}

#[test]
fn zbus() {
    sandbox!(closed(), |s| {
        open_bus(s);
        compile(s);
        for library in [&*theirs(s), OURS] {
            let server = serve(s, library);
            assert_eq!(zbus_peer::call(SERVER), expected());
            quit(s, SERVER, &server);
            let (ready, wait) = mpsc::channel();
            let serving = thread::spawn(move || zbus_peer::serve(|| ready.send(()).unwrap()));
            wait.recv().unwrap();
            assert_eq!(call(s, library, zbus_peer::NAME), expected());
            let quit = format!(
                "busctl --user call {} /o org.example.Peer Quit",
                zbus_peer::NAME
            );
            ask(s, &quit);
            serving.join().unwrap();
        }
    });
}

/// The command line of GLib, as a client and as a listener.
#[test]
fn gdbus() {
    sandbox!(closed(), |s| {
        open_bus(s);
        compile(s);
        let said = compare(s, |library| {
            let server = serve(s, library);
            let monitor = Monitor::start(s, SERVER);
            let call = format!(
                "gdbus call --session --dest {SERVER} --object-path /o --method org.example.Peer"
            );
            let given = ask(s, &format!("{call}.Give 'uint32 0'"));
            let taken = ask(s, &format!("{call}.Take {TEXTS}"));
            let echoed = ask(s, &format!("{call}.Echo {TEXTS}"));
            ask(s, &format!("{call}.Shout 'uint32 0'"));
            let failed = s
                .run(&format!("DBUS_SESSION_BUS_ADDRESS={BUS} {call}.Fail"))
                .fails(1);
            monitor.wait_for("Shouted");
            let signal = monitor.heard();
            quit(s, SERVER, &server);
            assert_eq!(given, echoed);
            [given, taken, signal, failed.stderr].concat()
        });
        assert!(
            said.contains(ALL) && said.contains("org.example.Peer.Shouted (byte 0xff, true, "),
            "{said}"
        );
    });
}

/// The values as GLib writes them.
const TEXTS: &str = r#"'byte 255' true 'int16 -32768' 'uint16 65535' 'int32 -2147483648' 'uint32 4294967295' \
    'int64 -9223372036854775808' 'uint64 18446744073709551615' 1.7976931348623157e308 "\"ä€😀 'x'\"" 'objectpath "/a/b_1"' \
    'signature "a{sa(iv)}"' '<"in a variant">' '[byte 0, 1, 255]' '[-1, 1]' '["", "two"]' '[("a", 1), ("b", 2)]' \
    '{"k": <7>, "l": <["x"]>}' '(byte 1, int64 -2, ("in", 0.5), ["z"])' '[["p"], []]' '{"dev": {"prop": <<uint32 5>>}}' \
    '[<byte 3>, <("q", "r")>]' '@a(tt) []' '[-2.25]'"#;

/// libdbus: its command line as a client, and what it prints of all that goes by.
#[test]
fn dbus_send() {
    sandbox!(closed(), |s| {
        open_bus(s);
        compile(s);
        let said = compare(s, |library| {
            let server = serve(s, library);
            let call = format!(
                "dbus-send --session --print-reply=literal --dest={SERVER} /o org.example.Peer"
            );
            let given = ask(s, &format!("{call}.Give uint32:0"));
            let arguments = "byte:255 boolean:true int16:-3 uint16:4 int32:-5 uint32:6 int64:-7 uint64:8 double:0.5 string:ä \
                objpath:/a array:int32:1,-2 dict:string:int32:k,1,l,2 variant:string:v array:string:a,b";
            let taken = ask(s, &format!("{call}.Take {arguments}"));
            let echoed = ask(s, &format!("{call}.Echo {arguments}"));
            let failed = s
                .run(&format!("DBUS_SESSION_BUS_ADDRESS={BUS} {call}.Fail"))
                .fails(1);
            quit(s, SERVER, &server);
            [given, taken, echoed, failed.stderr].concat()
        });
        let taken = "ybnqiuxtdsoaia{si}vas y:255 b:1 n:-3 q:4 i:-5 u:6 x:-7 t:8 d:3fe0000000000000 s:ä o:/a ai[i:1 i:-2] \
            a{si}[{s:k i:1} {s:l i:2}] v<s>(s:v) as[s:a s:b]";
        assert!(
            said.contains(taken) && said.contains("org.example.Failed: as told"),
            "{said}"
        );
    });
}

/// Both ways under valgrind: nothing is read that is not there, nothing is lost.
#[test]
fn memory() {
    sandbox!(closed().timeout(Duration::from_secs(180)), |s| {
        if s.run("valgrind --version").status != Some(0) {
            skip_for_machine!("there is no valgrind");
        }
        open_bus(s);
        compile(s);
        let valgrind =
            "valgrind -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9";
        let command: Vec<_> = valgrind.split(' ').chain([PROGRAM, "serve"]).collect();
        let server = sd_program::start("valgrind", OURS, &command, support::Ready::Now);
        s.wait_within(
            Duration::from_secs(60),
            || s.run(&format!("busctl status {SERVER}")).status == Some(0),
            "the server to have its name",
        );
        assert_loaded(server.pid(), OURS);
        let client = format!("LD_LIBRARY_PATH={OURS} {valgrind} {PROGRAM} call {SERVER} 2>&1");
        let client = s.cmd("sh").args(["-c", &client]);
        let client = client.env("DBUS_SESSION_BUS_ADDRESS", BUS);
        let said = client.timeout(Duration::from_secs(60)).run().ok();
        assert_eq!(
            said.replace("Fail Input/output error ", "Fail "),
            expected()
        );
        quit(s, SERVER, &server);
    });
}
