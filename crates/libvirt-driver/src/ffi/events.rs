//! Listening to events: which callbacks are registered, what they own, and how that ends.
//!
//! ```text
//! libvirtd ── event ──▶ event loop's thread ── callback ──▶ HintSender (bounded, never waits) ──▶ agent
//! ```
//!
//! Each registered callback owns one reference to the [`Sink`] (the close callback: to a [`Closing`]), given to C as its opaque pointer and released by
//! [`free`], which libvirt calls after the last run of the callback.

use super::callbacks::{self, DomainCallback, on_close};
use super::{Result, check};
use hypervisor::HintSender;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use virt::connect::Connect;
use virt_sys as sys;

/// Where the callbacks of one connection put what they hear.
pub(crate) struct Sink {
    pub(super) hints: Arc<HintSender>,
}

impl Sink {
    /// Events go to `hints`.
    pub(crate) const fn new(hints: Arc<HintSender>) -> Self {
        Self { hints }
    }
}

/// The end of one connection, and whom it wakes.
///
/// Apart from the [`Sink`] because drivers without a daemon take the close callback and then forget it, its pointer
/// included: this much is never freed there, once for such a connection.
pub(crate) struct Closing {
    /// Why the connection has closed, once it has. Locked for an assignment only.
    reason: Mutex<Option<&'static str>>,
    watcher: Thread,
}

impl Closing {
    /// `watcher` is unparked when the connection closes.
    pub(crate) const fn new(watcher: Thread) -> Self {
        Self {
            reason: Mutex::new(None),
            watcher,
        }
    }

    /// Why the connection has closed, if it has.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn close(&self, reason: &'static str) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        self.watcher.unpark();
    }
}

/// The registered callbacks of a connection. They end with it.
pub(crate) struct Subscription {
    connect: Connect,
    registered: Vec<(Deregister, c_int)>,
    has_close_callback: bool,
}

/// One of libvirt's functions that end a registration.
type Deregister = unsafe extern "C" fn(sys::virConnectPtr, c_int) -> c_int;

impl Subscription {
    /// Registers for everything that this libvirt can tell. A kind of event that it does not know is left out.
    ///
    /// # Errors
    /// Not even the life cycle of domains can be listened to.
    pub(crate) fn new(connect: &Connect, sink: &Arc<Sink>, closing: &Arc<Closing>) -> Result<Self> {
        let mut subscription = Self {
            connect: connect.clone(),
            registered: Vec::new(),
            has_close_callback: false,
        };
        subscription.register_close(closing);
        for (id, callback) in callbacks::domain() {
            // SAFETY: the callback has the signature that libvirt defines for the events of `id`.
            let done = unsafe { subscription.register_domain(sink, id, callback) };
            match done {
                Err(failure) if id == sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE => return Err(failure),
                Err(failure) => skipped("domain", id, &failure.message),
                Ok(()) => {}
            }
        }
        subscription.register_others(sink);
        Ok(subscription)
    }

    fn register_close(&mut self, closing: &Arc<Closing>) {
        let opaque = opaque(closing);
        // SAFETY: the connection is open; the callback and the free function take the pointer made for them.
        let code = unsafe {
            sys::virConnectRegisterCloseCallback(
                self.connect.as_ptr(),
                Some(on_close),
                opaque,
                Some(free::<Closing>),
            )
        };
        // SAFETY: `opaque` is what was given to the register function that answered `code`.
        match unsafe { adopt::<Closing>(opaque, code) } {
            Ok(_) => self.has_close_callback = true,
            Err(failure) => skipped("connection", 0, &failure.message),
        }
    }

    /// # Safety
    /// `callback` has the signature that libvirt defines for the events of `id`.
    unsafe fn register_domain(
        &mut self,
        sink: &Arc<Sink>,
        id: sys::virDomainEventID,
        callback: DomainCallback,
    ) -> Result<()> {
        let opaque = opaque(sink);
        // SAFETY: as in `register_close`; the caller vouches for the signature.
        let code = unsafe {
            sys::virConnectDomainEventRegisterAny(
                self.connect.as_ptr(),
                ptr::null_mut(),
                id.cast_signed(),
                Some(callback),
                opaque,
                Some(free::<Sink>),
            )
        };
        // SAFETY: `opaque` is what was given to the register function that answered `code`.
        let number = unsafe { adopt::<Sink>(opaque, code) }?;
        self.registered
            .push((sys::virConnectDomainEventDeregisterAny, number));
        Ok(())
    }

