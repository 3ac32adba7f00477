//! io.systemd.Resolve and io.systemd.Resolve.Monitor.
