//! A real file system whose server hangs: FUSE, by the protocol of linux/fuse.h.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use support::{Command, Container};

/// FUSE_INIT, and the version that is spoken here.
const INIT: u32 = 26;
const VERSION: [u32; 2] = [7, 31];

/// The server. It takes requests and answers none but the first, so whoever asks for a file waits; when this is dropped,
/// those who wait get an error.
pub struct Hanging {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    server: Option<JoinHandle<()>>,
}

impl Hanging {
    /// Mounts it in a container, or says that the kernel or the machine has no FUSE.
    pub fn mount(container: &Container, at: &str) -> Option<Self> {
        // Not closed on exec: mount(8) hands it to the kernel.
        let device: OwnedFd = rustix::fs::open("/dev/fuse", OFlags::RDWR, Mode::empty()).ok()?;
        let device = File::from(device);
        let options = format!(
            "fd={},rootmode=40000,user_id=0,group_id=0",
            device.as_raw_fd()
        );
        let enter = [
            "-t",
            &container.leader().to_string(),
            "--mount",
            "--wdns=/",
            "--",
        ]
        .map(str::to_owned);
        let mounted = Command::new("nsenter")
            .args(enter)
            .args(["mount", "-t", "fuse", "-o", &options, "hanging", at])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .run();
        assert_eq!(mounted.status, Some(0), "{mounted}");
        rustix::io::fcntl_setfd(&device, rustix::io::FdFlags::CLOEXEC).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicUsize::new(0));
        let server = thread::spawn({
            let (stop, asked) = (Arc::clone(&stop), Arc::clone(&asked));
            move || serve(device, &stop, &asked)
        });
        Some(Self {
            stop,
            asked,
            server: Some(server),
        })
    }

    /// How many requests have come that are not answered.
    #[allow(dead_code, reason = "each test program uses its part")]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// When it returns, the last descriptor of the device is closed, and the kernel answers in its place.
fn serve(mut device: File, stop: &AtomicBool, asked: &AtomicUsize) {
    let mut request = vec![0; 1 << 20];
    let soon = Timespec::try_from(Duration::from_millis(50)).unwrap();
    while !stop.load(Ordering::Relaxed) {
        let mut ready = [PollFd::new(&device, PollFlags::IN)];
        if poll(&mut ready, Some(&soon)).unwrap() == 0 {
            continue;
        }
        let Ok(length) = device.read(&mut request) else {
            return; // it is mounted nowhere any more
        };
        let word = |at: usize| u32::from_ne_bytes(request[at..at + 4].try_into().unwrap());
        if length >= 16 && word(4) == INIT {
            device.write_all(&greeting(&request[8..16])).unwrap();
        } else {
            asked.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.server.take().map(JoinHandle::join);
    }
}

/// struct fuse_out_header and fuse_init_out.
fn greeting(unique: &[u8]) -> Vec<u8> {
    let mut reply = Vec::new();
    reply.extend((16_u32 + 64).to_ne_bytes());
    reply.extend(0_i32.to_ne_bytes());
    reply.extend(unique);
    reply.extend(VERSION.iter().flat_map(|number| number.to_ne_bytes()));
    reply.resize(16 + 64, 0);
    reply
}
