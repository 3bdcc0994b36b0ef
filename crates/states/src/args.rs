//! Arguments of a state with their place, so that every error says where it is and what to write instead.

mod words;

use crate::{Call, Map, StateError, Value};
use model::{Bytes, Name};
use sls::closest;

/// Longest text: that of a path in Linux.
const MAX_TEXT: usize = 4095;

/// Most bytes that libvirt counts.
const MAX_SIZE: u64 = i64::MAX as u64;
const TOO_LARGE: &str = "a size below 8 EiB";

/// A value with the way to it: `disks: system: size`.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub(crate) path: String,
    pub(crate) value: &'a Value,
}

/// A dictionary with the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Dict<'a> {
    pub(crate) path: String,
    pub(crate) map: &'a Map,
}

impl<'a> Call<'a> {
    /// An argument; `None` when it is absent or null.
    pub(crate) fn get(&self, key: &str) -> Option<Field<'a>> {
        let value = self.args.get(key)?;
        (!value.is_null()).then(|| Field {
            path: key.to_owned(),
            value,
        })
    }

    /// A mandatory argument, which may be null.
    pub(crate) fn mandatory(&self, key: &'static str) -> Result<Field<'a>, StateError> {
        let value = self.args.get(key).ok_or_else(|| self.missing(key))?;
        Ok(Field {
            path: key.to_owned(),
            value,
        })
    }

    pub(crate) fn missing(&self, argument: &'static str) -> StateError {
        StateError::Missing {
            argument,
            state: self.state.to_owned(),
            fun: self.fun.to_owned(),
        }
    }

    /// The name, fit to be created.
    pub(crate) fn checked_name(&self) -> Result<String, StateError> {
        let field = Value::String(self.name.to_owned());
        let field = Field {
            path: "name".to_owned(),
            value: &field,
        };
        field.name()
    }

    /// A flag with a default.
    pub(crate) fn flag(&self, key: &str, default: bool) -> Result<bool, StateError> {
        self.get(key).map_or(Ok(default), |field| field.bool())
    }
}

impl<'a> Field<'a> {
    pub(crate) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// An error about this value: `{path}: {value} is not {expected}. {remedy}`.
    pub(crate) fn refuse(&self, expected: impl Into<String>, remedy: Option<String>) -> StateError {
        StateError::Argument {
            path: self.path.clone(),
            found: shown(self.value),
            expected: expected.into(),
            remedy,
        }
    }

    pub(crate) fn bool(&self) -> Result<bool, StateError> {
        self.value.as_bool().ok_or_else(|| {
            let remedy = match self.value.as_str().map(str::to_ascii_lowercase).as_deref() {
                Some("yes" | "on" | "true") => Some("Write True, without quotes".to_owned()),
                Some("no" | "off" | "false") => Some("Write False, without quotes".to_owned()),
                _ => None,
            };
            self.refuse("a boolean (True or False)", remedy)
        })
    }

