//! Names that people give to VMs, pools, networks and hosts.

use std::fmt;
use thiserror::Error;

/// Longest accepted name, in bytes. libvirt makes file names of it (`NAME.xml`, `domain-ID-NAME`), which end at 255.
pub const MAX_NAME_BYTES: usize = 200;

/// A checked name: not empty, at most [`MAX_NAME_BYTES`], no slash, no control characters, no leading or trailing blank.
///
/// Names that libvirt already reports are shown as they are; this type guards names that Salar is asked to create.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a text cannot be the name of something new.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// Nothing, or blanks only.
    #[error("the name is empty")]
    Empty,
    /// Longer than libvirt can make a file name of.
    #[error("the name has {length} bytes, at most {MAX_NAME_BYTES} are possible")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// libvirt refuses it or it would escape a folder.
    #[error("the name {name:?} has the character {found:?}, which a name cannot have")]
    Character {
        /// The name as given.
        name: String,
        /// The first offending character.
        found: char,
    },
    /// `.` or `..`, or blanks at an end.
    #[error("the name {name:?} cannot be used: {why}")]
    Form {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Name {
    /// Checks `text` as the name of something to be created.
    ///
    /// # Errors
    /// Says what is wrong; see [`InvalidName`].
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        let form = |why| InvalidName::Form {
            name: text.to_owned(),
            why,
        };
        if text.trim().is_empty() {
            return Err(InvalidName::Empty);
        }
        if text.len() > MAX_NAME_BYTES {
            return Err(InvalidName::TooLong { length: text.len() });
        }
        if let Some(found) = text
            .chars()
            .find(|c| c.is_control() || matches!(c, '/' | '\\' | '<' | '>' | '"' | '\'' | '&'))
        {
            return Err(InvalidName::Character {
                name: text.to_owned(),
                found,
            });
        }
        if text.trim() != text {
            return Err(form("it begins or ends with a blank"));
        }
        if text == "." || text == ".." || text.starts_with('-') {
            return Err(form("it would be read as a folder or an option"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_pass() {
        for name in [
            "srv01",
            "web server 1",
            "min-kvm.tf.local",
            "Ünïcode",
            "a_b:c",
        ] {
            assert_eq!(Name::new(name).map(|n| n.to_string()), Ok(name.to_owned()));
        }
    }

    #[test]
    fn hostile_names_are_refused_with_the_reason() {
        assert_eq!(Name::new("  "), Err(InvalidName::Empty));
        assert_eq!(
            Name::new(&"x".repeat(300)),
            Err(InvalidName::TooLong { length: 300 })
        );
        assert!(matches!(
            Name::new("../etc"),
            Err(InvalidName::Character { found: '/', .. })
        ));
        assert!(matches!(
            Name::new("<script>"),
            Err(InvalidName::Character { found: '<', .. })
        ));
        assert!(matches!(
            Name::new("a\"b"),
            Err(InvalidName::Character { found: '"', .. })
        ));
        assert!(matches!(
            Name::new("a\nb"),
            Err(InvalidName::Character { found: '\n', .. })
        ));
        assert!(matches!(Name::new(".."), Err(InvalidName::Form { .. })));
        assert!(matches!(Name::new(" a"), Err(InvalidName::Form { .. })));
    }
}
