//! `cloud_init`: what the guest becomes at its first boot.

use crate::args::{Dict, Field};
use crate::cloud_init::CloudInit;
use crate::{Map, StateError, Value};

/// The data, and where its disk is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CloudInitWant {
    pub(crate) data: CloudInit,
    /// The pool of the first disk that has one, unless declared.
    pub(crate) pool: Option<String>,
}

/// How user data begins. Source: cloud-init, "User-data formats".
const BEGINNINGS: &[&str] = &[
    "#cloud-config",
    "#cloud-boothook",
    "#include",
    "#part-handler",
    "#!",
    "## template:",
    "Content-Type:",
    "MIME-Version:",
    "From ",
];

pub(super) fn read(field: &Field, vm: &str) -> Result<CloudInitWant, StateError> {
    let dict = field.dict(&["user_data", "meta_data", "network_data", "pool"])?;
    Ok(CloudInitWant {
        data: CloudInit {
            user_data: user_data(&dict)?,
            meta_data: meta_data(&dict, vm)?,
            network_data: dict.get("network_data").map(|f| text(&f)).transpose()?,
        },
        pool: dict.get("pool").map(|f| f.name()).transpose()?,
    })
}

/// A dictionary is cloud-config.
fn user_data(dict: &Dict) -> Result<String, StateError> {
    let Some(field) = dict.get("user_data") else {
        return Ok("#cloud-config\n{}\n".to_owned());
    };
    if field.value.is_object() {
        return Ok(format!("#cloud-config\n{}", text(&field)?));
    }
    let text = text(&field)?;
    if BEGINNINGS.iter().any(|start| text.starts_with(start)) {
        return Ok(text);
    }
    Err(secret(
        &field,
        "user data that cloud-init understands",
        "Begin it with a line #cloud-config, or with #! for a script, or write a dictionary",
    ))
}

/// The guest is known by the VM's name, unless declared otherwise.
fn meta_data(dict: &Dict, vm: &str) -> Result<String, StateError> {
    let mut defaults = Map::new();
    for key in ["instance-id", "local-hostname"] {
        defaults.insert(key.to_owned(), Value::from(vm));
    }
    match dict.get("meta_data") {
        Some(field) if !field.value.is_object() => text(&field),
        declared => {
            let declared = declared.and_then(|field| field.value.as_object());
            defaults.extend(declared.cloned().unwrap_or_default());
            Ok(as_yaml(&Value::Object(defaults)))
        }
    }
}

fn text(field: &Field) -> Result<String, StateError> {
    match field.value {
        Value::String(text) => Ok(text.clone()),
        Value::Object(_) => Ok(as_yaml(field.value)),
        _ => Err(secret(
            field,
            "a text or a dictionary",
            "Write it as one of these",
        )),
    }
}

/// JSON is YAML.
fn as_yaml(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A refusal that does not repeat what may hold a password.
fn secret(field: &Field, expected: &str, remedy: &str) -> StateError {
    StateError::Argument {
        path: field.path.clone(),
        found: "what is given".to_owned(),
        expected: expected.to_owned(),
        remedy: Some(remedy.to_owned()),
    }
}
