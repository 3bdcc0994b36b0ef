//! What the host gives a running VM.

use crate::failure::{Failure, Result};
use crate::ffi::typed::{self, Params};
use hypervisor::Reason;
use model::plan::Tuning;
use std::ffi::CString;
use virt::domain::Domain;
use virt_sys as sys;

pub(crate) fn tune(domain: &Domain, tuning: &Tuning) -> Result<()> {
    match tuning {
        Tuning::Scheduler { parameter, value } => {
            let mut params = Params::new();
            let name = name(parameter)?;
            // Source: libvirt, `VIR_DOMAIN_SCHEDULER_*`: quotas have a sign, as -1 lifts them.
            match u64::try_from(*value) {
                Ok(value) if !parameter.ends_with("quota") => params.ullong(&name, value)?,
                _ => params.llong(&name, *value)?,
            }
            typed::set_scheduler(domain, &params)
        }
        Tuning::PinVcpu { vcpu, cpus } => {
            Ok(domain.pin_vcpu_flags(*vcpu, &map(cpus), sys::VIR_DOMAIN_AFFECT_LIVE)?)
        }
        Tuning::PinEmulator { cpus } => {
            Ok(domain.pin_emulator(&map(cpus), sys::VIR_DOMAIN_AFFECT_LIVE)?)
        }
        Tuning::PinIoThread { thread, cpus } => {
            typed::pin_io_thread(domain, *thread, &mut map(cpus))
        }
        Tuning::AddIoThread(thread) => typed::add_io_thread(domain, *thread),
        Tuning::RemoveIoThread(thread) => typed::remove_io_thread(domain, *thread),
        Tuning::MemoryLimit { parameter, size } => {
            let mut params = Params::new();
            params.ullong(&name(parameter)?, size.kib())?;
            typed::set_memory(domain, &params)
        }
    }
}

fn name(parameter: &str) -> Result<CString> {
    CString::new(parameter).map_err(|_| Failure::new(Reason::Invalid, "no name of a parameter"))
}

/// One bit for each CPU of the host, the first one lowest.
fn map(cpus: &[u32]) -> Vec<u8> {
    let most = cpus.iter().max().map_or(0, |most| *most as usize);
    let mut map = vec![0; most / 8 + 1];
    for cpu in cpus {
        map[*cpu as usize / 8] |= 1 << (cpu % 8);
    }
    map
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn cpus_become_bits() {
        assert_eq!(map(&[0, 2]), [0b101]);
        assert_eq!(map(&[8, 15]), [0, 0b1000_0001]);
        assert_eq!(map(&[]), [0]);
    }
}
