//! The values that events carry in C structures, as the texts that go into an event's fields.

use super::text;
use crate::words::{GRAPHICS_FAMILY, word};
use serde_json::{Map, Value, json};
use std::ffi::{CStr, c_int};
use std::slice;
use virt_sys as sys;

/// An end of a console's connection as JSON: `{"family":…,"node":…,"service":…}`.
///
/// # Safety
/// `address` is null or points to an address that lives during the call.
pub(super) unsafe fn graphics_address(
    address: *const sys::virDomainEventGraphicsAddress,
) -> String {
    // SAFETY: the caller vouches for the pointer.
    let Some(address) = (unsafe { address.as_ref() }) else {
        return "{}".to_owned();
    };
    // SAFETY: both texts are null or live as long as the address.
    let (node, service) = unsafe { (text(address.node), text(address.service)) };
    json!({
        "family": word(&GRAPHICS_FAMILY, address.family),
        "node": node.unwrap_or_default(),
        "service": service.unwrap_or_default(),
    })
    .to_string()
}

/// Who sits at a console, as JSON: `[{"type":…,"name":…}]`.
///
/// # Safety
/// `subject` is null or points to a subject that lives during the call.
pub(super) unsafe fn graphics_subject(
    subject: *const sys::virDomainEventGraphicsSubject,
) -> String {
    // SAFETY: the caller vouches for the pointer.
    let identities = match unsafe { subject.as_ref() } {
        // SAFETY: libvirt's array has as many entries as it says.
        Some(subject) => unsafe { array(subject.identities, subject.nidentity) },
        None => &[],
    };
    let list: Vec<Value> = identities
        .iter()
        .map(|identity| {
            // SAFETY: both texts are null or live as long as the subject.
            let (kind, name) = unsafe { (text(identity.type_), text(identity.name)) };
            json!({ "type": kind.unwrap_or_default(), "name": name.unwrap_or_default() })
        })
        .collect();
    Value::from(list).to_string()
}

/// Typed parameters as a JSON object.
///
/// # Safety
/// `params` is null or points to `count` parameters that live during the call.
pub(super) unsafe fn typed_params(params: sys::virTypedParameterPtr, count: c_int) -> String {
    // SAFETY: the caller vouches for pointer and count.
    let params = unsafe { array(params, count) };
    let map: Map<String, Value> = params
        .iter()
        .map(|param| {
            // SAFETY: libvirt ends the name with a zero within its 80 bytes.
            let name = unsafe { CStr::from_ptr(param.field.as_ptr()) };
            // SAFETY: it is one of the parameters the caller vouches for.
            (name.to_string_lossy().into_owned(), unsafe { value(param) })
        })
        .collect();
    Value::from(map).to_string()
}

/// # Safety
/// `param.value` holds what `param.type_` says, and a text in it is null or a C string.
unsafe fn value(param: &sys::virTypedParameter) -> Value {
    let value = param.value;
    // SAFETY: the field that is read is the one the type names.
    unsafe {
        match param.type_.cast_unsigned() {
            sys::VIR_TYPED_PARAM_INT => value.i.into(),
            sys::VIR_TYPED_PARAM_UINT => value.ui.into(),
            sys::VIR_TYPED_PARAM_LLONG => value.l.into(),
            sys::VIR_TYPED_PARAM_ULLONG => value.ul.into(),
            sys::VIR_TYPED_PARAM_DOUBLE => value.d.into(),
            sys::VIR_TYPED_PARAM_BOOLEAN => (value.b != 0).into(),
            sys::VIR_TYPED_PARAM_STRING => text(value.s).into(),
            _ => Value::Null,
        }
    }
}

/// # Safety
/// `pointer` is null or points to `count` values that live for `'a`.
unsafe fn array<'a, T>(pointer: *const T, count: c_int) -> &'a [T] {
    match usize::try_from(count) {
        // SAFETY: not null, and the caller vouches for the rest.
        Ok(count) if !pointer.is_null() => unsafe { slice::from_raw_parts(pointer, count) },
        _ => &[],
    }
}
