//! What each kind of guest can have done to it, and why not.
//!
//! libvirt's drivers differ most where they say nothing: Xen's takes a definition with huge pages, CPU shares or a disk
//! of a storage pool, starts the VM, and leaves them out. So what cannot be asked of libvirt beforehand is written down
//! here, as it was measured with libvirt 9.0.0 on QEMU 7.2 and on Xen 4.17; `docs/hypervisors.md` is made from it.
//!
//! The server asks before it queues and draws buttons from the answer, the agent asks again before it acts, and
//! planners ask for each change they would make.

use std::fmt;

/// A kind of guest, as far as what can be done to it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuestKind {
    /// QEMU with hardware virtualization.
    Kvm,
    /// QEMU in emulation.
    Qemu,
    /// Xen, paravirtual: the guest's kernel knows that it runs on Xen.
    XenPv,
    /// Xen, paravirtual in a hardware container.
    XenPvh,
    /// Xen with a whole machine around the guest.
    XenHvm,
    /// A driver of which nothing is known beforehand: libvirt is asked by trying.
    Other,
}

impl GuestKind {
    /// The kinds of which the table speaks.
    pub const KNOWN: [Self; 5] = [
        Self::Kvm,
        Self::Qemu,
        Self::XenPv,
        Self::XenPvh,
        Self::XenHvm,
    ];

    /// By a definition's `<domain type=…>` and `<os><type>`.
    pub fn of(domain_type: &str, os_type: &str) -> Self {
        match (domain_type, os_type) {
            ("kvm", _) => Self::Kvm,
            ("qemu", _) => Self::Qemu,
            ("xen", "hvm") => Self::XenHvm,
            ("xen", "xenpvh") => Self::XenPvh,
            ("xen", _) => Self::XenPv,
            _ => Self::Other,
        }
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kvm => "KVM",
            Self::Qemu => "QEMU",
            Self::XenPv => "Xen PV",
            Self::XenPvh => "Xen PVH",
            Self::XenHvm => "Xen HVM",
            Self::Other => "other",
        }
    }

    /// One of Xen's.
    pub const fn is_xen(self) -> bool {
        matches!(self, Self::XenPv | Self::XenPvh | Self::XenHvm)
    }

    /// Why `what` is not possible; `None` when it is.
    pub const fn lacks(self, what: Capability) -> Option<Lack> {
        use Capability as C;
        let Some(reason) = (match (self, what) {
            (Self::Other, _) => None,
            (Self::Kvm, _) => None,
            (Self::Qemu, C::HostCpu) => Some("it takes hardware virtualization (KVM)"),
            (Self::Qemu, _) => None,

            (_, C::Reset) => Some("Xen has no reset button; force it off and start it"),
            (_, C::Snapshots) => Some("libvirt's Xen driver has no snapshots"),
            (_, C::SendKeys) => Some("libvirt's Xen driver cannot press keys; use the console"),
            (_, C::MoveNic) => Some("libvirt's Xen driver cannot change an interface in place"),
            (_, C::GuestAgent) => Some("libvirt's Xen driver has no channel to an agent"),
            (_, C::IoThreads) => Some("Xen's disks have no I/O threads"),
            (_, C::CpuShares) => Some("libvirt's Xen driver passes no shares and quotas on"),
            (_, C::MemoryLimits) => Some("Xen gives a VM its memory and limits nothing"),
            (_, C::MemoryBacking) => Some("Xen chooses the pages of a VM's memory itself"),
            (_, C::NumaTuning) => Some("Xen places a VM's memory by its vCPUs"),
            (_, C::DirectNic) => Some("Xen plugs interfaces into bridges only"),
            (_, C::EmulatedDisk) => match self {
                Self::XenHvm => None,
                _ => Some("its disks are Xen's own, bus xen"),
            },
            (_, C::EmulatedNic) => match self {
                Self::XenHvm => None,
                _ => Some("its interfaces are Xen's own and have no model"),
            },
            (_, C::VirtioDevices) => Some("Xen has devices of its own instead of virtio"),
            (_, C::NamedCpu) => Some("libvirt's Xen driver has no CPU models"),
            (_, C::HostCpu) => match self {
                Self::XenPv => Some("a paravirtual guest sees the host's CPU as it is"),
                _ => None,
            },
            (_, C::Firmware) => match self {
                Self::XenHvm => None,
                _ => Some("it has no firmware: its kernel is started directly"),
            },
            (_, C::SerialPorts) => match self {
                Self::XenHvm => None,
                _ => Some("it has Xen's console instead of serial ports"),
            },
            (_, C::Spice) => match self {
                Self::XenHvm => None,
                _ => Some("its screen is shown by VNC only"),
            },
            (_, C::HostDevices) => match self {
                Self::XenPvh => Some("Xen hands no devices of the host to such a guest"),
                _ => None,
            },
            (_, C::ChangeMedium) => match self {
                Self::XenHvm => None,
                _ => Some("a paravirtual drive keeps its medium while the VM runs"),
            },
            (_, C::PlugFirstImage) => match self {
                Self::XenHvm => None,
                _ => Some(
                    "Xen plugs a disk image (qcow2…) only into a VM that started with one; raw disks go",
                ),
            },
            (
                _,
                C::Start
                | C::Shutdown
                | C::Reboot
                | C::ForceOff
                | C::Pause
                | C::Resume
                | C::Save
                | C::GraphicalConsole
                | C::PlugRaw
                | C::PlugImage
                | C::PlugNic
                | C::ResizeMemory
                | C::ResizeVcpus
                | C::CpuPinning
                | C::Autostart,
            ) => None,
        }) else {
            return None;
        };
        Some(Lack {
            kind: self,
            what,
            reason,
        })
    }
}

