//! The callbacks: libvirt calls them on its event loop's thread, they copy plain values into a hint and return.
//!
//! They do not block, ask the daemon nothing, and let no panic through. At the end of the file stand the tables of
//! what is registered for which event.

use super::events::{Closing, Sink};
use super::fields::{graphics_address, graphics_subject, typed_params};
use super::text;
use crate::words::{self, domain_detail, word};
use hypervisor::Hint;
use model::event::{EventObject, HostEvent};
use std::ffi::{c_char, c_int, c_longlong, c_uchar, c_ulonglong, c_void};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use uuid::Uuid;
use virt_sys as sys;

/// The fields of an event.
type Fields = Vec<(&'static str, String)>;

/// Runs a callback's body; a panic ends here, because it must not unwind into C.
///
/// # Safety
/// `opaque` came from libvirt's registration for a [`Sink`] and has not been freed.
unsafe fn guarded(opaque: *mut c_void, body: impl FnOnce(&Sink)) {
    // SAFETY: libvirt frees the pointer only after the callback has returned.
    let sink = unsafe { &*opaque.cast_const().cast::<Sink>() };
    if catch_unwind(AssertUnwindSafe(|| body(sink))).is_err() {
        // What was lost is unknown, so the receiver has to look.
        sink.hints.send(Hint::Lost);
    }
}

impl Sink {
    fn event(&self, class: &'static str, kind: &'static str, object: EventObject, fields: Fields) {
        self.hints.send(Hint::Event(HostEvent {
            class,
            kind,
            object,
            fields,
        }));
    }
}

/// Reads a UUID with one of libvirt's `vir…GetUUID`, none of which asks the daemon.
fn uuid(read: impl FnOnce(*mut c_uchar) -> c_int) -> Option<Uuid> {
    let mut bytes = [0; sys::VIR_UUID_BUFLEN as usize];
    (read(bytes.as_mut_ptr()) == 0).then(|| Uuid::from_bytes(bytes))
}

fn lifecycle(event: &str, detail: &str) -> Fields {
    vec![("event", event.to_owned()), ("detail", detail.to_owned())]
}

/// The text at `pointer`, empty for a null pointer.
///
/// # Safety
/// As for [`text`].
unsafe fn string(pointer: *const c_char) -> String {
    // SAFETY: the caller vouches for the pointer.
    unsafe { text(pointer) }.unwrap_or_default()
}

/// Callbacks under the type that registration takes, whatever arguments their events have in between.
pub(super) type DomainCallback =
    unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, *mut c_void);
/// The same for networks.
pub(super) type NetworkCallback =
    unsafe extern "C" fn(sys::virConnectPtr, sys::virNetworkPtr, *mut c_void);
/// The same for pools.
pub(super) type PoolCallback =
    unsafe extern "C" fn(sys::virConnectPtr, sys::virStoragePoolPtr, *mut c_void);
/// The same for node devices.
pub(super) type NodedevCallback =
    unsafe extern "C" fn(sys::virConnectPtr, sys::virNodeDevicePtr, *mut c_void);
/// The same for secrets.
pub(super) type SecretCallback =
    unsafe extern "C" fn(sys::virConnectPtr, sys::virSecretPtr, *mut c_void);

/// Sends an event of a domain. Name, UUID and id are in the handle: no call to the daemon.
///
/// # Safety
/// `domain` and `opaque` are what libvirt gave to the callback that calls this.
unsafe fn domain_event(
    opaque: *mut c_void,
    domain: sys::virDomainPtr,
    kind: &'static str,
    fields: impl FnOnce() -> Fields,
) {
    // SAFETY: the caller vouches for both pointers.
    unsafe {
        guarded(opaque, |sink| {
            let id = sys::virDomainGetID(domain);
            let object = EventObject {
                name: string(sys::virDomainGetName(domain)),
                uuid: uuid(|bytes| sys::virDomainGetUUID(domain, bytes)),
                domain_id: (id != u32::MAX).then_some(id),
            };
            sink.event("domain", kind, object, fields());
        });
    }
}

/// Defines the callback of one kind of domain event: its C arguments and the fields made of them, besides `event`.
macro_rules! domain_callback {
    ($name:ident, $kind:literal, ($($arg:ident: $type:ty),*), [$($field:literal => $value:expr),*]) => {
        unsafe extern "C" fn $name(
            _conn: sys::virConnectPtr,
            domain: sys::virDomainPtr,
            $($arg: $type,)*
            opaque: *mut c_void,
        ) {
            // SAFETY: libvirt calls this with a live domain, live texts, and the pointer it was registered with.
            unsafe {
                domain_event(opaque, domain, $kind, || {
                    vec![("event", $kind.to_owned()), $(($field, $value)),*]
                });
            }
        }
    };
}

