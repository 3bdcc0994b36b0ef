//! `interfaces`: one declared network interface.

use crate::StateError;
use crate::args::Field;

/// An interface as it was declared; what is missing comes from the profile or the hypervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NicWant {
    /// Key for profiles; not in the definition.
    pub(crate) name: String,
    /// `bridge` or `network`.
    pub(crate) kind: Option<String>,
    /// Name of the bridge or the network.
    pub(crate) source: Option<String>,
    /// Lower case.
    pub(crate) mac: Option<String>,
    pub(crate) model: Option<String>,
}

pub(crate) const KEYS: &[&str] = &[
    "name", "type", "source", "mac", "model", "bridge", "network",
];

pub(crate) fn parse(item: &Field) -> Result<NicWant, StateError> {
    let name = item.dict(KEYS)?.need("name")?.word()?;
    let item = Field {
        path: format!("interfaces: {name}"),
        value: item.value,
    };
    let dict = item.dict(KEYS)?;
    let text = |key| dict.get(key).map(|f| f.word()).transpose();
    let kind = match dict.get("type") {
        Some(field) => Some(kind(&field)?),
        None => None,
    };
    let (kind, source) = match (text("bridge")?, text("network")?) {
        (Some(bridge), _) => (Some("bridge".to_owned()), Some(bridge)),
        (None, Some(network)) => (Some("network".to_owned()), Some(network)),
        (None, None) => (kind, text("source")?),
    };
    Ok(NicWant {
        kind,
        source,
        mac: dict.get("mac").map(|f| mac(&f)).transpose()?,
        model: text("model")?,
        name,
    })
}

fn kind(field: &Field) -> Result<String, StateError> {
    match field.word()?.as_str() {
        kind @ ("bridge" | "network") => Ok(kind.to_owned()),
        "direct" | "hostdev" => Err(field.refuse(
            "bridge or network",
            Some(
                "Define a network with forward: bridge, vepa or hostdev, and write network: NAME"
                    .to_owned(),
            ),
        )),
        _ => Err(field.refuse("bridge or network", None)),
    }
}

/// Six pairs of hexadecimal digits; the address of one machine, not of many.
fn mac(field: &Field) -> Result<String, StateError> {
    let text = field.word()?.to_ascii_lowercase().replace('-', ":");
    let octets: Vec<Option<u8>> = text
        .split(':')
        .map(|part| (part.len() == 2).then(|| u8::from_str_radix(part, 16).ok())?)
        .collect();
    match octets.as_slice() {
        [Some(first), _, _, _, _, _] if octets.iter().all(Option::is_some) => {
            if first & 1 == 1 {
                let remedy =
                    "It is a multicast address. Make the first pair even, as in 52:54:00:12:34:56";
                return Err(field.refuse("the address of an interface", Some(remedy.to_owned())));
            }
            Ok(text)
        }
        _ => Err(field.refuse("a MAC address such as 52:54:00:12:34:56", None)),
    }
}
