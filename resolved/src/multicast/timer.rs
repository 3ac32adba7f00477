//! Does what is due, when it is due.

use std::{
    rc::{Rc, Weak},
    time::Duration,
};

use tokio::sync::Notify;

use super::task::Task;
use crate::clock::boottime;

/// What has deadlines.
pub(crate) trait Timed: 'static {
    /// Does what is due, and says when it wants to be called next.
    fn tick(self: &Rc<Self>, now: Duration) -> Option<Duration>;
}

/// Calls [`Timed::tick`] in time.
#[derive(Debug)]
pub(crate) struct Timer {
    wake: Rc<Notify>,
    _task: Task,
}

impl Timer {
    /// Until it is dropped. Must be called in a [`tokio::runtime::LocalRuntime`].
    pub(crate) fn start(timed: Weak<impl Timed>) -> Self {
        let wake = Rc::new(Notify::new());
        let woken = Rc::clone(&wake);
        let task = Task::start(async move {
            while let Some(timed) = timed.upgrade() {
                let now = boottime();
                let next = timed.tick(now);
                drop(timed);
                let rest = next.map(|next| next.saturating_sub(now));
                tokio::select! {
                    () = woken.notified() => {}
                    () = tokio::time::sleep(rest.unwrap_or_default()), if rest.is_some() => {}
                }
            }
        });
        Self { wake, _task: task }
    }

    /// Deadlines have changed.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}
