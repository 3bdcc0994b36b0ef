//! The only `unsafe` code of the program: what libvirt offers and the `virt` crate does not wrap, or wraps wrongly.
//!
//! Everything here is a thin shell over one C call, with Rust types on the outside. Rules:
//!
//! * Nothing newer than libvirt 9.0 is named, or the program would not start on a host with 9.0.
//! * No panic crosses into C, and no callback blocks: they run on the event loop's thread, which serves every
//!   connection of the process.
//! * libvirt keeps its last error per thread, so it is read on the thread that made the call, at once.

mod callbacks;
mod events;
mod fields;
pub(crate) mod typed;

pub(crate) use events::{Closing, Sink, Subscription};

use crate::failure::{Failure, Result};
use model::Lease;
use std::ffi::{CStr, c_char, c_int};
use std::io::Write as _;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Once;
use std::time::Duration;
use std::{ptr, slice, thread};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::network::Network;
use virt::stream::Stream;
use virt_sys as sys;

/// Ends the process at once with this status, without running exit handlers.
///
/// Threads that wait inside libvirt cannot be joined. The exit handlers of libvirt and of the libraries below it would
/// free what those threads stand on, and now and then a process that had done its work would end by a signal.
/// Standard output is flushed; everything else that must be kept has to be on disk before.
pub fn leave(status: u8) -> ! {
    // Nothing can be done about a reader that has gone.
    let _ = std::io::stdout().flush();
    // SAFETY: _exit takes any status, touches no memory of ours and does not return.
    unsafe { libc::_exit(c_int::from(status)) }
}

/// Silences libvirt's habit of printing errors. Must come before the first connection.
pub(crate) fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(virt::error::clear_error_callback);
}

/// Starts libvirt's event loop on a thread of its own.
///
/// Must come before the first connection: a connection that was opened earlier has neither events nor keep-alive.
/// Further calls do nothing.
pub(crate) fn start_event_loop() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Err(error) = virt::event::event_register_default_impl() {
            tracing::error!(%error, "libvirt's event loop does not start: no events, no keep-alive");
            return;
        }
        let started = thread::Builder::new()
            .name("libvirt-events".into())
            .spawn(run_event_loop);
        if let Err(error) = started {
            tracing::error!(%error, "libvirt's event loop has no thread: no events, no keep-alive");
        }
    });
}

fn run_event_loop() {
    /// An error here is one of poll(2), and would come back at once.
    const PAUSE: Duration = Duration::from_millis(100);
    loop {
        if let Err(error) = virt::event::event_run_default_impl() {
            tracing::error!(%error, "libvirt's event loop failed once; going on");
            thread::sleep(PAUSE);
        }
    }
}

/// State and reason of a domain, as libvirt's numbers.
///
/// `virt` has `Domain::state`, which takes the answer of a failed call for a state.
pub(crate) fn domain_state(domain: &Domain) -> Result<(i32, i32)> {
    let (mut state, mut reason): (c_int, c_int) = (0, 0);
    // SAFETY: `domain` owns a reference, and both out pointers are valid for the call.
    let code = unsafe { sys::virDomainGetState(domain.as_ptr(), &mut state, &mut reason, 0) };
    check(code)?;
    Ok((state, reason))
}

/// Lower-case MAC and address of each lease that the network's DHCP server has given.
pub(crate) fn dhcp_leases(network: &Network) -> Result<Vec<Lease>> {
    let mut leases: *mut sys::virNetworkDHCPLeasePtr = ptr::null_mut();
    // SAFETY: `network` owns a reference, no MAC means all, and the out pointer is valid for the call.
    let count =
        unsafe { sys::virNetworkGetDHCPLeases(network.as_ptr(), ptr::null(), &mut leases, 0) };
    let count = usize::try_from(check(count)?).unwrap_or(0);
    if leases.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: on success libvirt has allocated an array of `count` pointers to leases.
    let array = unsafe { slice::from_raw_parts(leases, count) };
    let mut found = Vec::with_capacity(count);
    for &lease in array {
        // SAFETY: each pointer is a valid lease that is ours to free; its texts live until then.
        unsafe {
            let one = &*lease;
            if let Some(address) = text(one.ipaddr) {
                found.push(Lease {
                    interface: text(one.iface).unwrap_or_default(),
                    expiry: one.expirytime,
                    is_ipv6: one.type_.cast_unsigned() == sys::VIR_IP_ADDR_TYPE_IPV6,
                    mac: text(one.mac).unwrap_or_default().to_ascii_lowercase(),
                    iaid: text(one.iaid),
                    address,
                    prefix: one.prefix,
                    host_name: text(one.hostname),
                    client_id: text(one.clientid),
                });
            }
            sys::virNetworkDHCPLeaseFree(lease);
        }
    }
    // SAFETY: the array itself is ours to free, with the allocator that libvirt uses.
    unsafe { libc::free(leases.cast()) };
    Ok(found)
}

/// Tells the far end of a sparse stream that so many zeros follow.
pub(crate) fn send_hole(stream: &Stream, length: usize) -> Result<()> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    // SAFETY: `stream` owns a reference for the time of the call.
    let code = unsafe { sys::virStreamSendHole(stream.as_ptr(), length, 0) };
    check(code).map(drop)
}

/// Which kinds of pools there can be, as XML. `virt` does not wrap the call.
pub(crate) fn pool_capabilities(connect: &Connect) -> Result<String> {
    // SAFETY: `connect` owns a reference for the time of the call.
    let told = unsafe { sys::virConnectGetStoragePoolCapabilities(connect.as_ptr(), 0) };
    if told.is_null() {
        return Err(last_failure());
    }
    // SAFETY: on success libvirt has allocated a text that is ours to free, with the allocator that it uses.
    let copied = unsafe { text(told) };
    // SAFETY: as above; the text has been copied.
    unsafe { libc::free(told.cast()) };
    Ok(copied.unwrap_or_default())
}

/// A socket to a graphical console of a running domain, handed over by a libvirtd of this machine.
///
/// A console with a password does not ask for it on this socket: whoever may open it is already trusted.
pub(crate) fn open_graphics(domain: &Domain, index: u32) -> Result<OwnedFd> {
    let fd = domain.open_graphics_fd(index, sys::VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH)?;
    let fd = c_int::try_from(fd).map_err(|_| last_failure())?;
    // SAFETY: libvirt has just opened this descriptor for us and keeps no copy.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `-1` is libvirt's word for a failure.
fn check(code: c_int) -> Result<c_int> {
    if code < 0 {
        Err(last_failure())
    } else {
        Ok(code)
    }
}

fn last_failure() -> Failure {
    virt::error::Error::last_error().into()
}

/// A text of libvirt's, copied; `None` for a null pointer.
///
/// # Safety
/// `text` is null or a C string that lives during the call.
unsafe fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller vouches for the rest.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}
