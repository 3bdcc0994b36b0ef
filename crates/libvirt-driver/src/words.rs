//! libvirt's numbers as words: the ones of Salt's `libvirt_events` engine for events, constants in lower case for
//! the reasons of a status. A number that is in no table is `unknown`.

use model::VmStatus;

/// Where a number has no word.
pub(crate) const UNKNOWN: &str = "unknown";

/// The word at `number`.
pub(crate) fn word(table: &[&'static str], number: i32) -> &'static str {
    usize::try_from(number)
        .ok()
        .and_then(|index| table.get(index))
        .copied()
        .unwrap_or(UNKNOWN)
}

/// `virDomainEventType`.
pub(crate) const DOMAIN_LIFECYCLE: [&str; 9] = [
    "defined",
    "undefined",
    "started",
    "suspended",
    "resumed",
    "stopped",
    "shutdown",
    "pmsuspended",
    "crashed",
];

/// The detail of a domain's life-cycle event: `virDomainEvent…DetailType` of the event.
pub(crate) fn domain_detail(event: i32, detail: i32) -> &'static str {
    let table: &[&str] = match event {
        0 => &["added", "updated", "renamed", "from snapshot"],
        1 => &["removed", "renamed"],
        2 => &["booted", "migrated", "restored", "from snapshot", "wakeup"],
        3 => &[
            "paused",
            "migrated",
            "ioerror",
            "watchdog",
            "restored",
            "from snapshot",
            "api error",
            "postcopy",
        ],
        4 => &["unpaused", "migrated", "from snapshot", "postcopy"],
        5 => &[
            "shutdown",
            "destroyed",
            "crashed",
            "migrated",
            "saved",
            "failed",
            "from snapshot",
        ],
        6 => &["finished", "guest", "host"],
        7 => &["memory", "disk"],
        8 => &["panicked", "crashloaded"],
        _ => &[],
    };
    word(table, detail)
}

/// `virNetworkEventLifecycleType`.
pub(crate) const NETWORK_LIFECYCLE: [&str; 4] = ["defined", "undefined", "started", "stopped"];
/// `virStoragePoolEventLifecycleType`.
pub(crate) const POOL_LIFECYCLE: [&str; 6] = [
    "defined",
    "undefined",
    "started",
    "stopped",
    "created",
    "deleted",
];
/// `virNodeDeviceEventLifecycleType`.
pub(crate) const NODEDEV_LIFECYCLE: [&str; 4] = ["created", "deleted", "defined", "undefined"];
/// `virSecretEventLifecycleType`.
pub(crate) const SECRET_LIFECYCLE: [&str; 2] = ["defined", "undefined"];
/// `virDomainEventWatchdogAction`.
pub(crate) const WATCHDOG_ACTION: [&str; 7] = [
    "none",
    "pause",
    "reset",
    "poweroff",
    "shutdown",
    "debug",
    "injectnmi",
];
/// `virDomainEventIOErrorAction`.
pub(crate) const IO_ERROR_ACTION: [&str; 3] = ["none", "pause", "report"];
/// `virDomainEventGraphicsPhase`.
pub(crate) const GRAPHICS_PHASE: [&str; 3] = ["connect", "initialize", "disconnect"];
/// `virDomainEventGraphicsAddressType`.
pub(crate) const GRAPHICS_FAMILY: [&str; 3] = ["ipv4", "ipv6", "unix"];
/// `virConnectDomainEventDiskChangeReason`.
pub(crate) const DISK_CHANGE: [&str; 2] = ["change missing on start", "drop missing on start"];
/// `virDomainEventTrayChangeReason`.
pub(crate) const TRAY_CHANGE: [&str; 2] = ["open", "close"];
/// `virDomainBlockJobType`.
pub(crate) const BLOCK_JOB_TYPE: [&str; 6] =
    [UNKNOWN, "pull", "copy", "commit", "active commit", "backup"];
/// `virConnectDomainEventBlockJobStatus`.
pub(crate) const BLOCK_JOB_STATUS: [&str; 4] = ["completed", "failed", "canceled", "ready"];
/// `virConnectDomainEventAgentLifecycleState`.
pub(crate) const AGENT_STATE: [&str; 3] = [UNKNOWN, "connected", "disconnected"];
/// `virConnectDomainEventAgentLifecycleReason`.
pub(crate) const AGENT_REASON: [&str; 3] = [UNKNOWN, "domain started", "channel"];
/// `virDomainMetadataType`.
pub(crate) const METADATA_TYPE: [&str; 3] = ["description", "title", "element"];

/// What `virDomainGetState` says: the status, and its reason as a word; empty where libvirt gives none.
pub(crate) fn status(state: i32, reason: i32) -> (VmStatus, &'static str) {
    match state {
        1 => (VmStatus::Running, reason_word(&RUNNING, reason)),
        2 => (VmStatus::Running, "blocked"),
        3 if reason == PAUSED_FOR_MIGRATION => (VmStatus::Migrating, "migration"),
        3 => (VmStatus::Paused, reason_word(&PAUSED, reason)),
        4 => (VmStatus::ShuttingDown, reason_word(&["", "user"], reason)),
        5 => (VmStatus::Shutoff, reason_word(&SHUTOFF, reason)),
        6 => (VmStatus::Crashed, reason_word(&["", "panicked"], reason)),
        7 => (VmStatus::Suspended, ""),
        _ => (VmStatus::Unknown, ""),
    }
}

const PAUSED_FOR_MIGRATION: i32 = 2;

/// `virDomainRunningReason`.
const RUNNING: [&str; 12] = [
    "",
    "booted",
    "migrated",
    "restored",
    "from snapshot",
    "unpaused",
    "migration canceled",
    "save canceled",
    "wakeup",
    "crashed",
    "postcopy",
    "postcopy failed",
];

/// `virDomainPausedReason`.
const PAUSED: [&str; 15] = [
    "",
    "user",
    "migration",
    "save",
    "dump",
    "ioerror",
    "watchdog",
    "from snapshot",
    "shutting down",
    "snapshot",
    "crashed",
    "starting up",
    "postcopy",
    "postcopy failed",
    "api error",
];

/// `virDomainShutoffReason`.
const SHUTOFF: [&str; 9] = [
    "",
    "shutdown",
    "destroyed",
    "crashed",
    "migrated",
    "saved",
    "failed",
    "from snapshot",
    "daemon",
];

fn reason_word(table: &[&'static str], reason: i32) -> &'static str {
    match word(table, reason) {
        UNKNOWN => "",
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use virt_sys as sys;

    /// The tables are typed in by hand; libvirt's own constants say whether they are in order.
    #[test]
    fn words_stand_at_libvirts_numbers() {
        let at = |number: u32| number.cast_signed();
        let life = |event: u32| word(&DOMAIN_LIFECYCLE, at(event));
        assert_eq!(life(sys::VIR_DOMAIN_EVENT_RESUMED), "resumed");
        assert_eq!(life(sys::VIR_DOMAIN_EVENT_CRASHED), "crashed");
        let detail = |event: u32, detail: u32| domain_detail(at(event), at(detail));
        assert_eq!(
            detail(
                sys::VIR_DOMAIN_EVENT_SUSPENDED,
                sys::VIR_DOMAIN_EVENT_SUSPENDED_API_ERROR
            ),
            "api error"
        );
        assert_eq!(
            detail(
                sys::VIR_DOMAIN_EVENT_STOPPED,
                sys::VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT
            ),
            "from snapshot"
        );
        assert_eq!(domain_detail(3, 8), UNKNOWN);
        assert_eq!(domain_detail(99, 0), UNKNOWN);
        assert_eq!(word(&POOL_LIFECYCLE, -1), UNKNOWN);
        assert_eq!(
            word(
                &BLOCK_JOB_TYPE,
                at(sys::VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT)
            ),
            "active commit"
        );
    }

    #[test]
    fn states_become_statuses() {
        let at = |number: u32| number.cast_signed();
        let of = |state: u32, reason: u32| status(at(state), at(reason));
        assert_eq!(
            of(
                sys::VIR_DOMAIN_RUNNING,
                sys::VIR_DOMAIN_RUNNING_POSTCOPY_FAILED
            ),
            (VmStatus::Running, "postcopy failed")
        );
        assert_eq!(
            of(sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_MIGRATION),
            (VmStatus::Migrating, "migration")
        );
        assert_eq!(
            of(sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_API_ERROR),
            (VmStatus::Paused, "api error")
        );
        assert_eq!(
            of(sys::VIR_DOMAIN_SHUTOFF, sys::VIR_DOMAIN_SHUTOFF_DAEMON),
            (VmStatus::Shutoff, "daemon")
        );
        assert_eq!(
            of(sys::VIR_DOMAIN_PMSUSPENDED, 0),
            (VmStatus::Suspended, "")
        );
        assert_eq!(status(-1, -1), (VmStatus::Unknown, ""));
        assert_eq!(status(1, 999), (VmStatus::Running, ""));
    }
}
