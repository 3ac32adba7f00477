//! Telling glibc's cache of names, nscd(8), where it runs, that users, groups and hosts have changed with the machines.

use std::{io, path::Path, rc::Rc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

use crate::manager::Manager;

/// Where nscd listens, by glibc's own default.
const SOCKET: &str = "/run/nscd/socket";

/// NSCD_VERSION and INVALIDATE of glibc's nscd/nscd-client.h.
const VERSION: i32 = 2;
const INVALIDATE: i32 = 10;

/// The tables that machines are in.
const TABLES: [&str; 3] = ["passwd", "group", "hosts"];

/// It is not worth waiting for one that hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// Has nscd forget what it knows after every change. Never returns.
pub async fn run(manager: Rc<Manager>) {
    let mut events = manager.observe();
    while events.recv().await.is_some() {
        // A thousand machines that end together are one change.
        while events.try_recv().is_ok() {}
        if !Path::new(SOCKET).exists() {
            continue;
        }
        for table in TABLES {
            match timeout(PATIENCE, invalidate(SOCKET, table)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!("nscd keeps its {table}: {error}"),
                Err(_) => tracing::debug!("nscd does not answer"),
            }
        }
    }
}

/// One request: three numbers and the table's name with its NUL; the answer is an errno.
async fn invalidate(socket: &str, table: &str) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket).await?;
    let length = i32::try_from(table.len() + 1).unwrap_or(0);
    let mut request: Vec<u8> = [VERSION, INVALIDATE, length]
        .iter()
        .flat_map(|n| n.to_ne_bytes())
        .collect();
    request.extend(table.bytes().chain([0]));
    stream.write_all(&request).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    match i32::from_ne_bytes(answer) {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixListener,
    };

    use super::*;

    #[test]
    fn the_request_as_nscd_reads_it() {
        let path = std::env::temp_dir().join(format!("nscd-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 18];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(&[0; 4]).unwrap();
            request
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime
            .block_on(invalidate(path.to_str().unwrap(), "hosts"))
            .unwrap();
        let request = server.join().unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(request.first_chunk(), Some(&2i32.to_ne_bytes()));
        assert!(request.ends_with(b"hosts\0"));
    }
}
