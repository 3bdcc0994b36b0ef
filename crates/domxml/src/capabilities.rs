//! Capabilities XML: what kinds of guests a host can run.

use crate::read::{NodeExt, XmlError, parse};

/// What a host offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Architecture of the host's CPU.
    pub arch: String,
    /// CPU model as libvirt names it; empty when not told.
    pub cpu_model: String,
    /// Kinds of guests in the order of the document.
    pub guests: Vec<Guest>,
}

/// One `<guest>`: an operating system type on an architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// `hvm`, `xen`, `xenpvh`, `exe`, `linux`.
    pub os_type: String,
    /// `x86_64`…
    pub arch: String,
    /// `qemu`, `kvm`, `xen`…: what a domain's `type` may be.
    pub domain_types: Vec<String>,
    /// Features that a toggle can switch: `acpi`, `apic`, `pae`…
    pub features: Vec<String>,
}

/// Domain types from best to worst; anything unknown follows in the order of the alphabet.
const BEST_FIRST: [&str; 4] = ["kvm", "xen", "hvf", "qemu"];

impl Capabilities {
    /// Domain types offered, best first: hardware virtualization before emulation.
    pub fn domain_types(&self) -> Vec<String> {
        let mut types: Vec<String> = self
            .guests
            .iter()
            .flat_map(|guest| guest.domain_types.iter().cloned())
            .collect();
        types.sort_by_key(|kind| {
            let rank = BEST_FIRST.iter().position(|best| best == kind);
            (rank.unwrap_or(BEST_FIRST.len()), kind.clone())
        });
        types.dedup();
        types
    }

    /// Hardware virtualization is offered.
    pub fn accelerated(&self) -> bool {
        self.guests.iter().any(|guest| {
            guest
                .domain_types
                .iter()
                .any(|kind| kind == "kvm" || (kind == "xen" && guest.os_type == "hvm"))
        })
    }

    /// The guests that a domain of this type can be.
    pub fn guests_of(&self, domain_type: &str) -> impl Iterator<Item = &Guest> {
        self.guests
            .iter()
            .filter(move |guest| guest.domain_types.iter().any(|kind| kind == domain_type))
    }
}

/// Reads the answer of `virConnectGetCapabilities`.
///
/// # Errors
/// The text is not a capabilities document.
pub fn read(xml: &str) -> Result<Capabilities, XmlError> {
    let doc = parse("capabilities", "capabilities", xml)?;
    let root = doc.root_element();
    Ok(Capabilities {
        arch: root.text_at("host/cpu/arch").to_owned(),
        cpu_model: root.text_at("host/cpu/model").to_owned(),
        guests: root
            .children_named("guest")
            .iter()
            .map(read_guest)
            .collect(),
    })
}

fn read_guest(guest: &roxmltree::Node) -> Guest {
    let arch = guest.child("arch");
    let domains = arch.map(|a| a.children_named("domain")).unwrap_or_default();
    let features = guest
        .child("features")
        .map(|f| {
            f.children()
                .filter(roxmltree::Node::is_element)
                .collect::<Vec<_>>()
        })
        .unwrap_or_default();
    Guest {
        os_type: guest.text_at("os_type").to_owned(),
        arch: arch.map_or("", |a| a.attr("name")).to_owned(),
        domain_types: domains.iter().map(|d| d.attr("type").to_owned()).collect(),
        features: features
            .iter()
            .map(|f| f.tag_name().name().to_owned())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KVM: &str = "<capabilities><host><cpu><arch>x86_64</arch><model>Skylake-Client</model></cpu></host>
        <guest><os_type>hvm</os_type><arch name='i686'><domain type='qemu'/></arch></guest>
        <guest><os_type>hvm</os_type><arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch>
          <features><acpi default='on' toggle='yes'/><apic/></features></guest></capabilities>";

    #[test]
    fn the_best_domain_type_comes_first() {
        let capabilities = read(KVM).expect("capabilities");
        assert_eq!(capabilities.domain_types(), ["kvm", "qemu"]);
        assert!(capabilities.accelerated());
        assert_eq!(capabilities.guests_of("kvm").count(), 1);
        assert_eq!(capabilities.guests[1].features, ["acpi", "apic"]);
        assert_eq!(capabilities.cpu_model, "Skylake-Client");
    }

    #[test]
    fn emulation_and_paravirtual_xen_are_not_accelerated() {
        let emulated = read("<capabilities><guest><os_type>hvm</os_type><arch name='x86_64'><domain type='qemu'/></arch></guest></capabilities>").expect("capabilities");
        assert!(!emulated.accelerated());
        let xen_pv = read("<capabilities><guest><os_type>xen</os_type><arch name='x86_64'><domain type='xen'/></arch></guest></capabilities>").expect("capabilities");
        assert!(!xen_pv.accelerated());
        assert_eq!(xen_pv.domain_types(), ["xen"]);
    }
}
