//! What a connection of zbus runs on: tokio's, as by zbus itself, but for how the socket is waited for.
//!
//! zbus has the socket watched for room as well as for messages. A reply leaves no room for a moment, so each one would wake
//! us once more when the bus has read it. Here a socket is watched for messages alone, and for room only once it was full.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    os::fd::AsFd,
    path::Path,
    pin::Pin,
    process::{Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    net::{
        TcpStream, UnixStream,
        unix::pipe::{Receiver, Sender},
    },
    runtime::Handle,
    task::JoinHandle,
    time::Sleep,
};
use zbus::runtime::{
    Interest, IoSource,
    traits::{PollIo, Runtime, TaskHandle},
};

/// How soon a listener whose backlog is full is tried again.
const BACKLOG: Duration = Duration::from_millis(20);

/// The runtime of tokio's that this was made in.
pub(crate) struct Tokio(Handle);

impl Tokio {
    /// Of the current thread. Panics outside of a runtime.
    pub(crate) fn current() -> Self {
        Self(Handle::current())
    }
}

impl Runtime for Tokio {
    type RegisteredIoSource = Watched;
    type Sleep = Sleep;
    type Task<T>
        = Task<T>
    where
        T: Send + 'static;

    fn register_io_source(&self, source: IoSource) -> io::Result<Watched> {
        let _runtime = self.0.enter();
        Ok(Watched {
            messages: Receiver::from_owned_fd_unchecked(source.as_fd().try_clone_to_owned()?)?,
            room: Mutex::new(None),
            runtime: self.0.clone(),
            source,
        })
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let _runtime = self.0.enter();
        tokio::time::sleep(duration)
    }

    fn spawn<T>(&self, _name: &str, future: impl Future<Output = T> + Send + 'static) -> Task<T>
    where
        T: Send + 'static,
    {
        Task(Some(self.0.spawn(future)))
    }

    async fn connect_tcp(&self, address: SocketAddr) -> io::Result<IoSource> {
        let stream = TcpStream::connect(address).await?.into_std()?;
        Ok(IoSource::from(std::os::fd::OwnedFd::from(stream)))
    }

    async fn connect_unix(&self, path: &Path) -> io::Result<IoSource> {
        let stream = loop {
            match UnixStream::connect(path).await {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(BACKLOG).await;
                }
                result => break result?.into_std()?,
            }
        };
        Ok(IoSource::from(std::os::fd::OwnedFd::from(stream)))
    }

    /// Only a bus behind a program would need it (`unixexec:`), which a system bus is not.
    fn spawn_process(
        &self,
        _: Command,
        _: Stdio,
        _: Stdio,
        _: Stdio,
    ) -> io::Result<Pin<Box<dyn Future<Output = io::Result<ExitStatus>> + Send + 'static>>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A socket that is watched: for messages always, for room only from when it was full until something went out.
///
/// tokio's pipes without the check for a pipe are the safe way that it has to watch any descriptor for one thing alone. Each
/// has a descriptor of its own, since epoll(7) has one entry for a descriptor.
#[derive(Debug)]
pub(crate) struct Watched {
    messages: Receiver,
    room: Mutex<Option<Sender>>,
    runtime: Handle,
    source: IoSource,
}

impl PollIo for Watched {
    fn poll_io<T>(
        &self,
        context: &mut Context<'_>,
        interest: Interest,
        operation: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        match interest {
            Interest::Readable => self.poll_read(context, operation),
            _ => self.poll_write(context, operation),
        }
    }
}

impl Watched {
    fn poll_read<T>(
        &self,
        context: &mut Context<'_>,
        mut operation: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(self.messages.poll_read_ready(context))?;
            // What would block is not ready from then on.
            let result = self.messages.try_io(&mut operation);
            if !would_block(&result) {
                return Poll::Ready(result);
            }
        }
    }

    fn poll_write<T>(
        &self,
        context: &mut Context<'_>,
        mut operation: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let mut result = operation();
        while would_block(&result) {
            let watch = match &mut *room {
                Some(watch) => watch,
                none => none.insert(self.watch_room()?),
            };
            ready!(watch.poll_write_ready(context))?;
            result = watch.try_io(&mut operation);
        }
        *room = None;
        Poll::Ready(result)
    }

