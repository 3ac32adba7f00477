//! org.freedesktop.resolve1 on D-Bus.
