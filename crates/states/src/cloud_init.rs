//! The disk from which cloud-init reads what a guest is to become: an ISO 9660 image with the label `cidata`.
//! Source: cloud-init, "NoCloud" data source.

mod iso;

use std::fmt;
use uuid::Uuid;

/// What cloud-init is told. Texts, in the formats that it knows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CloudInit {
    pub(crate) user_data: String,
    pub(crate) meta_data: String,
    pub(crate) network_data: Option<String>,
}

impl CloudInit {
    /// The image, the same for the same texts.
    pub(crate) fn image(&self) -> Vec<u8> {
        let files: Vec<(&str, &[u8])> = self
            .files()
            .map(|(name, text)| (name, text.as_bytes()))
            .collect();
        iso::image("cidata", &files)
    }

    /// Tells one content from another; nobody can read the texts in it.
    pub(crate) fn digest(&self) -> String {
        let mut all = Vec::new();
        for (name, text) in self.files() {
            all.extend_from_slice(format!("{name} {}\n", text.len()).as_bytes());
            all.extend_from_slice(text.as_bytes());
        }
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &all)
            .simple()
            .to_string()
    }

    /// In the order of the names, as directories have them.
    fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let network = self.network_data.as_deref();
        [
            Some(("meta-data", self.meta_data.as_str())),
            network.map(|text| ("network-config", text)),
            Some(("user-data", self.user_data.as_str())),
        ]
        .into_iter()
        .flatten()
    }
}

/// User data holds passwords and keys, which have no place in a log.
impl fmt::Debug for CloudInit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloudInit({})", self.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_text_is_another_digest_and_is_not_shown() {
        let one = CloudInit {
            user_data: "#cloud-config\npassword: secret\n".to_owned(),
            meta_data: "{}".to_owned(),
            network_data: None,
        };
        let other = CloudInit {
            network_data: Some(String::new()),
            ..one.clone()
        };
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.digest(), one.clone().digest());
        assert!(!format!("{one:?}").contains("secret"));
        assert_eq!(one.image(), one.clone().image());
    }
}
