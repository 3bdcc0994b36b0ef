//! Texts and numbers of a certain kind: paths, names of machines, addresses. What libvirt's schemas allow, and no more.

use super::{Dict, Field};
use crate::StateError;
use std::net::IpAddr;
use uuid::Uuid;

/// Longest name of a network device in Linux.
const MAX_DEVICE_NAME: usize = 15;

/// Longest name in the DNS.
const MAX_HOST_NAME: usize = 253;

impl<'a> Field<'a> {
    /// A whole number of a range.
    pub(crate) fn number_in(&self, from: u64, to: u64) -> Result<u64, StateError> {
        match self.number() {
            Ok(number) if (from..=to).contains(&number) => Ok(number),
            _ => Err(self.refuse(format!("a whole number from {from} to {to}"), None)),
        }
    }

    /// A whole number that libvirt counts in 32 bits.
    pub(crate) fn small_number(&self) -> Result<u32, StateError> {
        let number = self.number_in(0, u64::from(u32::MAX))?;
        Ok(u32::try_from(number).expect("checked"))
    }

    /// An absolute path on the host.
    pub(crate) fn path(&self) -> Result<String, StateError> {
        let text = self.word()?;
        if text.starts_with('/') {
            return Ok(text);
        }
        let remedy = "Begin it with a slash";
        Err(self.refuse("an absolute path on the host", Some(remedy.to_owned())))
    }

    /// The name of a network device of the host.
    pub(crate) fn device_name(&self) -> Result<String, StateError> {
        let text = self.word()?;
        let usable = |c: char| c.is_ascii_alphanumeric() || "_.-:".contains(c);
        if text.len() <= MAX_DEVICE_NAME && text.chars().all(usable) {
            return Ok(text);
        }
        let expected = format!(
            "the name of a network device (at most {MAX_DEVICE_NAME} letters, digits, dots, dashes, underscores)"
        );
        Err(self.refuse(expected, None))
    }

    /// The name of a machine or a domain in the DNS.
    pub(crate) fn dns_name(&self) -> Result<String, StateError> {
        let text = self.word()?;
        let usable = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && text.len() <= MAX_HOST_NAME && text.chars().all(usable) {
            return Ok(text);
        }
        Err(self.refuse("a name of the DNS (letters, digits, dots, dashes)", None))
    }

    /// The name or the address of a machine.
    pub(crate) fn machine(&self) -> Result<String, StateError> {
        let text = self.word()?;
        match text.parse::<IpAddr>() {
            Ok(address) => Ok(address.to_string()),
            Err(_) => self
                .dns_name()
                .map_err(|_| self.refuse("the name or the address of a machine", None)),
        }
    }

    /// An IPv4 or IPv6 address.
    pub(crate) fn address(&self) -> Result<IpAddr, StateError> {
        self.word()?
            .parse()
            .map_err(|_| self.refuse("an IP address such as 192.168.44.1 or fd00::1", None))
    }

    /// Six pairs of hexadecimal digits, in lower case; the address of one machine, not of many.
    pub(crate) fn mac(&self) -> Result<String, StateError> {
        let text = self.word()?.to_ascii_lowercase().replace('-', ":");
        let octets: Vec<Option<u8>> = text
            .split(':')
            .map(|part| (part.len() == 2).then(|| u8::from_str_radix(part, 16).ok())?)
            .collect();
        match octets.as_slice() {
            [Some(first), _, _, _, _, _] if octets.iter().all(Option::is_some) => {
                if first & 1 == 1 {
                    let remedy = "It is a multicast address. Make the first pair even, as in 52:54:00:12:34:56";
                    return Err(self.refuse("the address of an interface", Some(remedy.to_owned())));
                }
                Ok(text)
            }
            _ => Err(self.refuse("a MAC address such as 52:54:00:12:34:56", None)),
        }
    }

    /// A UUID.
    pub(crate) fn uuid(&self) -> Result<String, StateError> {
        let parsed = Uuid::parse_str(&self.word()?);
        let uuid = parsed.map_err(|_| {
            self.refuse("a UUID such as 2ec115d7-3a88-3ceb-bc12-0ac909a6fd87", None)
        })?;
        Ok(uuid.to_string())
    }
}

impl<'a> Dict<'a> {
    /// The entries of a dictionary whose keys are numbers: `{0: …, 1: …}`.
    pub(crate) fn numbered(&self, what: &str) -> Result<Vec<(&'a str, Field<'a>)>, StateError> {
        let entries = self.entries();
        match entries.iter().find(|(key, _)| key.parse::<u32>().is_err()) {
            None => Ok(entries),
            Some((key, _)) => Err(StateError::Argument {
                path: self.path.clone(),
                found: format!("{key:?}"),
                expected: format!("the number of {what}"),
                remedy: Some("Write numbers as keys: {0: …, 1: …}".to_owned()),
            }),
        }
    }
}
