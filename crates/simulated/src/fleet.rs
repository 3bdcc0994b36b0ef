//! The fleet, and what happens on it.

use crate::guest;
use crate::host::Host;
use fastrand::Rng;
use hypervisor::fake::FakeHypervisor;
use model::lifecycle::Request;
use model::plan::{Step, VmOp};
use model::{Bytes, VmStatus};

/// How large a fleet is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Hosts, at least one.
    pub hosts: usize,
    /// VMs on all of them together.
    pub vms: usize,
}

/// A VM as it is now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// Its host.
    pub host: String,
    /// Its name.
    pub name: String,
    /// What it is in, as the API calls it.
    pub status: &'static str,
}

/// Hosts with VMs that live.
pub struct Fleet {
    hosts: Vec<Host>,
    rng: Rng,
    /// The number of the next VM that is made.
    next: usize,
}

/// So many of four VMs run at the start.
const RUNNING: usize = 3;

impl Fleet {
    /// A fleet of this size: the same hosts and VMs in every run, and the same history for the same seed.
    pub fn new(size: Size, seed: u64) -> Self {
        let hosts: Vec<Host> = (0..size.hosts.max(1)).map(Host::new).collect();
        for number in 0..size.vms {
            let host = &hosts[number % hosts.len()];
            let xml = guest::definition(number, host.is_xen);
            host.hypervisor.add_vm(&xml);
            if number / hosts.len() % 4 < RUNNING {
                host.hypervisor.start_vm(&guest::name(number));
            }
        }
        Self {
            hosts,
            rng: Rng::with_seed(seed),
            next: size.vms,
        }
    }

    /// The hosts.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// All VMs, in order.
    pub fn vms(&self) -> Vec<Standing> {
        let of = |host: &Host| {
            let (host, vms) = (host.name.clone(), host.hypervisor.statuses());
            vms.into_iter().map(move |(name, status)| Standing {
                host: host.clone(),
                name,
                status: status.as_str(),
            })
        };
        let mut all: Vec<Standing> = self.hosts.iter().flat_map(of).collect();
        all.sort();
        all
    }

    /// Something happens to some VM. Returns how many events the hypervisors told of it, which may be none.
    pub fn step(&mut self) -> u64 {
        let host = self.hosts[self.rng.usize(..self.hosts.len())].clone();
        let vms = host.hypervisor.statuses();
        if vms.is_empty() {
            return 0;
        }
        let (name, status) = &vms[self.rng.usize(..vms.len())];
        match status {
            VmStatus::Running => self.happens_to_running(&host, name),
            VmStatus::Paused => self.does(&host.hypervisor, name, VmOp::Life(Request::Resume)),
            _ => self.happens_to_stopped(&host, name),
        }
    }

    fn happens_to_running(&mut self, host: &Host, name: &str) -> u64 {
        let hypervisor = &host.hypervisor;
        match self.rng.u32(..100) {
            0..24 => self.does(hypervisor, name, VmOp::Life(Request::Shutdown)),
            24..40 => self.does(hypervisor, name, VmOp::Life(Request::Pause)),
            40..56 => self.does(hypervisor, name, VmOp::Life(Request::Reboot)),
            56..74 => self.writes_a_note(hypervisor, name),
            74..90 => {
                // Between a half and all of the smallest VM's memory.
                let size = Bytes::from_mib(512 + u64::from(self.rng.u32(..512)));
                self.does(hypervisor, name, VmOp::MemoryLive(size))
            }
            90..97 => self.moves(host, name),
            _ => {
                let told = hypervisor.events_told();
                hypervisor.crash_vm(name);
                hypervisor.events_told() - told
            }
        }
    }

