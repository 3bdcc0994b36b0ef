//! The virt states: desired and observed in, plan out.
