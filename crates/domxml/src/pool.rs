//! Pool XML: what the model holds of a storage pool.

use crate::read::{NodeExt, XmlError, parse, uuid_of};
use model::Bytes;
use uuid::Uuid;

/// What is read of a pool's XML; the other fields of a [`model::Pool`] come from libvirt's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Absent in a definition that libvirt has not seen yet.
    pub uuid: Option<Uuid>,
    /// libvirt's name; it defaults to the source's name for some kinds, and may then be empty here.
    pub name: String,
    /// `dir`, `fs`, `netfs`, `logical`…
    pub kind: String,
    /// Total size; zero while stopped.
    pub capacity: Bytes,
    /// Used.
    pub allocation: Bytes,
    /// Free.
    pub available: Bytes,
    /// `<target><path>`; empty when the kind has none.
    pub target: String,
}

/// Reads the XML of a pool.
///
/// # Errors
/// The text is not a pool.
pub fn read(xml: &str) -> Result<Pool, XmlError> {
    let doc = parse("pool", "pool", xml)?;
    let root = doc.root_element();
    let name = match root.text_at("name") {
        "" => root.text_at("source/name"),
        name => name,
    };
    Ok(Pool {
        uuid: uuid_of(&root),
        name: name.to_owned(),
        kind: root.attr("type").to_owned(),
        capacity: root.size_at("capacity", 1).unwrap_or_default(),
        allocation: root.size_at("allocation", 1).unwrap_or_default(),
        available: root.size_at("available", 1).unwrap_or_default(),
        target: root.text_at("target/path").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_pool_is_read() {
        let pool = read(
            "<pool type='netfs'><name>pool0</name><uuid>d0e9964e-0000-4000-8000-000000000001</uuid>
             <capacity unit='bytes'>100</capacity><allocation unit='bytes'>40</allocation>
             <available unit='bytes'>60</available>
             <source><host name='nfs'/><dir path='/srv/vms'/><format type='nfs'/></source>
             <target><path>/vms</path></target></pool>",
        )
        .expect("a pool");
        assert_eq!(
            (pool.kind.as_str(), pool.target.as_str()),
            ("netfs", "/vms")
        );
        assert_eq!((pool.capacity, pool.available), (Bytes(100), Bytes(60)));
    }
}
