//! What the host gives a VM, as its definition says it: `<cputune>`, `<iothreads>`, `<memtune>`.

use crate::edit::{Document, EditError, Place};
use model::plan::Tuning;

/// libvirt's name of a weight or limit of CPU time, and where the definition has it.
/// Source: libvirt `VIR_DOMAIN_SCHEDULER_*`, formatdomain "CPU Tuning".
pub const SCHEDULER: &[(&str, &str)] = &[
    ("cpu_shares", "cputune/shares"),
    ("vcpu_period", "cputune/period"),
    ("vcpu_quota", "cputune/quota"),
    ("global_period", "cputune/global_period"),
    ("global_quota", "cputune/global_quota"),
    ("emulator_period", "cputune/emulator_period"),
    ("emulator_quota", "cputune/emulator_quota"),
    ("iothread_period", "cputune/iothread_period"),
    ("iothread_quota", "cputune/iothread_quota"),
];

/// The same of limits of memory. Source: libvirt `VIR_DOMAIN_MEMORY_*`.
pub const MEMORY: &[(&str, &str)] = &[
    ("hard_limit", "memtune/hard_limit"),
    ("soft_limit", "memtune/soft_limit"),
    ("swap_hard_limit", "memtune/swap_hard_limit"),
];

/// The place of a parameter in one of the tables.
fn place(table: &[(&str, &'static str)], parameter: &str) -> Option<Place> {
    let row = table.iter().find(|(name, _)| *name == parameter)?;
    Some(Place::at(row.1))
}

/// Writes into a definition what libvirt's call of the same name changes in it.
///
/// # Errors
/// The document cannot be edited.
pub fn apply(document: &mut Document, tuning: &Tuning) -> Result<(), EditError> {
    let list = |cpus: &[u32]| {
        let cpus: Vec<String> = cpus.iter().map(u32::to_string).collect();
        cpus.join(",")
    };
    let tune = || Place::at("cputune");
    match tuning {
        Tuning::Scheduler { parameter, value } => match place(SCHEDULER, parameter) {
            Some(place) => document.set(&place, &value.to_string()),
            None => Ok(()),
        },
        Tuning::PinVcpu { vcpu, cpus } => {
            let pin = tune().keyed("vcpupin", "vcpu", vcpu).attr("cpuset");
            document.set(&pin, &list(cpus))
        }
        Tuning::PinEmulator { cpus } => {
            document.set(&tune().child("emulatorpin").attr("cpuset"), &list(cpus))
        }
        Tuning::PinIoThread { thread, cpus } => {
            let pin = tune()
                .keyed("iothreadpin", "iothread", thread)
                .attr("cpuset");
            document.set(&pin, &list(cpus))
        }
        Tuning::AddIoThread(_) | Tuning::RemoveIoThread(_) => {
            let place = Place::at("iothreads");
            let have: u32 = document
                .get(&place)
                .and_then(|text| text.parse().ok())
                .unwrap_or(0);
            let count = match tuning {
                Tuning::AddIoThread(_) => have + 1,
                _ => have.saturating_sub(1),
            };
            match count {
                0 => document.remove(&place),
                count => document.set(&place, &count.to_string()),
            }
        }
        Tuning::MemoryLimit { parameter, size } => match place(MEMORY, parameter) {
            Some(place) => {
                document.set(&place.clone().attr("unit"), "KiB")?;
                document.set(&place, &size.kib().to_string())
            }
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Bytes;

    fn after(xml: &str, tunings: &[Tuning]) -> String {
        let mut document = Document::new(xml).expect("a definition");
        for tuning in tunings {
            apply(&mut document, tuning).expect("editable");
        }
        document.into_string()
    }

    #[test]
    fn each_call_leaves_what_libvirt_leaves() {
        let xml = "<domain>\n  <vcpu>2</vcpu>\n</domain>";
        let tuned = after(
            xml,
            &[
                Tuning::Scheduler {
                    parameter: "vcpu_quota",
                    value: -1,
                },
                Tuning::PinVcpu {
                    vcpu: 1,
                    cpus: vec![0, 2],
                },
                Tuning::PinEmulator { cpus: vec![1] },
                Tuning::AddIoThread(1),
                Tuning::PinIoThread {
                    thread: 1,
                    cpus: vec![3],
                },
                Tuning::MemoryLimit {
                    parameter: "hard_limit",
                    size: Bytes(1 << 30),
                },
            ],
        );
        for part in [
            "<quota>-1</quota>",
            "<vcpupin vcpu='1' cpuset='0,2'/>",
            "<emulatorpin cpuset='1'/>",
            "<iothreads>1</iothreads>",
            "<iothreadpin iothread='1' cpuset='3'/>",
            "<hard_limit unit='KiB'>1048576</hard_limit>",
        ] {
            assert!(tuned.contains(part), "{part} in {tuned}");
        }
        assert!(!after(&tuned, &[Tuning::RemoveIoThread(1)]).contains("iothreads"));
    }
}
