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
    let bridge = |key| dict.get(key).map(|f| f.device_name()).transpose();
    let network = |key| dict.get(key).map(|f| f.name()).transpose();
    let kind = match dict.get("type") {
        Some(field) => Some(kind(&field)?),
        None => None,
    };
    let ways: Vec<&str> = ["bridge", "network", "source"]
        .into_iter()
        .filter(|key| dict.get(key).is_some())
        .collect();
    if let [one, other, ..] = ways.as_slice() {
        let remedy = format!("Write one of them; {one} alone says it all");
        let field = dict.need(other)?;
        return Err(field.refuse(format!("possible together with {one}"), Some(remedy)));
    }
    let (kind, source) = match (bridge("bridge")?, network("network")?) {
        (Some(bridge), _) => (Some("bridge".to_owned()), Some(bridge)),
        (None, Some(network)) => (Some("network".to_owned()), Some(network)),
        (None, None) if kind.as_deref() == Some("network") => (kind, network("source")?),
        (None, None) => (kind, bridge("source")?),
    };
    Ok(NicWant {
        kind,
        source,
        mac: dict.get("mac").map(|f| f.mac()).transpose()?,
        model: dict.get("model").map(|f| model(&f)).transpose()?,
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

/// A word that QEMU and Xen know: `virtio`, `e1000`.
fn model(field: &Field) -> Result<String, StateError> {
    let text = field.word()?;
    match text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    {
        true => Ok(text),
        false => Err(field.refuse("the model of a network card such as virtio or e1000", None)),
    }
}