/// Defines the callback of a life cycle, which has the same C arguments for every class of object.
macro_rules! lifecycle_callback {
    ($name:ident, $class:literal, $pointer:ty, $object:path, $words:expr) => {
        unsafe extern "C" fn $name(
            _conn: sys::virConnectPtr,
            object: $pointer,
            event: c_int,
            _detail: c_int,
            opaque: *mut c_void,
        ) {
            // SAFETY: libvirt calls this with a live object and the pointer it was registered with.
            unsafe {
                guarded(opaque, |sink| {
                    let fields = lifecycle(word(&$words, event), words::UNKNOWN);
                    sink.event($class, "lifecycle", $object(object), fields);
                });
            }
        }
    };
}

/// Defines the callback of an event that says no more than that it happened.
macro_rules! plain_callback {
    ($name:ident, $class:literal, $kind:literal, $pointer:ty, $object:path) => {
        unsafe extern "C" fn $name(
            _conn: sys::virConnectPtr,
            object: $pointer,
            opaque: *mut c_void,
        ) {
            // SAFETY: libvirt calls this with a live object and the pointer it was registered with.
            unsafe {
                guarded(opaque, |sink| {
                    let fields = vec![("event", $kind.to_owned())];
                    sink.event($class, $kind, $object(object), fields);
                });
            }
        }
    };
}

/// # Safety
/// `network` is a live network. Name and UUID are in the handle: no call to the daemon. So for all of these.
unsafe fn network_object(network: sys::virNetworkPtr) -> EventObject {
    // SAFETY: the caller vouches for the pointer.
    unsafe {
        EventObject {
            name: string(sys::virNetworkGetName(network)),
            uuid: uuid(|bytes| sys::virNetworkGetUUID(network, bytes)),
            domain_id: None,
        }
    }
}

/// # Safety
/// `pool` is a live pool.
unsafe fn pool_object(pool: sys::virStoragePoolPtr) -> EventObject {
    // SAFETY: the caller vouches for the pointer.
    unsafe {
        EventObject {
            name: string(sys::virStoragePoolGetName(pool)),
            uuid: uuid(|bytes| sys::virStoragePoolGetUUID(pool, bytes)),
            domain_id: None,
        }
    }
}

/// Node devices have no UUID.
///
/// # Safety
/// `device` is a live node device.
unsafe fn nodedev_object(device: sys::virNodeDevicePtr) -> EventObject {
    EventObject {
        // SAFETY: the caller vouches for the pointer.
        name: unsafe { string(sys::virNodeDeviceGetName(device)) },
        uuid: None,
        domain_id: None,
    }
}

/// Secrets have no name.
///
/// # Safety
/// `secret` is a live secret.
unsafe fn secret_object(secret: sys::virSecretPtr) -> EventObject {
    EventObject {
        name: String::new(),
        // SAFETY: the caller vouches for the pointer.
        uuid: unsafe { uuid(|bytes| sys::virSecretGetUUID(secret, bytes)) },
        domain_id: None,
    }
}

unsafe extern "C" fn on_domain(
    _conn: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    event: c_int,
    detail: c_int,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: libvirt calls this with a live domain and the pointer it was registered with.
    unsafe {
        domain_event(opaque, domain, "lifecycle", || {
            lifecycle(
                word(&words::DOMAIN_LIFECYCLE, event),
                domain_detail(event, detail),
            )
        });
    }
    0
}

pub(super) unsafe extern "C" fn on_close(
    _conn: sys::virConnectPtr,
    reason: c_int,
    opaque: *mut c_void,
) {
    let reason = match reason.cast_unsigned() {
        sys::VIR_CONNECT_CLOSE_REASON_EOF => "libvirtd has closed the connection",
        sys::VIR_CONNECT_CLOSE_REASON_KEEPALIVE => "libvirtd does not answer keep-alive messages",
        sys::VIR_CONNECT_CLOSE_REASON_CLIENT => "the connection was closed on this side",
        _ => "the connection to libvirtd broke",
    };
    // SAFETY: registered with a pointer made for a `Closing`, which is freed only after the last run.
    let closing = unsafe { &*opaque.cast_const().cast::<Closing>() };
    // A panic must not unwind into C, and there is none: a poisoned lock is taken all the same.
    closing.close(reason);
}

