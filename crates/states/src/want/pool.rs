//! `virt.pool_defined` and `virt.pool_running`: the declared pool.
//! Source: Salt `virt.pool_running`; libvirt formatstorage.

use crate::args::{Dict, Field};
use crate::facts::{Compare, Fact, clean_path, says};
use crate::{Call, StateError};
use domxml::read::NodeExt;
use domxml::{Element, Place};
use model::plan::{Content, SecretName, SecretUsage};
use roxmltree::Node;

/// The arguments of both functions, beside those that every virt state takes.
pub(crate) const ARGUMENTS: &[&str] = &[
    "ptype",
    "target",
    "permissions",
    "source",
    "transient",
    "autostart",
];

/// A declared pool.
#[derive(Debug)]
pub(crate) struct PoolWant {
    pub(crate) name: String,
    /// `dir`, `netfs`…; mandatory only for a new pool.
    pub(crate) kind: Option<String>,
    pub(crate) autostart: bool,
    /// A new pool is one that nothing defines.
    pub(crate) transient: bool,
    /// For the secret that the pool signs in with.
    pub(crate) password: Option<Password>,
    pub(crate) target: Option<String>,
    /// What the definition says.
    pub(crate) facts: Vec<Fact>,
    /// What only a new definition says.
    pub(crate) facts_if_new: Vec<Fact>,
    /// What was given and means nothing for this kind.
    pub(crate) notes: Vec<String>,
}

/// Kinds with the keys of `source` that mean something for them.
const KINDS: &[(&str, &[&str])] = &[
    ("dir", &["dir"]),
    ("fs", &["devices", "format"]),
    ("netfs", &["dir", "hosts", "format"]),
    ("logical", &["devices", "format", "name"]),
    ("disk", &["devices", "format"]),
    ("iscsi", &["hosts", "devices", "auth"]),
    ("iscsi-direct", &["hosts", "devices", "auth", "initiator"]),
    ("scsi", &["adapter"]),
    ("mpath", &[]),
    ("rbd", &["hosts", "name", "auth"]),
    ("sheepdog", &["hosts", "name"]),
    ("gluster", &["dir", "hosts", "name"]),
    ("zfs", &["name", "devices"]),
    ("vstorage", &["name", "devices"]),
];

/// Kinds that are nowhere in the host's folders.
const WITHOUT_TARGET: &[&str] = &["iscsi-direct", "rbd", "sheepdog", "gluster"];

/// Source: libvirt's schemas, `sourcefmtfs`, `sourcefmtdisk`.
const FS_FORMATS: &[&str] = &[
    "auto", "ext2", "ext3", "ext4", "ufs", "iso9660", "udf", "gfs", "gfs2", "vfat", "hfs+", "xfs",
    "ocfs2", "vmfs",
];
const DISK_FORMATS: &[&str] = &[
    "unknown", "dos", "dvh", "gpt", "mac", "bsd", "pc98", "sun", "lvm2",
];

const SOURCE_KEYS: &[&str] = &[
    "dir",
    "hosts",
    "devices",
    "format",
    "name",
    "initiator",
    "adapter",
    "auth",
];

impl PoolWant {
    /// Reads the arguments.
    pub(crate) fn parse(call: &Call) -> Result<Self, StateError> {
        let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        let kind = match call.get("ptype") {
            Some(field) => Some(field.one_of(&kinds)?),
            None => None,
        };
        let mut want = Self {
            name: call.checked_name()?,
            kind,
            autostart: call.flag("autostart", true)?,
            transient: call.flag("transient", false)?,
            password: None,
            target: None,
            facts: Vec::new(),
            facts_if_new: Vec::new(),
            notes: Vec::new(),
        };
        want.read_target(call)?;
        if let Some(source) = call.get("source") {
            want.read_source(&source)?;
        }
        Ok(want)
    }

    /// The definition of a pool that does not exist yet, without its facts.
    pub(crate) fn skeleton(&self, kind: &str) -> String {
        Element::new("pool")
            .attr("type", kind)
            .child(Element::text("name", &self.name))
            .to_string()
    }

