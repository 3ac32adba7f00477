//! The registry of containers and virtual machines: org.freedesktop.machine1
