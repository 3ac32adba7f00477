//! Measures what a name service module pays for a question: connect, ask, read the answer, close. Run it pinned to one
//! core: `taskset -c 0 round_trip`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement, not a program"
)]

use std::{
    env,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use varlink_serve::{Interface, Limits, Method, Server, Socket, Vendor};

#[derive(Serialize)]
struct Address {
    family: i32,
    address: Vec<u8>,
}

#[derive(Serialize)]
struct Resolved<'a> {
    addresses: Vec<Address>,
    name: &'a str,
}

const INTERFACE: Interface<()> = Interface {
    name: "io.switchyard.Machines",
    description: "interface io.switchyard.Machines\n\nmethod ResolveHostname(name: string) -> ()\n",
    methods: &[Method("ResolveHostname", |(), call| {
        Box::pin(async {
            #[derive(Deserialize)]
            struct Parameters<'a> {
                name: &'a str,
            }
            let Parameters { name } = call.parameters()?;
            let addresses = vec![
                Address {
                    family: 2,
                    address: vec![10, 0, 0, 1],
                },
                Address {
                    family: 10,
                    address: vec![0xfd; 16],
                },
            ];
            call.reply(&Resolved { addresses, name }).await
        })
    })],
};

fn main() {
    match env::args().nth(1) {
        Some(path) => ask(Path::new(&path)),
        None => serve(),
    }
}

fn serve() {
    let path = env::temp_dir().join(format!("round-trip-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let vendor = Vendor {
            vendor: "",
            product: "",
            version: "",
            url: "",
        };
        let server = Server::new((), vendor, &[INTERFACE], Limits::default());
        let _guard = server.listen(Socket::bind(&path).unwrap()).unwrap();
        let mut client = Command::new(env::current_exe().unwrap())
            .arg(&path)
            .spawn()
            .unwrap();
        while client.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
}

fn ask(path: &Path) {
    let call =
        b"{\"method\":\"io.switchyard.Machines.ResolveHostname\",\"parameters\":{\"name\":\"web\"}}\0";
    let mut times: Vec<Duration> = (0..50_000)
        .map(|_| {
            let begin = Instant::now();
            let mut stream = UnixStream::connect(path).unwrap();
            stream.write_all(call).unwrap();
            let mut reply = [0; 4096];
            let count = stream.read(&mut reply).unwrap();
            assert_eq!(reply[count - 1], 0);
            drop(stream);
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 1000].as_nanos();
    println!(
        "connect, ask, read, close: median {} ns, p90 {} ns, p99 {} ns",
        at(500),
        at(900),
        at(990)
    );
}