    /// A text; numbers count as the text they were written as.
    pub(crate) fn text(&self) -> Result<String, StateError> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(_) => {
                let remedy = "YAML reads yes, no, on and off as booleans: put it in quotes";
                Err(self.refuse("a text", Some(remedy.to_owned())))
            }
            _ => Err(self.refuse("a text", None)),
        }
    }

    /// A text with something in it, not endless, without the blanks around it: XML would lose them.
    pub(crate) fn word(&self) -> Result<String, StateError> {
        let text = self.text()?;
        let word = text.trim();
        if word.is_empty() {
            return Err(self.refuse("a text with something in it", None));
        }
        if word.contains(|c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')) {
            return Err(self.refuse("a text on one line, without control characters", None));
        }
        if word.len() > MAX_TEXT {
            return Err(self.refuse(format!("a text of at most {MAX_TEXT} characters"), None));
        }
        Ok(word.to_owned())
    }

    /// One of a few words.
    pub(crate) fn one_of(&self, words: &[&str]) -> Result<String, StateError> {
        let text = self.text()?;
        if words.contains(&text.as_str()) {
            return Ok(text);
        }
        let remedy =
            closest(&text, words.iter().copied()).map(|close| format!("Did you mean {close}?"));
        Err(self.refuse(format!("one of {}", words.join(", ")), remedy))
    }

    /// A name fit to be given to something new.
    pub(crate) fn name(&self) -> Result<String, StateError> {
        let text = self.text()?;
        match Name::new(&text) {
            Ok(_) => Ok(text),
            Err(why) => Err(self.refuse("a usable name", Some(sentence(&why.to_string())))),
        }
    }

    /// A whole number that is not negative; texts of digits count.
    pub(crate) fn number(&self) -> Result<u64, StateError> {
        self.value
            .as_u64()
            .or_else(|| self.value.as_str()?.trim().parse().ok())
            .ok_or_else(|| self.refuse("a whole number", None))
    }

    /// A whole number of 1 and more.
    pub(crate) fn count(&self) -> Result<u32, StateError> {
        let number = self.number()?;
        match u32::try_from(number) {
            Ok(count) if count > 0 => Ok(count),
            _ => Err(self.refuse("a number from 1 to 4294967295", None)),
        }
    }

    /// A size of a disk: MiB, a whole number.
    ///
    /// Salt knows no units here, so a unit is refused together with what to write for it.
    pub(crate) fn disk_size(&self) -> Result<Bytes, StateError> {
        match self.number() {
            Ok(mib) if (1..=MAX_SIZE >> 20).contains(&mib) => return Ok(Bytes::from_mib(mib)),
            Ok(mib) if mib > 0 => return Err(self.refuse(TOO_LARGE, None)),
            _ => {}
        }
        let text = self.value.as_str().unwrap_or_default();
        let remedy = parse_size(text).map(|bytes| {
            let mib = bytes.0.div_ceil(1024 * 1024);
            format!("Write {mib}, which is {} in MiB", text.trim())
        });
        Err(self.refuse("a size in MiB (a whole number without unit)", remedy))
    }

    /// A size of memory: a number of MiB, or a number with a unit (`1.5g`, `512 MiB`).
    pub(crate) fn memory_size(&self) -> Result<Bytes, StateError> {
        let text = match self.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        match parse_size(&text) {
            Some(size) if size.0 <= MAX_SIZE => Ok(size),
            Some(_) => Err(self.refuse(TOO_LARGE, None)),
            None => {
                let remedy = "Write a number of MiB (1024) or a number with a unit (1g, 512MiB)";
                Err(self.refuse("a size: invalid number or unit", Some(remedy.to_owned())))
            }
        }
    }

    pub(crate) fn list(&self) -> Result<Vec<Field<'a>>, StateError> {
        let list = self
            .value
            .as_array()
            .ok_or_else(|| self.refuse("a list", None))?;
        Ok(list
            .iter()
            .enumerate()
            .map(|(index, value)| Field {
                path: format!("{}: item {}", self.path, index + 1),
                value,
            })
            .collect())
    }

    /// A dictionary whose keys are all among `known`.
    pub(crate) fn dict(&self, known: &[&str]) -> Result<Dict<'a>, StateError> {
        let dict = self.any_dict()?;
        let strange = dict.map.keys().find(|key| !known.contains(&key.as_str()));
        if let Some(key) = strange {
            return Err(StateError::UnknownKey {
                path: self.path.clone(),
                key: key.clone(),
                remedy: match closest(key, known.iter().copied()) {
                    Some(close) => format!("Did you mean {close}?"),
                    None => format!("The keys are {}", known.join(", ")),
                },
            });
        }
        Ok(dict)
    }

    /// A dictionary whose keys the author chooses.
    pub(crate) fn any_dict(&self) -> Result<Dict<'a>, StateError> {
        let map = self
            .value
            .as_object()
            .ok_or_else(|| self.refuse("a dictionary", None))?;
        Ok(Dict {
            path: self.path.clone(),
            map,
        })
    }

    /// Refuses a value that Salt understands and this version does not.
    pub(crate) fn not_in_this_version(&self, remedy: &str) -> StateError {
        self.refuse("possible in this version", Some(remedy.to_owned()))
    }
}

