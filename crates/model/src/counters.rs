//! What a running VM has used since it started.

/// Counters of one VM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// CPU time in nanoseconds.
    pub cpu_time_ns: u64,
    /// All its interfaces together.
    pub net: NetCounters,
    /// All its disks together.
    pub block: BlockCounters,
}

/// Traffic, as the guest sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names say it: received and sent bytes, packets, errors, dropped"
)]
pub struct NetCounters {
    pub rx_bytes: i64,
    pub rx_packets: i64,
    pub rx_errs: i64,
    pub rx_drop: i64,
    pub tx_bytes: i64,
    pub tx_packets: i64,
    pub tx_errs: i64,
    pub tx_drop: i64,
}

/// Reads and writes of disks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names say it: requests and bytes read and written, errors"
)]
pub struct BlockCounters {
    pub rd_req: i64,
    pub rd_bytes: i64,
    pub wr_req: i64,
    pub wr_bytes: i64,
    pub errs: i64,
}
