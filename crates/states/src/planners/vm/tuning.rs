//! What the host gives a running VM: weights and limits of CPU time, CPUs, I/O threads, limits of memory.

use crate::facts::cpuset;
use domxml::Place;
use domxml::read::{KIB, NodeExt};
use domxml::tuning::{MEMORY, SCHEDULER};
use model::Capability;
use model::plan::Tuning;
use roxmltree::Node;

/// A change of the running VM.
pub(super) struct Tune {
    pub(super) tuning: Tuning,
    /// What it was before, where anybody had said so.
    pub(super) back: Option<Tuning>,
    pub(super) takes: Capability,
    /// The flag of the result that it stands behind.
    pub(super) flag: &'static str,
}

/// What brings the running VM to what its new definition says, as far as this run changes it. What is taken out of the
/// definition stays as it is until the next start: there is no call for «as if it had never been said».
pub(super) fn tunes(old: Node, new: Node, live: Node) -> Vec<Tune> {
    let mut tunes = Vec::new();
    schedule(&mut tunes, old, new, live);
    io_threads(&mut tunes, old, new, live);
    pins(&mut tunes, old, new, live);
    limits(&mut tunes, old, new, live);
    tunes
}

fn schedule(tunes: &mut Vec<Tune>, old: Node, new: Node, live: Node) {
    for (parameter, place) in SCHEDULER {
        let number = |root: Node| root.text_at(place).parse::<i64>().ok();
        let Some(value) = number(new).filter(|_| number(new) != number(old)) else {
            continue;
        };
        if number(live) != Some(value) {
            let of = |value| Tuning::Scheduler { parameter, value };
            tunes.push(Tune {
                tuning: of(value),
                back: number(live).map(of),
                takes: Capability::CpuShares,
                flag: "cpu",
            });
        }
    }
}

fn io_threads(tunes: &mut Vec<Tune>, old: Node, new: Node, live: Node) {
    let count = |root: Node| root.text_at("iothreads").parse::<u32>().unwrap_or(0);
    let (want, have) = (count(new), count(live));
    // Threads with numbers of their own are counted by nobody here.
    if want == count(old)
        || live
            .child("iothreadids")
            .is_some_and(|ids| !is_plain(ids, have))
    {
        return;
    }
    let in_use = |thread: u32| {
        let disks = live.child("devices").map(|d| d.children_named("disk"));
        let thread = thread.to_string();
        disks
            .unwrap_or_default()
            .iter()
            .any(|disk| disk.attr_at("driver", "iothread") == thread)
    };
    let tune = |tuning, back| Tune {
        tuning,
        back: Some(back),
        takes: Capability::IoThreads,
        flag: "cpu",
    };
    for thread in have + 1..=want {
        tunes.push(tune(
            Tuning::AddIoThread(thread),
            Tuning::RemoveIoThread(thread),
        ));
    }
    for thread in (want + 1..=have)
        .rev()
        .take_while(|thread| !in_use(*thread))
    {
        tunes.push(tune(
            Tuning::RemoveIoThread(thread),
            Tuning::AddIoThread(thread),
        ));
    }
}

/// The numbers are 1 to `count`, as when nobody chose them.
fn is_plain(ids: Node, count: u32) -> bool {
    let ids = ids.children_named("iothread");
    let numbers = ids.iter().map(|node| node.attr("id").parse().unwrap_or(0));
    numbers.eq(1..=count)
}

fn pins(tunes: &mut Vec<Tune>, old: Node, new: Node, live: Node) {
    let cpus = |root: Node, place: &Place| cpuset(place.value(root).unwrap_or_default());
    let mut pin = |place: Place, tuning: &dyn Fn(Vec<u32>) -> Tuning, takes| {
        let (Some(want), before) = (cpus(new, &place), cpus(old, &place)) else {
            return;
        };
        let have = cpus(live, &place);
        if before.as_ref() == Some(&want) || have.as_ref() == Some(&want) {
            return;
        }
        tunes.push(Tune {
            tuning: tuning(want),
            back: have.map(tuning),
            takes,
            flag: "cpu",
        });
    };
    let tune = || Place::at("cputune");
    for vcpu in numbers(new, "vcpupin", "vcpu") {
        let place = tune().keyed("vcpupin", "vcpu", vcpu).attr("cpuset");
        let tuning = move |cpus| Tuning::PinVcpu { vcpu, cpus };
        pin(place, &tuning, Capability::CpuPinning);
    }
    let place = tune().child("emulatorpin").attr("cpuset");
    let tuning = |cpus| Tuning::PinEmulator { cpus };
    pin(place, &tuning, Capability::CpuPinning);
    for thread in numbers(new, "iothreadpin", "iothread") {
        let place = tune()
            .keyed("iothreadpin", "iothread", thread)
            .attr("cpuset");
        let tuning = move |cpus| Tuning::PinIoThread { thread, cpus };
        pin(place, &tuning, Capability::IoThreads);
    }
}

/// The numbers of the vCPUs or threads that are pinned.
fn numbers(root: Node, name: &str, key: &str) -> Vec<u32> {
    let pins = root.child("cputune").map(|tune| tune.children_named(name));
    let pins = pins.unwrap_or_default();
    pins.iter()
        .filter_map(|pin| pin.attr(key).parse().ok())
        .collect()
}

fn limits(tunes: &mut Vec<Tune>, old: Node, new: Node, live: Node) {
    let size = |root: Node, place: &str| root.size_at(place, KIB);
    let mut rows: Vec<_> = MEMORY.iter().collect();
    // The limit with swap must never be below the one without.
    let grows = MEMORY
        .iter()
        .any(|(_, place)| size(live, place).is_some_and(|have| size(new, place) > Some(have)));
    if grows {
        rows.reverse();
    }
    for (parameter, place) in rows {
        let Some(want) = size(new, place).filter(|_| size(new, place) != size(old, place)) else {
            continue;
        };
        let have = size(live, place);
        if have != Some(want) {
            let of = |size| Tuning::MemoryLimit { parameter, size };
            tunes.push(Tune {
                tuning: of(want),
                back: have.map(of),
                takes: Capability::MemoryLimits,
                flag: "mem",
            });
        }
    }
}