    fn read_target(&mut self, call: &Call) -> Result<(), StateError> {
        let without = self
            .kind
            .as_deref()
            .filter(|kind| WITHOUT_TARGET.contains(kind));
        if let Some(kind) = without
            && call.get("target").or(call.get("permissions")).is_some()
        {
            self.notes.push(format!(
                "target, permissions: a pool of type {kind} is no folder of the host, so they are not used"
            ));
            return Ok(());
        }
        if let Some(target) = call.get("target") {
            let place = Place::at("target/path");
            let path = target.path()?;
            self.target = Some(path.clone());
            let path = match self.kind.as_deref() {
                Some("logical") => self.volume_group(call, &path)?,
                _ => Some(path),
            };
            let fact = |path| Fact::comparing(place, path, Compare::Path);
            self.facts.extend(path.map(fact));
        }
        let Some(permissions) = call.get("permissions") else {
            return Ok(());
        };
        if permissions.value.is_array() {
            self.notes.push(
                "permissions is a list, which Salt ignores: write it as a dictionary (mode: '0770')"
                    .to_owned(),
            );
            return Ok(());
        }
        let dict = permissions.dict(&["mode", "owner", "group", "label"])?;
        for (key, compare) in [
            ("mode", Compare::Octal),
            ("owner", Compare::Text),
            ("group", Compare::Text),
            // Without SELinux libvirt shows none of a pool that runs.
            ("label", Compare::Shown),
        ] {
            if let Some(field) = dict.get(key) {
                let place = Place::at("target/permissions").child(key);
                let Some(value) = permission(key, &field)? else {
                    continue;
                };
                if compare == Compare::Shown {
                    self.facts_if_new.push(Fact::text(place.clone(), &value));
                }
                self.facts.push(Fact::comparing(place, value, compare));
            }
        }
        Ok(())
    }

    /// libvirt has a volume group in `/dev` under its name, whatever is declared.
    fn volume_group(&mut self, call: &Call, declared: &str) -> Result<Option<String>, StateError> {
        let source = call.get("source").map(|source| source.dict(SOURCE_KEYS));
        let name = source.transpose()?.and_then(|source| source.get("name"));
        let Some(name) = name.map(|name| name.word()).transpose()? else {
            return Ok(None);
        };
        let path = format!("/dev/{name}");
        if clean_path(declared) != path {
            self.notes.push(format!(
                "target: libvirt has volume group {name} in {path}, not in {declared}"
            ));
        }
        Ok(Some(path))
    }

    fn read_source(&mut self, source: &Field) -> Result<(), StateError> {
        let mut dict = source.dict(SOURCE_KEYS)?;
        let without_unused = match KINDS.iter().find(|(k, _)| Some(*k) == self.kind.as_deref()) {
            Some((kind, used)) => self.note_unused(kind, used, &dict),
            None => dict.map.clone(),
        };
        dict.map = &without_unused;
        self.read_names(&dict)?;
        if let Some(hosts) = dict.get("hosts") {
            let entries = hosts.list()?.iter().map(host).collect::<Result<_, _>>()?;
            self.push_set("host", entries, |n| {
                format!("{}:{}", n.attr("name"), n.attr("port"))
            });
        }
        if let Some(devices) = dict.get("devices") {
            let entries = devices
                .list()?
                .iter()
                .map(device)
                .collect::<Result<_, _>>()?;
            self.facts.push(Fact::Like {
                parent: Place::at("source"),
                name: "device",
                entries,
                alike: |want, have| says(have, want),
                foreign: |_| false,
            });
        }
        if let Some(adapter) = dict.get("adapter") {
            self.read_adapter(&adapter)?;
        }
        if let Some(auth) = dict.get("auth") {
            self.read_auth(&auth)?;
        }
        Ok(())
    }

    /// Takes out what means nothing for this kind of pool, and says so.
    fn note_unused(&mut self, kind: &str, used: &[&str], dict: &Dict) -> crate::Map {
        let mut map = crate::Map::new();
        for (key, field) in dict.entries() {
            if used.contains(&key) || field.is_null() {
                map.insert(key.to_owned(), field.value.clone());
            } else {
                self.notes.push(format!(
                    "source: {key} means nothing for a pool of type {kind} and is not used"
                ));
            }
        }
        map
    }