impl<'a> Dict<'a> {
    /// A value; `None` when it is absent or null.
    pub(crate) fn get(&self, key: &str) -> Option<Field<'a>> {
        self.given(key).filter(|field| !field.is_null())
    }

    /// A value, possibly null; `None` when it is absent.
    pub(crate) fn given(&self, key: &str) -> Option<Field<'a>> {
        self.map.get(key).map(|value| Field {
            path: format!("{}: {key}", self.path),
            value,
        })
    }

    /// A mandatory value.
    pub(crate) fn need(&self, key: &str) -> Result<Field<'a>, StateError> {
        self.get(key).ok_or_else(|| StateError::Argument {
            path: self.path.clone(),
            found: shown(&Value::Object(self.map.clone())),
            expected: format!("complete without {key}"),
            remedy: Some(format!("Add {key}")),
        })
    }

    pub(crate) fn entries(&self) -> Vec<(&'a str, Field<'a>)> {
        self.map
            .iter()
            .map(|(key, value)| {
                let path = format!("{}: {key}", self.path);
                (key.as_str(), Field { path, value })
            })
            .collect()
    }
}

/// A number with Salt's units. Source: Salt `virt`, `_handle_unit`: no unit is MiB, `kb` is 1000, `k` and `kib` 1024.
pub(crate) fn parse_size(text: &str) -> Option<Bytes> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if !number.starts_with(|c: char| c.is_ascii_digit()) || number.ends_with('.') {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    let factor = match unit.trim_start() {
        "" => 1024f64 * 1024.0,
        "b" => 1.0,
        unit => {
            let power = 1 + "kmgtpezy".find(unit.chars().next()?)?;
            match &unit[1..] {
                "" | "ib" => 1024f64.powi(i32::try_from(power).ok()?),
                "b" => 1000f64.powi(i32::try_from(power).ok()?),
                _ => return None,
            }
        }
    };
    // Truncated as Salt does; a float beyond the largest integer saturates.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates"
    )]
    let bytes = (number * factor) as u64;
    (bytes > 0).then_some(Bytes(bytes))
}

/// A value as the author may recognise it, on one line and not too long.
pub(crate) fn shown(value: &Value) -> String {
    const MOST: usize = 60;
    let text = match value {
        Value::String(text) => format!("{text:?}"),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() <= MOST {
        return text;
    }
    let start: String = text.chars().take(MOST - 1).collect();
    format!("{start}…")
}

/// With a capital first letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sizes_follow_salts_units() {
        let good = [
            ("1024", 1 << 30),
            ("1g", 1 << 30),
            ("1GB", 1_000_000_000),
            ("1.5g", 1_610_612_736),
            ("512 m", 536_870_912),
            ("1b", 1),
            ("0.5", 524_288),
        ];
        for (text, bytes) in good {
            assert_eq!(parse_size(text), Some(Bytes(bytes)), "{text}");
        }
        for text in ["x", "1q", "-1", "0", "2HB", "3.4.MB", "", "1é", "1gib5"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn a_disk_size_with_a_unit_is_refused_with_the_rewrite() {
        let value = json!("20G");
        let field = Field {
            path: "disks: system: size".to_owned(),
            value: &value,
        };
        expect_test::expect![[r#"disks: system: size: "20G" is not a size in MiB (a whole number without unit). Write 20480, which is 20G in MiB"#]]
            .assert_eq(&field.disk_size().expect_err("a unit").to_string());
    }

    #[test]
    fn an_unknown_key_is_named_with_the_closest() {
        let value = json!({"modell": "virtio"});
        let field = Field {
            path: "disks: item 1".to_owned(),
            value: &value,
        };
        expect_test::expect!["disks: item 1: there is no key modell here. Did you mean model?"]
            .assert_eq(
                &field
                    .dict(&["name", "model"])
                    .expect_err("a slip")
                    .to_string(),
            );
    }
}
