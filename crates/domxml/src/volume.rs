//! Volume XML: what the model holds of a volume.

use crate::read::{NodeExt, XmlError, parse};
use model::Volume;

/// Reads the XML of a volume.
///
/// # Errors
/// The text is not a volume.
pub fn read(xml: &str) -> Result<Volume, XmlError> {
    let doc = parse("volume", "volume", xml)?;
    let root = doc.root_element();
    let backing = root.text_at("backingStore/path");
    Ok(Volume {
        name: root.text_at("name").to_owned(),
        key: root.text_at("key").to_owned(),
        path: root.text_at("target/path").to_owned(),
        capacity: root.size_at("capacity", 1).unwrap_or_default(),
        allocation: root.size_at("allocation", 1).unwrap_or_default(),
        format: root.attr_at("target/format", "type").to_owned(),
        backing: (!backing.is_empty()).then(|| backing.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Bytes;

    #[test]
    fn a_volume_is_read() {
        let volume = read(
            "<volume type='file'><name>srv01_system</name><key>/vms/srv01_system</key>
             <capacity unit='GiB'>1</capacity><allocation>200</allocation>
             <target><path>/vms/srv01_system</path><format type='qcow2'/></target>
             <backingStore><path>/vms/base</path></backingStore></volume>",
        )
        .expect("a volume");
        assert_eq!(volume.capacity, Bytes(1 << 30));
        assert_eq!(volume.backing.as_deref(), Some("/vms/base"));
        assert_eq!(volume.format, "qcow2");
    }
}