    fn read_names(&mut self, dict: &Dict) -> Result<(), StateError> {
        if let Some(dir) = dict.get("dir") {
            let cifs = dict.get("format").is_some_and(|f| f.value == "cifs");
            let path = if cifs { dir.word()? } else { dir.path()? };
            let path = if cifs {
                path.trim_start_matches('/')
            } else {
                &path
            };
            let place = Place::at("source/dir").attr("path");
            self.facts.push(Fact::comparing(place, path, Compare::Path));
        }
        if let Some(format) = dict.get("format") {
            // What libvirt assumes, and does not always write.
            let default = match self.kind.as_deref() {
                Some("fs" | "netfs") => Compare::Default("auto"),
                Some("logical") => Compare::Default("lvm2"),
                Some("disk") => Compare::Default("unknown"),
                _ => Compare::Text,
            };
            let place = Place::at("source/format").attr("type");
            let known = match self.kind.as_deref() {
                Some("fs") => FS_FORMATS,
                Some("netfs") => &["auto", "nfs", "glusterfs", "cifs"],
                Some("logical") => &["unknown", "lvm2"],
                Some("disk") => DISK_FORMATS,
                _ => &[],
            };
            let value = match known {
                [] => format.word()?,
                known => format.one_of(known)?,
            };
            self.facts.push(Fact::comparing(place, value, default));
        }
        if let Some(name) = dict.get("name") {
            self.facts
                .push(Fact::text(Place::at("source/name"), name.word()?));
        }
        if let Some(initiator) = dict.get("initiator") {
            let place = Place::at("source/initiator/iqn").attr("name");
            let name = initiator.word()?;
            if !iqn(&name) {
                let expected = "an iSCSI name such as iqn.2013-06.com.example:host";
                return Err(initiator.refuse(expected, None));
            }
            self.facts.push(Fact::text(place, name));
        }
        Ok(())
    }

    fn read_adapter(&mut self, adapter: &Field) -> Result<(), StateError> {
        const ATTRIBUTES: &[&str] = &[
            "type",
            "name",
            "parent",
            "managed",
            "parent_wwnn",
            "parent_wwpn",
            "parent_fabric_wwn",
            "wwnn",
            "wwpn",
        ];
        let known: Vec<&str> = ATTRIBUTES
            .iter()
            .copied()
            .chain(["parent_address"])
            .collect();
        let dict = adapter.dict(&known)?;
        // libvirt takes a name alone for one of the host's adapters.
        let by_name = Compare::Default("scsi_host");
        let given = |key| dict.get(key);
        let kind = match (given("type"), given("parent_address"), given("name")) {
            (Some(kind), ..) => Some((kind.one_of(&["scsi_host", "fc_host"])?, Compare::Text)),
            (None, Some(_), _) => Some(("scsi_host".to_owned(), Compare::Text)),
            (None, None, Some(_)) => Some(("scsi_host".to_owned(), by_name)),
            (None, None, None) => None,
        };
        if let Some((kind, compare)) = kind {
            self.read_adapter_type(&kind, compare);
        }
        for (one, other) in [
            ("parent_wwnn", "parent_wwpn"),
            ("parent_wwpn", "parent_wwnn"),
        ] {
            if dict.get(one).is_some() {
                dict.need(other)?;
            }
        }
        for key in ATTRIBUTES {
            if let Some(field) = dict.get(key) {
                let value = match *key {
                    "type" => continue,
                    "managed" => yes_no(field.bool()?).to_owned(),
                    "name" | "parent" => field.word()?,
                    _ => wwn(&field)?,
                };
                self.facts
                    .push(Fact::text(Place::at("source/adapter").attr(key), value));
            }
        }
        let Some(parent) = dict.get("parent_address") else {
            return Ok(());
        };
        let parent = parent.dict(&["unique_id", "address"])?;
        let place = Place::at("source/adapter/parentaddr");
        if let Some(id) = parent.get("unique_id") {
            self.facts
                .push(Fact::text(place.clone().attr("unique_id"), id.count()?));
        }
        if let Some(address) = parent.get("address") {
            const PARTS: [(&str, u32, usize); 4] = [
                ("domain", 0xffff, 4),
                ("bus", 0xff, 2),
                ("slot", 0x1f, 2),
                ("function", 7, 1),
            ];
            let address = address.dict(&PARTS.map(|(key, ..)| key))?;
            for (key, most, digits) in PARTS {
                if let Some(field) = address.get(key) {
                    let place = place.clone().child("address").attr(key);
                    let number = pci_part(&field, most)?;
                    self.facts
                        .push(Fact::text(place, format!("0x{number:0digits$x}")));
                }
            }
        }
        Ok(())
    }

