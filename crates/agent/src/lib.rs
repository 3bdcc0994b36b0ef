//! The agent of one hypervisor: runs actions, watches events, reports.
