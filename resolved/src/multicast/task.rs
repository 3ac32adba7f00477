//! A task that ends with who started it.

use tokio::task::JoinHandle;

/// Ends the task when dropped.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    /// Starts one. Must be called in a [`tokio::runtime::LocalRuntime`].
    pub(crate) fn start(work: impl Future<Output = ()> + 'static) -> Self {
        Self(tokio::task::spawn_local(work))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