    /// What belongs to the other type has to go.
    fn read_adapter_type(&mut self, kind: &str, compare: Compare) {
        let place = || Place::at("source/adapter");
        let others = match kind {
            "fc_host" => vec![place().attr("name"), place().child("parentaddr")],
            _ => [
                "parent",
                "managed",
                "parent_wwnn",
                "parent_wwpn",
                "parent_fabric_wwn",
                "wwnn",
                "wwpn",
            ]
            .map(|key| place().attr(key))
            .to_vec(),
        };
        self.facts.extend(others.into_iter().map(Fact::Absent));
        self.facts
            .push(Fact::comparing(place().attr("type"), kind, compare));
    }

    fn read_auth(&mut self, auth: &Field) -> Result<(), StateError> {
        let dict = auth.dict(&["type", "username", "secret", "password"])?;
        let place = || Place::at("source/auth");
        let password = dict.get("password");
        let kind = match (&password, dict.get("type")) {
            (None, _) => dict.need("type")?.one_of(&["ceph", "chap"])?,
            (Some(_), Some(kind)) => kind.one_of(&["ceph", "chap"])?,
            (Some(_), None) => match self.kind.as_deref() {
                Some("rbd") => "ceph".to_owned(),
                Some(_) => "chap".to_owned(),
                None => {
                    let expected = "enough to know who asks for the password";
                    return Err(hidden(auth, expected, "Add ptype, or type: ceph or chap"));
                }
            },
        };
        let usage = match kind.as_str() {
            "ceph" => SecretUsage::Ceph,
            _ => SecretUsage::Iscsi,
        };
        self.facts.push(Fact::text(place().attr("type"), kind));
        let username = match (dict.get("username"), &password) {
            (None, Some(_)) => {
                return Err(hidden(auth, "complete without username", "Add username"));
            }
            (None, None) => dict.need("username")?,
            (Some(username), _) => username,
        };
        let username = username.word()?;
        self.facts
            .push(Fact::text(place().attr("username"), username));
        if let Some(password) = password {
            if let Some(secret) = dict.get("secret") {
                let expected = "possible beside a password, which makes a secret of its own";
                let remedy = Some("Write one of the two".to_owned());
                return Err(secret.refuse(expected, remedy));
            }
            let secret = || place().child("secret");
            let id = secret_id(&self.name);
            self.facts.push(Fact::Absent(secret().attr("uuid")));
            self.facts.push(Fact::text(secret().attr("usage"), &id));
            self.password = Some(Password {
                secret: SecretName { usage, id },
                value: Content(password_bytes(&password, usage)?),
            });
            return Ok(());
        }
        let secret = dict.need("secret")?.dict(&["type", "value"])?;
        let (key, other) = match secret.need("type")?.one_of(&["uuid", "usage"])?.as_str() {
            "uuid" => ("uuid", "usage"),
            _ => ("usage", "uuid"),
        };
        let value = secret.need("value")?;
        let value = match key {
            "uuid" => value.uuid()?,
            _ => value.word()?,
        };
        // The secret is named in one way.
        self.facts
            .push(Fact::Absent(place().child("secret").attr(other)));
        self.facts
            .push(Fact::text(place().child("secret").attr(key), value));
        Ok(())
    }

    fn push_set(&mut self, name: &'static str, entries: Vec<Element>, key: fn(Node) -> String) {
        self.facts.push(Fact::Set {
            parent: Place::at("source"),
            name,
            entries,
            key,
        });
    }
}

/// A password that a pool signs in with.
#[derive(Debug)]
pub(crate) struct Password {
    /// Where libvirt keeps it.
    pub(crate) secret: SecretName,
    pub(crate) value: Content,
}

/// What the secret of a pool with a password is called. Source: Salt `virt._pool_set_secret`.
pub(crate) fn secret_id(pool: &str) -> String {
    format!("pool_{pool}")
}

/// What is wrong with a value that must not be shown.
fn hidden(field: &Field, expected: &str, remedy: &str) -> StateError {
    StateError::Argument {
        path: field.path.clone(),
        found: "what is given".to_owned(),
        expected: expected.to_owned(),
        remedy: (!remedy.is_empty()).then(|| remedy.to_owned()),
    }
}

/// The bytes of a password. Those of Ceph are keys, written in base64.
fn password_bytes(field: &Field, usage: SecretUsage) -> Result<Vec<u8>, StateError> {
    let refuse = |expected: &str| hidden(field, expected, "");
    let text = match field.value {
        crate::Value::String(text) if !text.is_empty() => text.clone(),
        crate::Value::Number(number) => number.to_string(),
        _ => return Err(refuse("a password")),
    };
    match usage {
        SecretUsage::Iscsi => Ok(text.into_bytes()),
        SecretUsage::Ceph => from_base64(&text)
            .ok_or_else(|| refuse("a key of Ceph in base64, as ceph auth get-key prints it")),
    }
}

