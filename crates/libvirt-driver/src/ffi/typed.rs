//! Calls of libvirt that take a list of named values.

use super::{check, last_failure};
use crate::failure::{Failure, Result};
use hypervisor::Reason;
use std::ffi::{CStr, CString, c_int, c_uint};
use std::ptr;
use virt::domain::Domain;
use virt_sys as sys;

/// Named values. libvirt allocates the list, and frees it with them.
pub(crate) struct Params {
    list: sys::virTypedParameterPtr,
    count: c_int,
    room: c_int,
}

impl Params {
    pub(crate) const fn new() -> Self {
        Self {
            list: ptr::null_mut(),
            count: 0,
            room: 0,
        }
    }

    pub(crate) fn int(&mut self, name: &CStr, value: i32) -> Result<()> {
        // SAFETY: the three fields belong to one list that libvirt made or will make; the name lives during the call.
        let code = unsafe {
            sys::virTypedParamsAddInt(
                &mut self.list,
                &mut self.count,
                &mut self.room,
                name.as_ptr(),
                value,
            )
        };
        check(code).map(drop)
    }

    pub(crate) fn llong(&mut self, name: &CStr, value: i64) -> Result<()> {
        // SAFETY: as in `int`.
        let code = unsafe {
            sys::virTypedParamsAddLLong(
                &mut self.list,
                &mut self.count,
                &mut self.room,
                name.as_ptr(),
                value,
            )
        };
        check(code).map(drop)
    }

    pub(crate) fn ullong(&mut self, name: &CStr, value: u64) -> Result<()> {
        // SAFETY: as in `int`.
        let code = unsafe {
            sys::virTypedParamsAddULLong(
                &mut self.list,
                &mut self.count,
                &mut self.room,
                name.as_ptr(),
                value,
            )
        };
        check(code).map(drop)
    }

    pub(crate) fn text(&mut self, name: &CStr, value: &str) -> Result<()> {
        let value = c_string(value)?;
        // SAFETY: as in `int`; libvirt copies the value.
        let code = unsafe {
            sys::virTypedParamsAddString(
                &mut self.list,
                &mut self.count,
                &mut self.room,
                name.as_ptr(),
                value.as_ptr(),
            )
        };
        check(code).map(drop)
    }
}

impl Drop for Params {
    fn drop(&mut self) {
        // SAFETY: the list is libvirt's own, or null, and has this many values.
        unsafe { sys::virTypedParamsFree(self.list, self.count) };
    }
}

fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| {
        Failure::new(
            Reason::Invalid,
            "a text with a zero byte is none to libvirt",
        )
    })
}

/// Moves a domain to the hypervisor at `target`; comes back when it is there, or is not.
pub(crate) fn migrate(domain: &Domain, target: &str, params: &Params, flags: c_uint) -> Result<()> {
    let target = c_string(target)?;
    // SAFETY: `domain` owns a reference; the texts and the list live during the call, which changes none of them.
    let code = unsafe {
        sys::virDomainMigrateToURI3(
            domain.as_ptr(),
            target.as_ptr(),
            params.list,
            params.count.cast_unsigned(),
            flags,
        )
    };
    check(code).map(drop)
}

/// Switches a running migration over to post-copy.
pub(crate) fn start_postcopy(domain: &Domain) -> Result<()> {
    // SAFETY: `domain` owns a reference.
    let code = unsafe { sys::virDomainMigrateStartPostCopy(domain.as_ptr(), 0) };
    check(code).map(drop)
}

/// Weights and limits of CPU time of the running domain.
pub(crate) fn set_scheduler(domain: &Domain, params: &Params) -> Result<()> {
    // SAFETY: `domain` owns a reference; the list lives during the call.
    let code = unsafe {
        sys::virDomainSetSchedulerParametersFlags(
            domain.as_ptr(),
            params.list,
            params.count,
            sys::VIR_DOMAIN_AFFECT_LIVE,
        )
    };
    check(code).map(drop)
}

/// Limits of memory of the running domain.
pub(crate) fn set_memory(domain: &Domain, params: &Params) -> Result<()> {
    // SAFETY: `domain` owns a reference; the list lives during the call.
    let code = unsafe {
        sys::virDomainSetMemoryParameters(
            domain.as_ptr(),
            params.list,
            params.count,
            sys::VIR_DOMAIN_AFFECT_LIVE,
        )
    };
    check(code).map(drop)
}

/// Which CPUs an I/O thread of the running domain has: one bit each.
pub(crate) fn pin_io_thread(domain: &Domain, thread: u32, map: &mut [u8]) -> Result<()> {
    let length = c_int::try_from(map.len()).map_err(|_| last_failure())?;
    // SAFETY: `domain` owns a reference; the map is as long as is said, and lives during the call.
    let code = unsafe {
        sys::virDomainPinIOThread(
            domain.as_ptr(),
            thread,
            map.as_mut_ptr(),
            length,
            sys::VIR_DOMAIN_AFFECT_LIVE,
        )
    };
    check(code).map(drop)
}

/// One I/O thread more in the running domain.
pub(crate) fn add_io_thread(domain: &Domain, thread: u32) -> Result<()> {
    // SAFETY: `domain` owns a reference.
    let code =
        unsafe { sys::virDomainAddIOThread(domain.as_ptr(), thread, sys::VIR_DOMAIN_AFFECT_LIVE) };
    check(code).map(drop)
}

/// One I/O thread less in the running domain.
pub(crate) fn remove_io_thread(domain: &Domain, thread: u32) -> Result<()> {
    // SAFETY: `domain` owns a reference.
    let code =
        unsafe { sys::virDomainDelIOThread(domain.as_ptr(), thread, sys::VIR_DOMAIN_AFFECT_LIVE) };
    check(code).map(drop)
}
