//! Where things stand in the folder.

/// Version of the layout.
pub(crate) const FORMAT: u64 = 1;

/// What the host is, and what of its objects no XML tells.
pub(crate) const HOST: &str = "host.yaml";
pub(crate) const CAPABILITIES: &str = "capabilities.xml";
pub(crate) const CONFIG: &str = "config.yaml";
pub(crate) const GRAINS: &str = "grains.yaml";
pub(crate) const PILLAR: &str = "pillar.yaml";

pub(crate) const VMS: &str = "vms";
pub(crate) const POOLS: &str = "pools";
pub(crate) const NETWORKS: &str = "networks";
pub(crate) const VOLUMES: &str = "volumes";
pub(crate) const DEVICES: &str = "devices";

/// End of the file of a definition, and of a running one.
pub(crate) const XML: &str = ".xml";
pub(crate) const LIVE: &str = ".live.xml";

/// A name as part of a path: letters, digits, `-`, `_`, `.` and `+` stay, every other byte is `%` and two digits.
pub(crate) fn file_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        // A leading dot would hide the file or leave the folder.
        let plain =
            byte.is_ascii_alphanumeric() || b"-_+".contains(&byte) || byte == b'.' && index > 0;
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_folder() {
        assert_eq!(file_name("srv-01.example"), "srv-01.example");
        assert_eq!(file_name("../../etc/passwd"), "%2e.%2f..%2fetc%2fpasswd");
        assert_eq!(file_name(".."), "%2e.");
        assert_eq!(file_name("größe 1"), "gr%c3%b6%c3%9fe%201");
    }
}