    fn watch_room(&self) -> io::Result<Sender> {
        let _runtime = self.runtime.enter();
        Sender::from_owned_fd_unchecked(self.source.as_fd().try_clone_to_owned()?)
    }
}

fn would_block<T>(result: &io::Result<T>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// A task that ends when its handle is dropped.
pub(crate) struct Task<T>(Option<JoinHandle<T>>);

impl<T: Send + 'static> TaskHandle<T> for Task<T> {
    fn detach(mut self) {
        self.0 = None;
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl<T> Future for Task<T> {
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        match &mut self.0 {
            Some(task) => Pin::new(task).poll(context).map_err(io::Error::other),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        future::poll_fn,
        io::{Read, Write},
        os::{fd::OwnedFd, linux::net::SocketAddrExt, unix::net},
        pin::pin,
    };

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn watched(socket: &net::UnixStream) -> Watched {
        socket.set_nonblocking(true).unwrap();
        let source = IoSource::from(OwnedFd::from(socket.try_clone().unwrap()));
        Tokio::current().register_io_source(source).unwrap()
    }

    async fn write(socket: &net::UnixStream, watched: &Watched) -> usize {
        let write = || (&*socket).write(&[7; 4096]);
        let written = poll_fn(|context| watched.poll_io(context, Interest::Writable, write));
        written.await.unwrap()
    }

    async fn read(socket: &net::UnixStream, watched: &Watched) -> usize {
        let read = || (&*socket).read(&mut [0; 4096]);
        let read = poll_fn(|context| watched.poll_io(context, Interest::Readable, read));
        read.await.unwrap()
    }

    async fn fill(socket: &net::UnixStream, watched: &Watched, sent: &Cell<usize>) {
        loop {
            sent.set(sent.get() + write(socket, watched).await);
        }
    }

    async fn is_pending(mut future: Pin<&mut impl Future>) -> bool {
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_full_socket_is_watched_until_it_has_room() {
        let (ours, theirs) = net::UnixStream::pair().unwrap();
        let (writer, reader) = (watched(&ours), watched(&theirs));
        let is_watched = || writer.room.lock().unwrap().is_some();
        for _ in 0..3 {
            let sent = Cell::new(0);
            let mut filling = pin!(fill(&ours, &writer, &sent));
            // tokio makes each task pause now and then, so that one poll may not fill it.
            while !is_watched() {
                assert!(is_pending(filling.as_mut()).await);
                tokio::task::yield_now().await;
            }
            let mut waiting = pin!(write(&ours, &writer));
            assert!(is_pending(waiting.as_mut()).await);
            let mut received = 0;
            while received < sent.get() {
                let some = tokio::time::timeout(SOON, read(&theirs, &reader)).await;
                received += some.unwrap();
            }
            let more = tokio::time::timeout(SOON, waiting).await.unwrap();
            assert!(!is_watched());
            assert_eq!(read(&theirs, &reader).await, more);
        }
        assert!(is_pending(pin!(read(&theirs, &reader))).await);
        drop((ours, writer));
        let end = tokio::time::timeout(SOON, read(&theirs, &reader)).await;
        assert_eq!(end.unwrap(), 0);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn sockets_have_paths_or_abstract_names() {
        let name = format!("dbus-serve-runtime-{}", std::process::id());
        let path = std::env::temp_dir().join(&name);
        let of_path = net::SocketAddr::from_pathname(&path).unwrap();
        let of_name = net::SocketAddr::from_abstract_name(&name).unwrap();
        // As zbus hands over a name: with a zero byte before it.
        let name = format!("\0{name}");
        for (asked, address) in [(path.as_path(), of_path), (Path::new(&name), of_name)] {
            let listener = net::UnixListener::bind_addr(&address).unwrap();
            let connected = Tokio::current().connect_unix(asked).await.unwrap();
            drop(listener.accept().unwrap());
            drop((connected, listener));
            let refused = Tokio::current().connect_unix(asked).await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        }
        std::fs::remove_file(path).unwrap();
    }
}
