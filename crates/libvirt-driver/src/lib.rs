//! The hypervisor port over libvirt: connections, threads, events.