    fn happens_to_stopped(&mut self, host: &Host, name: &str) -> u64 {
        match self.rng.u32(..100) {
            0..78 => self.does(&host.hypervisor, name, VmOp::Life(Request::Start)),
            78..92 => self.writes_a_note(&host.hypervisor, name),
            _ => {
                // One goes, another comes.
                let told = self.does(&host.hypervisor, name, VmOp::Undefine);
                let xml = guest::definition(self.next, host.is_xen);
                let new = guest::name(self.next);
                self.next += 1;
                told + self.does(&host.hypervisor, &new, VmOp::Define { xml })
            }
        }
    }

    /// Somebody does it, with virsh perhaps. The server's users may have been faster: what the hypervisor refuses does
    /// not happen.
    fn does(&self, hypervisor: &FakeHypervisor, name: &str, op: VmOp) -> u64 {
        let name = name.to_owned();
        let told = hypervisor.events_told();
        let _ = hypervisor.someone_does(&Step::Vm { name, op });
        hypervisor.events_told() - told
    }

    fn writes_a_note(&mut self, hypervisor: &FakeHypervisor, name: &str) -> u64 {
        let note = format!("Checked, ticket {}", self.rng.u32(1000..100_000));
        let edited = hypervisor
            .definition(name)
            .and_then(|xml| guest::noted(&xml, &note));
        match edited {
            Some(xml) => self.does(hypervisor, name, VmOp::Define { xml }),
            None => 0,
        }
    }

    fn moves(&mut self, host: &Host, name: &str) -> u64 {
        let others: Vec<&Host> = self
            .hosts
            .iter()
            .filter(|other| other.is_xen == host.is_xen && other.name != host.name)
            .collect();
        if others.is_empty() {
            return 0;
        }
        let to = others[self.rng.usize(..others.len())];
        let told = || host.hypervisor.events_told() + to.hypervisor.events_told();
        let before = told();
        let _ = host.hypervisor.migrate_vm(name, &to.hypervisor);
        told() - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SIZE: Size = Size {
        hosts: 20,
        vms: 200,
    };

    #[test]
    fn the_same_seed_is_the_same_history() {
        let history = |seed| {
            let mut fleet = Fleet::new(SIZE, seed);
            let told: Vec<u64> = (0..2000).map(|_| fleet.step()).collect();
            (told, fleet.vms())
        };
        assert_eq!(history(1), history(1));
        assert_ne!(history(1), history(2));
    }

    #[test]
    fn a_fleet_lives_and_keeps_its_size() {
        let mut fleet = Fleet::new(SIZE, 7);
        let before = fleet.vms();
        let told: u64 = (0..5000).map(|_| fleet.step()).sum();
        assert!(told > 4000, "{told} events");
        let after = fleet.vms();
        assert_eq!(after.len(), SIZE.vms);
        let running = after.iter().filter(|vm| vm.status == "running").count();
        assert!((100..180).contains(&running), "{running} run");
        let names = |vms: &[Standing]| {
            let names = vms.iter().map(|vm| vm.name.clone());
            names.collect::<BTreeSet<_>>()
        };
        assert_eq!(names(&after).len(), SIZE.vms, "each is on one host");
        assert!(names(&before) != names(&after), "some have come and gone");
        let homes = |vms: &[Standing]| {
            let homes = vms.iter().map(|vm| (vm.host.clone(), vm.name.clone()));
            homes.collect::<BTreeSet<_>>()
        };
        let moved = names(&before).intersection(&names(&after)).count()
            - homes(&before).intersection(&homes(&after)).count();
        assert!(moved > 10, "{moved} have moved");
    }

    #[test]
    fn xen_guests_stay_on_xen() {
        let mut fleet = Fleet::new(SIZE, 3);
        for _ in 0..5000 {
            fleet.step();
        }
        for host in fleet.hosts() {
            for (name, _) in host.hypervisor.statuses() {
                if let Some(xml) = host.hypervisor.definition(&name) {
                    assert_eq!(xml.contains("<domain type='xen'>"), host.is_xen, "{name}");
                }
            }
        }
    }
}