domain_callback!(on_reboot, "reboot", (), []);
domain_callback!(on_control_error, "control_error", (), []);
domain_callback!(on_rtc_change, "rtc_change", (offset: c_longlong), ["utcoffset" => offset.to_string()]);
domain_callback!(on_watchdog, "watchdog", (action: c_int), [
    "action" => word(&words::WATCHDOG_ACTION, action).to_owned()
]);
domain_callback!(
    on_graphics,
    "graphics",
    (
        phase: c_int,
        local: *const sys::virDomainEventGraphicsAddress,
        remote: *const sys::virDomainEventGraphicsAddress,
        scheme: *const c_char,
        subject: *const sys::virDomainEventGraphicsSubject
    ),
    [
        "phase" => word(&words::GRAPHICS_PHASE, phase).to_owned(),
        "local" => graphics_address(local),
        "remote" => graphics_address(remote),
        "authScheme" => string(scheme),
        "subject" => graphics_subject(subject)
    ]
);
domain_callback!(
    on_io_error,
    "io_error",
    (path: *const c_char, dev: *const c_char, action: c_int, reason: *const c_char),
    [
        "srcPath" => string(path),
        "dev" => string(dev),
        "action" => word(&words::IO_ERROR_ACTION, action).to_owned(),
        "reason" => string(reason)
    ]
);
domain_callback!(
    on_disk_change,
    "disk_change",
    (old: *const c_char, new: *const c_char, dev: *const c_char, reason: c_int),
    [
        "oldSrcPath" => string(old),
        "newSrcPath" => string(new),
        "dev" => string(dev),
        "reason" => word(&words::DISK_CHANGE, reason).to_owned()
    ]
);
domain_callback!(on_tray_change, "tray_change", (dev: *const c_char, reason: c_int), [
    "dev" => string(dev),
    "reason" => word(&words::TRAY_CHANGE, reason).to_owned()
]);
domain_callback!(on_pmwakeup, "pmwakeup", (_reason: c_int), ["reason" => words::UNKNOWN.to_owned()]);
domain_callback!(on_pmsuspend, "pmsuspend", (_reason: c_int), ["reason" => words::UNKNOWN.to_owned()]);
domain_callback!(on_pmsuspend_disk, "pmsuspend_disk", (_reason: c_int), [
    "reason" => words::UNKNOWN.to_owned()
]);
domain_callback!(on_balloon_change, "balloon_change", (actual: c_ulonglong), [
    "actual" => actual.to_string()
]);
domain_callback!(on_device_removed, "device_removed", (dev: *const c_char), ["dev" => string(dev)]);
domain_callback!(on_device_added, "device_added", (dev: *const c_char), ["dev" => string(dev)]);
domain_callback!(on_removal_failed, "device_removal_failed", (dev: *const c_char), [
    "dev" => string(dev)
]);
domain_callback!(on_block_job, "block_job", (disk: *const c_char, kind: c_int, status: c_int), [
    "disk" => string(disk),
    "type" => word(&words::BLOCK_JOB_TYPE, kind).to_owned(),
    "status" => word(&words::BLOCK_JOB_STATUS, status).to_owned()
]);
domain_callback!(on_tunable, "tunable", (params: sys::virTypedParameterPtr, count: c_int), [
    "params" => typed_params(params, count)
]);
domain_callback!(on_job_completed, "job_completed", (params: sys::virTypedParameterPtr, count: c_int), [
    "params" => typed_params(params, count)
]);
domain_callback!(on_agent, "agent_lifecycle", (state: c_int, reason: c_int), [
    "state" => word(&words::AGENT_STATE, state).to_owned(),
    "reason" => word(&words::AGENT_REASON, reason).to_owned()
]);
domain_callback!(on_iteration, "migration_iteration", (iteration: c_int), [
    "iteration" => iteration.to_string()
]);
domain_callback!(on_metadata, "metadata_change", (kind: c_int, uri: *const c_char), [
    "type" => word(&words::METADATA_TYPE, kind).to_owned(),
    "nsuri" => string(uri)
]);
domain_callback!(
    on_threshold,
    "block_threshold",
    (dev: *const c_char, path: *const c_char, threshold: c_ulonglong, excess: c_ulonglong),
    [
        "dev" => string(dev),
        "path" => string(path),
        "threshold" => threshold.to_string(),
        "excess" => excess.to_string()
    ]
);

