//! From the files to the host they describe.

use crate::host::DescribedHost;
use crate::layout::{
    CAPABILITIES, CONFIG, DEVICES, FORMAT, GRAINS, HOST, LIVE, NETWORKS, PILLAR, POOLS, VMS,
    VOLUMES, XML, file_name,
};
use domxml::XmlError;
use hypervisor::Versions;
use model::{Network, Pool, Vm, VmStatus, Volume};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use thiserror::Error;
use uuid::Uuid;

/// Largest file that is read: capabilities of large hosts have some hundred kilobytes.
const LARGEST: u64 = 16 << 20;

/// A described host.
#[derive(Debug)]
pub struct Described {
    /// Its hypervisor.
    pub host: DescribedHost,
    /// What else is known of it.
    pub known: Known,
}

/// What a description says of a host beside its hypervisor.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Name of the host.
    pub name: String,
    /// URI of its hypervisor.
    pub uri: String,
    /// Its grains.
    pub grains: Value,
    /// What it is configured with that its states depend on.
    pub config: Map<String, Value>,
    /// Its pillar; `None` when the folder has none.
    pub pillar: Option<Value>,
    /// Paths on the host that are known to be there: `file`, `folder` or `block`.
    pub paths: BTreeMap<String, String>,
}

/// Why a folder describes no host.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is larger than any description.
    #[error("{} is larger than {} MiB", .path.display(), LARGEST >> 20)]
    Large {
        /// The file.
        path: PathBuf,
    },
    /// A file is not the YAML that it should be.
    #[error("{}: {problem}", .path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file is not the XML that it should be.
    #[error("{}: {source}", .path.display())]
    Xml {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: XmlError,
    },
    /// The definition in a file is that of another object.
    #[error("{} defines {found}, and its name says {expected}", .path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// The name in the XML.
        found: String,
        /// The name that it is listed under.
        expected: String,
    },
}

impl ReadError {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::File { .. } => {
                "salar describe DIR writes such a folder; docs/plans.md has its layout"
            }
            Self::Large { .. } | Self::Xml { .. } | Self::Name { .. } => {
                "write it anew with salar describe, or with virsh dumpxml"
            }
            Self::Yaml { .. } => "docs/plans.md has the layout of the folder",
        }
    }
}

/// Reads the host that the folder describes.
///
/// # Errors
/// A file is missing, is too large, or says something that cannot be.
pub fn read(folder: &Path) -> Result<Described, ReadError> {
    let dir = Folder(folder);
    let host = Section::of(dir.yaml(HOST)?, folder.join(HOST))?;
    host.format()?;
    let mut paths = BTreeMap::new();
    for (path, kind) in host.entries("paths")? {
        match kind.value.as_str() {
            Some(word @ ("file" | "folder" | "block")) => drop(paths.insert(path, word.to_owned())),
            _ => return Err(kind.wrong(format!("paths: {path}: write file, folder or block"))),
        }
    }
    let versions = Versions {
        uri: host.text("uri")?,
        hypervisor: host.text("hypervisor")?,
        hypervisor_version: host.text("hypervisor_version")?,
        libvirt_version: host.text("libvirt_version")?,
    };
    let pools = host.entries(POOLS)?;
    let read = DescribedHost {
        capabilities: dir.text(CAPABILITIES)?,
        vms: each(host.entries(VMS)?, |name, section| vm(&dir, name, section))?,
        networks: each(host.entries(NETWORKS)?, |name, section| {
            network(&dir, name, section)
        })?,
        volumes: volumes(&dir, pools.iter().map(|(name, _)| name.as_str()))?,
        pools: each(pools, |name, section| pool(&dir, name, section))?,
        devices: devices(&dir)?,
        versions: versions.clone(),
        name: host.text("name")?,
    };
    let optional = |file| match dir.exists(file) {
        true => dir.yaml(file).map(Some),
        false => Ok(None),
    };
    let known = Known {
        name: read.name.clone(),
        uri: versions.uri,
        grains: optional(GRAINS)?.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        config: match optional(CONFIG)? {
            Some(config) => Section::of(config, folder.join(CONFIG))?.into_map(),
            None => Map::new(),
        },
        pillar: optional(PILLAR)?,
        paths,
    };
    Ok(Described { host: read, known })
}

fn each<T>(
    entries: Vec<(String, Section)>,
    read: impl Fn(&str, &Section) -> Result<T, ReadError>,
) -> Result<BTreeMap<String, T>, ReadError> {
    let one = |(name, section): (String, Section)| Ok((name.clone(), read(&name, &section)?));
    entries.into_iter().map(one).collect()
}