/// Strict: with padding, and nothing but the alphabet.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in digits.bytes() {
        let value = ALPHABET.iter().position(|known| *known == digit)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// Modes are octal, with quotes or without, and owners numeric: libvirt takes no names. `None` for an owner of -1, which
/// leaves it to libvirt.
pub(crate) fn permission(key: &str, field: &Field) -> Result<Option<String>, StateError> {
    let text = field.word()?;
    match key {
        "mode" if u32::from_str_radix(&text, 8).is_ok_and(|mode| mode <= 0o7777) => Ok(Some(text)),
        "mode" => Err(field.refuse("an octal mode such as '0770'", None)),
        "owner" | "group" if text == "-1" => Ok(None),
        "owner" | "group" if text.parse::<u32>().is_err() => {
            let remedy = Some(format!("Write the number of the {key} (id {text})"));
            Err(field.refuse("a numeric id", remedy))
        }
        _ => Ok(Some(text)),
    }
}

/// A part of a PCI address, written as libvirt writes it: hexadecimal after `0x`.
fn pci_part(field: &Field, most: u32) -> Result<u32, StateError> {
    let text = field.word()?;
    let number = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    number
        .filter(|number| *number <= most)
        .ok_or_else(|| field.refuse(format!("a number from 0x0 to {most:#x}"), None))
}

/// The name of a port of Fibre Channel.
fn wwn(field: &Field) -> Result<String, StateError> {
    let text = field.word()?;
    let digits = text.strip_prefix("0x").unwrap_or(&text);
    match digits.len() == 16 && digits.chars().all(|c| c.is_ascii_hexdigit()) {
        true => Ok(digits.to_owned()),
        false => {
            let remedy = "Put it in quotes if it has digits only".to_owned();
            Err(field.refuse("16 hexadecimal digits", Some(remedy)))
        }
    }
}

/// `host`, `host:port` or `[::1]:port`.
fn host(field: &Field) -> Result<Element, StateError> {
    let text = field.word()?;
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if name.starts_with('[') || !name.contains(':') => (name, Some(port)),
        _ => (text.as_str(), None),
    };
    if let Some(port) = port
        && port.parse::<u16>().is_err()
    {
        return Err(field.refuse("a host, or host:port", None));
    }
    let name = crate::Value::from(name.trim_start_matches('[').trim_end_matches(']'));
    let name = Field {
        path: field.path.clone(),
        value: &name,
    };
    Ok(Element::new("host")
        .attr("name", name.machine()?)
        .attr_opt("port", port))
}

fn device(field: &Field) -> Result<Element, StateError> {
    let dict = field.dict(&["path", "part_separator"])?;
    let separator = match dict.get("part_separator") {
        Some(field) => Some(yes_no(field.bool()?)),
        None => None,
    };
    Ok(Element::new("device")
        .attr("path", device_path(&dict.need("path")?)?)
        .attr_opt("part_separator", separator))
}

/// A path of the host, an iSCSI target (`iqn.…`), or a plain name as of a ZFS device.
fn device_path(field: &Field) -> Result<String, StateError> {
    let text = field.word()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+-".contains(c);
    match text.starts_with('/') || iqn(&text) || text.chars().all(plain) {
        true => Ok(text),
        false => Err(field.refuse(
            "an absolute path on the host, or an iSCSI name such as iqn.2013-06.com.example:1",
            None,
        )),
    }
}

/// Source: libvirt's schemas, `IscsiQualifiedName`.
fn iqn(text: &str) -> bool {
    let usable = |c: char| c.is_ascii_alphanumeric() || "-:./_".contains(c);
    text.strip_prefix("iqn.").is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(usable)
    })
}

/// libvirt's booleans.
pub(crate) const fn yes_no(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::from_base64;

    #[test]
    fn keys_are_read_and_slips_are_not() {
        assert_eq!(from_base64("QUJD").as_deref(), Some(&b"ABC"[..]));
        assert_eq!(from_base64("QUI=").as_deref(), Some(&b"AB"[..]));
        assert_eq!(from_base64("QQ==").as_deref(), Some(&b"A"[..]));
        for text in ["QUJ", "QU*D", "Q===", "=QUJ", "secret!"] {
            assert_eq!(from_base64(text), None, "{text}");
        }
    }
}