lifecycle_callback!(
    on_network,
    "network",
    sys::virNetworkPtr,
    network_object,
    words::NETWORK_LIFECYCLE
);
lifecycle_callback!(
    on_pool,
    "pool",
    sys::virStoragePoolPtr,
    pool_object,
    words::POOL_LIFECYCLE
);
plain_callback!(
    on_pool_refresh,
    "pool",
    "refresh",
    sys::virStoragePoolPtr,
    pool_object
);
lifecycle_callback!(
    on_nodedev,
    "nodedev",
    sys::virNodeDevicePtr,
    nodedev_object,
    words::NODEDEV_LIFECYCLE
);
plain_callback!(
    on_nodedev_update,
    "nodedev",
    "update",
    sys::virNodeDevicePtr,
    nodedev_object
);
lifecycle_callback!(
    on_secret,
    "secret",
    sys::virSecretPtr,
    secret_object,
    words::SECRET_LIFECYCLE
);
plain_callback!(
    on_secret_value,
    "secret",
    "value_changed",
    sys::virSecretPtr,
    secret_object
);

/// The kinds of domain events we listen to.
///
/// I/O errors are heard in the form with a reason and block jobs in the form with the disk's target, as Salt does.
pub(super) fn domain() -> [(sys::virDomainEventID, DomainCallback); 23] {
    let table: [(sys::virDomainEventID, *const ()); 23] = [
        (sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_domain as *const ()),
        (sys::VIR_DOMAIN_EVENT_ID_REBOOT, on_reboot as *const ()),
        (
            sys::VIR_DOMAIN_EVENT_ID_RTC_CHANGE,
            on_rtc_change as *const (),
        ),
        (sys::VIR_DOMAIN_EVENT_ID_WATCHDOG, on_watchdog as *const ()),
        (sys::VIR_DOMAIN_EVENT_ID_GRAPHICS, on_graphics as *const ()),
        (
            sys::VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON,
            on_io_error as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_CONTROL_ERROR,
            on_control_error as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_DISK_CHANGE,
            on_disk_change as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
            on_tray_change as *const (),
        ),
        (sys::VIR_DOMAIN_EVENT_ID_PMWAKEUP, on_pmwakeup as *const ()),
        (
            sys::VIR_DOMAIN_EVENT_ID_PMSUSPEND,
            on_pmsuspend as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE,
            on_balloon_change as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK,
            on_pmsuspend_disk as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
            on_device_removed as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2,
            on_block_job as *const (),
        ),
        (sys::VIR_DOMAIN_EVENT_ID_TUNABLE, on_tunable as *const ()),
        (
            sys::VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
            on_agent as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
            on_device_added as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION,
            on_iteration as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
            on_job_completed as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
            on_removal_failed as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
            on_metadata as *const (),
        ),
        (
            sys::VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD,
            on_threshold as *const (),
        ),
    ];
    table.map(|(id, function)| {
        // SAFETY: each pointer is one of the functions above; libvirt casts it back to the signature of its event
        // before it calls, which is how its C interface is defined (`VIR_DOMAIN_EVENT_CALLBACK`).
        let callback = unsafe { mem::transmute::<*const (), DomainCallback>(function) };
        (id, callback)
    })
}

/// The events of networks by `virNetworkEventID`.
pub(super) fn network() -> [(c_int, NetworkCallback); 1] {
    // SAFETY: as for domains.
    let lifecycle =
        unsafe { mem::transmute::<*const (), NetworkCallback>(on_network as *const ()) };
    [(0, lifecycle)]
}

/// The events of pools by `virStoragePoolEventID`.
pub(super) fn pool() -> [(c_int, PoolCallback); 2] {
    // SAFETY: as for domains.
    let lifecycle = unsafe { mem::transmute::<*const (), PoolCallback>(on_pool as *const ()) };
    [(0, lifecycle), (1, on_pool_refresh)]
}

/// The events of node devices by `virNodeDeviceEventID`.
pub(super) fn nodedev() -> [(c_int, NodedevCallback); 2] {
    // SAFETY: as for domains.
    let lifecycle =
        unsafe { mem::transmute::<*const (), NodedevCallback>(on_nodedev as *const ()) };
    [(0, lifecycle), (1, on_nodedev_update)]
}

/// The events of secrets by `virSecretEventID`.
pub(super) fn secret() -> [(c_int, SecretCallback); 2] {
    // SAFETY: as for domains.
    let lifecycle = unsafe { mem::transmute::<*const (), SecretCallback>(on_secret as *const ()) };
    [(0, lifecycle), (1, on_secret_value)]
}