fn vm(dir: &Folder, name: &str, section: &Section) -> Result<Vm, ReadError> {
    let file = file_name(name);
    let persistent = dir.definition(&format!("{VMS}/{file}{XML}"))?;
    let live = dir.definition(&format!("{VMS}/{file}{LIVE}"))?;
    let Some((path, xml)) = live.as_ref().or(persistent.as_ref()) else {
        return Err(dir.missing(&format!("{VMS}/{file}{XML}")));
    };
    let read = domxml::domain::read(xml).map_err(|source| dir.xml(path, source))?;
    dir.same_name(path, &read.name, name)?;
    if let Some((path, xml)) = &persistent {
        domxml::domain::read(xml).map_err(|source| dir.xml(path, source))?;
    }
    let word = section.text("status")?;
    let status = match (word.as_str(), &live) {
        ("", Some(_)) => VmStatus::Running,
        ("", None) => VmStatus::Shutoff,
        (word, _) => VmStatus::from_word(word)
            .ok_or_else(|| section.wrong(format!("{name}: there is no status {word}")))?,
    };
    let mut vm = Vm {
        domain_id: read.id,
        status,
        autostart: section.flag("autostart")?,
        has_managed_save: section.flag("managed_save")?,
        persistent: persistent.is_some(),
        ..Vm::named(read.uuid.unwrap_or(Uuid::nil()), name.to_owned())
    };
    read.tell(&mut vm);
    vm.xml_persistent = persistent.map(|(_, xml)| xml);
    vm.xml_live = live.map(|(_, xml)| xml);
    Ok(vm)
}

fn pool(dir: &Folder, name: &str, section: &Section) -> Result<Pool, ReadError> {
    let file = file_name(name);
    let path = format!("{POOLS}/{file}{XML}");
    let (path, xml) = dir.definition(&path)?.ok_or_else(|| dir.missing(&path))?;
    let live = dir.definition(&format!("{POOLS}/{file}{LIVE}"))?;
    let (from, text) = live
        .as_ref()
        .map_or((&path, &xml), |(path, xml)| (path, xml));
    let read = domxml::pool::read(text).map_err(|source| dir.xml(from, source))?;
    dir.same_name(from, &read.name, name)?;
    Ok(Pool {
        kind: read.kind,
        active: section.flag("active")?,
        autostart: section.flag("autostart")?,
        persistent: section.flag_or("persistent", true)?,
        capacity: read.capacity,
        allocation: read.allocation,
        available: read.available,
        target: read.target,
        xml,
        xml_live: live.map(|(_, xml)| xml),
        ..Pool::named(read.uuid.unwrap_or(Uuid::nil()), name.to_owned())
    })
}

fn network(dir: &Folder, name: &str, section: &Section) -> Result<Network, ReadError> {
    let file = file_name(name);
    let path = format!("{NETWORKS}/{file}{XML}");
    let (path, definition) = dir.definition(&path)?.ok_or_else(|| dir.missing(&path))?;
    let live = dir.definition(&format!("{NETWORKS}/{file}{LIVE}"))?;
    let (from, text) = live
        .as_ref()
        .map_or((&path, &definition), |(path, xml)| (path, xml));
    let read = domxml::network::read(text).map_err(|source| dir.xml(from, source))?;
    dir.same_name(from, &read.name, name)?;
    let (active, persistent) = (
        section.flag("active")?,
        section.flag_or("persistent", true)?,
    );
    Ok(Network {
        active,
        persistent,
        autostart: section.flag("autostart")?,
        bridge: read.bridge,
        forward: read.forward,
        cidrs: read.cidrs,
        dhcp: read.dhcp,
        xml: text.clone(),
        xml_persistent: (active && persistent).then_some(definition),
        ..Network::named(read.uuid.unwrap_or(Uuid::nil()), name.to_owned())
    })
}

/// The volumes of the pools: every file in their folders.
fn volumes<'a>(
    dir: &Folder,
    pools: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Vec<Volume>>, ReadError> {
    let mut all = BTreeMap::new();
    for pool in pools {
        let folder = format!("{VOLUMES}/{}", file_name(pool));
        let mut volumes = Vec::new();
        for path in dir.files(&folder)? {
            let text = dir.text(&path)?;
            volumes.push(domxml::volume::read(&text).map_err(|source| dir.xml(&path, source))?);
        }
        all.insert(pool.to_owned(), volumes);
    }
    Ok(all)
}