    /// Networks, pools, node devices and secrets. A connection whose driver has none of a kind has no events of it.
    fn register_others(&mut self, sink: &Arc<Sink>) {
        let connect = self.connect.clone();
        let free = Some(free::<Sink> as unsafe extern "C" fn(*mut c_void));
        let mut keep = |class, deregister: Deregister, register: &dyn Fn(*mut c_void) -> c_int| {
            let opaque = opaque(sink);
            // SAFETY: `opaque` is what was given to the register function.
            match unsafe { adopt::<Sink>(opaque, register(opaque)) } {
                Ok(number) => self.registered.push((deregister, number)),
                Err(failure) => skipped(class, 0, &failure.message),
            }
        };
        for (id, callback) in callbacks::network() {
            let end = sys::virConnectNetworkEventDeregisterAny;
            keep("network", end, &|opaque| {
                // SAFETY: the connection is open, no network means all, the callback is the one for `id`, and
                // pointer and free function belong together. So for the three below.
                unsafe {
                    let (conn, any) = (connect.as_ptr(), ptr::null_mut());
                    sys::virConnectNetworkEventRegisterAny(
                        conn,
                        any,
                        id,
                        Some(callback),
                        opaque,
                        free,
                    )
                }
            });
        }
        for (id, callback) in callbacks::pool() {
            let end = sys::virConnectStoragePoolEventDeregisterAny;
            keep("pool", end, &|opaque| {
                // SAFETY: as for networks.
                unsafe {
                    let (conn, any) = (connect.as_ptr(), ptr::null_mut());
                    sys::virConnectStoragePoolEventRegisterAny(
                        conn,
                        any,
                        id,
                        Some(callback),
                        opaque,
                        free,
                    )
                }
            });
        }
        for (id, callback) in callbacks::nodedev() {
            let end = sys::virConnectNodeDeviceEventDeregisterAny;
            keep("nodedev", end, &|opaque| {
                // SAFETY: as for networks.
                unsafe {
                    let (conn, any) = (connect.as_ptr(), ptr::null_mut());
                    sys::virConnectNodeDeviceEventRegisterAny(
                        conn,
                        any,
                        id,
                        Some(callback),
                        opaque,
                        free,
                    )
                }
            });
        }
        for (id, callback) in callbacks::secret() {
            let end = sys::virConnectSecretEventDeregisterAny;
            keep("secret", end, &|opaque| {
                // SAFETY: as for networks.
                unsafe {
                    let (conn, any) = (connect.as_ptr(), ptr::null_mut());
                    sys::virConnectSecretEventRegisterAny(
                        conn,
                        any,
                        id,
                        Some(callback),
                        opaque,
                        free,
                    )
                }
            });
        }
    }
}

/// Ends the registrations: each of them holds a reference to the connection, which would otherwise never close.
/// May wait for libvirtd, so it happens on a thread that may.
impl Drop for Subscription {
    fn drop(&mut self) {
        for (deregister, number) in self.registered.drain(..) {
            // SAFETY: the number came from the register function of the same kind on this connection. On a broken
            // connection the call fails after it has forgotten the callback on our side, which is all we need.
            let _ = unsafe { deregister(self.connect.as_ptr(), number) };
        }
        if self.has_close_callback {
            // SAFETY: as above.
            let _ = unsafe {
                sys::virConnectUnregisterCloseCallback(self.connect.as_ptr(), Some(on_close))
            };
        }
    }
}

fn skipped(class: &str, id: u32, why: &str) {
    tracing::debug!(
        event.class = class,
        event.id = id,
        why,
        "Events of a kind are not offered"
    );
}

/// A reference as the pointer that C carries around.
fn opaque<T>(shared: &Arc<T>) -> *mut c_void {
    Arc::into_raw(Arc::clone(shared)).cast_mut().cast()
}

/// What a register function has answered. After a failure libvirt does not call the free function, so we do.
///
/// # Safety
/// `opaque` came from [`opaque`] for a `T` and was given to that register function only.
unsafe fn adopt<T>(opaque: *mut c_void, code: c_int) -> Result<c_int> {
    let registered = check(code);
    if registered.is_err() {
        // SAFETY: the caller vouches for the pointer, and libvirt has not kept it.
        unsafe { free::<T>(opaque) };
    }
    registered
}

/// # Safety
/// `opaque` came from [`opaque`] for a `T` and is given here once.
unsafe extern "C" fn free<T>(opaque: *mut c_void) {
    // SAFETY: the caller vouches for the pointer.
    drop(unsafe { Arc::from_raw(opaque.cast_const().cast::<T>()) });
}