impl fmt::Display for GuestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that a guest is not capable of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    /// Of whom.
    pub kind: GuestKind,
    /// What.
    pub what: Capability,
    /// Why, and what goes instead, as half a sentence.
    pub reason: &'static str,
}

/// `Not possible on Xen PV: Xen has no reset button; force it off and start it`.
impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Not possible on {}: {}", self.kind, self.reason)
    }
}

macro_rules! capabilities {
    ($($(#[doc = $doc:literal])+ $name:ident = $words:literal),+ $(,)?) => {
        /// Something that can be done to a guest, or that its definition can hold.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Capability {
            $($(#[doc = $doc])+ $name),+
        }

        impl Capability {
            /// All of them, in the order in which tables show them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// For people, as a thing one may have.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words),+
                }
            }
        }
    };
}

capabilities! {
    /// Boot, or go on from saved memory.
    Start = "start",
    /// Ask the guest to shut down.
    Shutdown = "shut down",
    /// Ask the guest to reboot.
    Reboot = "reboot",
    /// Cut the power.
    ForceOff = "force off",
    /// Press the reset button.
    Reset = "reset",
    /// Stop executing.
    Pause = "pause",
    /// Go on after a pause.
    Resume = "resume",
    /// Write the memory to disk and stop, and go on from it.
    Save = "save the memory and go on from it",
    /// Start with its host.
    Autostart = "start with the host",
    /// Take, list, revert to and delete snapshots.
    Snapshots = "snapshots",
    /// The screen in the browser.
    GraphicalConsole = "graphical console (VNC)",
    /// Keys such as Ctrl-Alt-Del, pressed by the host.
    SendKeys = "keys sent by the host",
    /// The channel of QEMU's guest agent.
    GuestAgent = "guest agent",
    /// Plug in and unplug a raw disk.
    PlugRaw = "plug a raw disk while it runs",
    /// Plug in and unplug a disk image beside another one.
    PlugImage = "plug a qcow2 disk while it runs, beside another one",
    /// Plug in a disk image where there is none.
    PlugFirstImage = "plug a qcow2 disk while it runs, as the first one",
    /// Another medium in a drive.
    ChangeMedium = "change the medium of a drive while it runs",
    /// Plug in and unplug an interface.
    PlugNic = "plug a network interface while it runs",
    /// Move an interface to another network.
    MoveNic = "move an interface to another network while it runs",
    /// More or less memory.
    ResizeMemory = "change memory while it runs (up to its maximum)",
    /// More or fewer vCPUs.
    ResizeVcpus = "change vCPUs while it runs (up to its maximum)",
    /// vCPUs bound to CPUs of the host.
    CpuPinning = "CPU pinning",
    /// Weights and limits of CPU time.
    CpuShares = "CPU shares and quotas",
    /// The host's CPU passed through, features taken away.
    HostCpu = "the host's CPU (host-passthrough)",
    /// A CPU by the name of its model.
    NamedCpu = "CPU models",
    /// Limits of memory.
    MemoryLimits = "memory limits (hard_limit…)",
    /// Huge pages, locked pages, shared pages.
    MemoryBacking = "huge, locked, shared pages",
    /// NUMA nodes to take memory from.
    NumaTuning = "NUMA tuning",
    /// Threads of their own for disks.
    IoThreads = "I/O threads",
    /// Disks at a bus that is emulated: ide, sata, scsi, usb.
    EmulatedDisk = "emulated disks (ide, scsi…)",
    /// Interfaces of a model that is emulated: e1000, rtl8139.
    EmulatedNic = "emulated interfaces (e1000…)",
    /// Disks, interfaces and channels of virtio.
    VirtioDevices = "virtio devices",
    /// PCI and USB devices of the host, handed to the guest.
    HostDevices = "devices of the host (PCI, USB)",
    /// Interfaces on a device of the host without a bridge (macvtap).
    DirectNic = "interfaces without a bridge (macvtap)",
    /// A firmware that can be chosen: BIOS or UEFI.
    Firmware = "firmware (BIOS, UEFI)",
    /// Serial ports.
    SerialPorts = "serial ports",
    /// SPICE as the protocol of the screen.
    Spice = "SPICE",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn kinds_come_from_the_definition() {
        for (domain, os, kind) in [
            ("kvm", "hvm", GuestKind::Kvm),
            ("qemu", "hvm", GuestKind::Qemu),
            ("xen", "hvm", GuestKind::XenHvm),
            ("xen", "linux", GuestKind::XenPv),
            ("xen", "xen", GuestKind::XenPv),
            ("xen", "xenpvh", GuestKind::XenPvh),
            ("test", "hvm", GuestKind::Other),
            ("", "", GuestKind::Other),
        ] {
            assert_eq!(GuestKind::of(domain, os), kind, "{domain} {os}");
        }
    }

    #[test]
    fn a_lack_says_who_and_why() {
        let lack = GuestKind::XenPv.lacks(Capability::Reset).expect("a lack");
        assert_eq!(
            lack.to_string(),
            "Not possible on Xen PV: Xen has no reset button; force it off and start it"
        );
        assert_eq!(GuestKind::Kvm.lacks(Capability::Reset), None);
        assert_eq!(GuestKind::Other.lacks(Capability::Snapshots), None);
    }

    fn page() -> String {
        let mut page = String::from(
            "# KVM and Xen side by side

What can be done to each kind of guest, and why not. Buttons, plans and actions ask the table that this page is made
from, so that nothing is tried that cannot work; for what libvirt itself tells of a host, its capabilities are asked.
Measured with libvirt 9.0.0 on QEMU 7.2 and on Xen 4.17, but not every cell: [tested-on.md](tested-on.md) says what was
run. Where it names no run (most of PVH and HVM), a yes means that libvirt's driver has it. Written by a test:
`UPDATE_DOCS=1 cargo test -p model capability`.

",
        );
        let _ = write!(page, "| |");
        for kind in GuestKind::KNOWN {
            let _ = write!(page, " {kind} |");
        }
        let _ = write!(
            page,
            "\n| --- |{}\n",
            " --- |".repeat(GuestKind::KNOWN.len())
        );
        let mut reasons: Vec<&str> = Vec::new();
        for what in Capability::ALL {
            let _ = write!(page, "| {} |", what.words());
            for kind in GuestKind::KNOWN {
                let Some(lack) = kind.lacks(*what) else {
                    let _ = write!(page, " yes |");
                    continue;
                };
                let known = reasons.iter().position(|reason| *reason == lack.reason);
                let number = known.unwrap_or_else(|| {
                    reasons.push(lack.reason);
                    reasons.len() - 1
                });
                let _ = write!(page, " no ({}) |", number + 1);
            }
            page.push('\n');
        }
        page.push('\n');
        for (index, reason) in reasons.iter().enumerate() {
            let (first, rest) = match reason.starts_with("libvirt") {
                true => (String::new(), *reason),
                false => (reason[..1].to_uppercase(), &reason[1..]),
            };
            let _ = writeln!(page, "{}. {first}{rest}.", index + 1);
        }
        page
    }

    #[test]
    fn the_page_is_what_the_table_says() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hypervisors.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(file, page()).expect("docs/hypervisors.md");
        }
        let written = std::fs::read_to_string(file).expect("docs/hypervisors.md");
        assert_eq!(
            written,
            page(),
            "docs/hypervisors.md is not what the table says; run: UPDATE_DOCS=1 cargo test -p model capability"
        );
    }
}