/// The devices of the host: every file of their folder.
fn devices(dir: &Folder) -> Result<Vec<String>, ReadError> {
    let mut devices = Vec::new();
    for path in dir.files(DEVICES)? {
        let text = dir.text(&path)?;
        domxml::device::read(&text).map_err(|source| dir.xml(&path, source))?;
        devices.push(text);
    }
    Ok(devices)
}

struct Folder<'a>(&'a Path);

impl Folder<'_> {
    fn exists(&self, file: &str) -> bool {
        self.0.join(file).exists()
    }

    fn text(&self, file: &str) -> Result<String, ReadError> {
        let path = self.0.join(file);
        let failed = |source| ReadError::File {
            path: path.clone(),
            source,
        };
        let mut text = String::new();
        let opened = fs::File::open(&path).map_err(failed)?;
        opened
            .take(LARGEST + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
        if text.len() as u64 > LARGEST {
            return Err(ReadError::Large { path });
        }
        Ok(text)
    }

    fn yaml(&self, file: &str) -> Result<Value, ReadError> {
        sls::yaml::load(&self.text(file)?).map_err(|error| ReadError::Yaml {
            path: self.0.join(file),
            problem: error.to_string(),
        })
    }

    /// Path and text of a definition that may be absent.
    fn definition(&self, file: &str) -> Result<Option<(String, String)>, ReadError> {
        if !self.exists(file) {
            return Ok(None);
        }
        Ok(Some((file.to_owned(), self.text(file)?)))
    }

    /// The XML files of a folder that may be absent, in order.
    fn files(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let path = self.0.join(folder);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let failed = |source| ReadError::File {
            path: path.clone(),
            source,
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(&path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(XML) {
                files.push(format!("{folder}/{name}"));
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    fn missing(&self, file: &str) -> ReadError {
        ReadError::File {
            path: self.0.join(file),
            source: std::io::ErrorKind::NotFound.into(),
        }
    }

    fn xml(&self, file: &str, source: XmlError) -> ReadError {
        let path = self.0.join(file);
        ReadError::Xml { path, source }
    }

    fn same_name(&self, file: &str, found: &str, expected: &str) -> Result<(), ReadError> {
        if found == expected {
            return Ok(());
        }
        Err(ReadError::Name {
            path: self.0.join(file),
            found: found.to_owned(),
            expected: expected.to_owned(),
        })
    }
}

/// A dictionary of a YAML file.
struct Section {
    value: Value,
    path: PathBuf,
}

impl Section {
    fn of(value: Value, path: PathBuf) -> Result<Self, ReadError> {
        let section = Self { value, path };
        match &section.value {
            Value::Object(_) | Value::Null => Ok(section),
            _ => Err(section.wrong("write a dictionary".to_owned())),
        }
    }

    fn into_map(self) -> Map<String, Value> {
        match self.value {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    fn wrong(&self, problem: String) -> ReadError {
        let path = self.path.clone();
        ReadError::Yaml { path, problem }
    }

    fn format(&self) -> Result<(), ReadError> {
        match self.value["format"].as_u64() {
            Some(FORMAT) => Ok(()),
            Some(other) => Err(self.wrong(format!(
                "the description has form {other}, and this program reads form {FORMAT}"
            ))),
            None => Err(self.wrong(format!("format: {FORMAT} is missing"))),
        }
    }

    /// A text that may be absent.
    fn text(&self, key: &str) -> Result<String, ReadError> {
        match &self.value[key] {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            value @ Value::Number(_) => Ok(value.to_string()),
            other => Err(self.wrong(format!("{key}: {other} is not a text"))),
        }
    }

    fn flag(&self, key: &str) -> Result<bool, ReadError> {
        self.flag_or(key, false)
    }

    fn flag_or(&self, key: &str, absent: bool) -> Result<bool, ReadError> {
        match &self.value[key] {
            Value::Null => Ok(absent),
            Value::Bool(flag) => Ok(*flag),
            other => Err(self.wrong(format!("{key}: {other} is not true or false"))),
        }
    }

    /// The entries of a dictionary below `key` that may be absent.
    fn entries(&self, key: &str) -> Result<Vec<(String, Self)>, ReadError> {
        let map = match &self.value[key] {
            Value::Null => return Ok(Vec::new()),
            Value::Object(map) => map,
            _ => return Err(self.wrong(format!("{key}: write a dictionary"))),
        };
        let entry = |(name, value): (&String, &Value)| {
            let section = Self {
                value: value.clone(),
                path: self.path.clone(),
            };
            (name.clone(), section)
        };
        Ok(map.iter().map(entry).collect())
    }
}
