//! `boot`, `boot_dev`: what the VM boots, and from where.

use crate::StateError;
use crate::args::Field;
use crate::facts::Fact;
use crate::planners::vm::kernel::is_grub;
use domxml::Place;

/// The sets of keys that go together. Source: Salt `virt._handle_remote_boot_params`.
const COMBINATIONS: &[&[&str]] = &[
    &["efi"],
    &["initrd", "kernel"],
    &["cmdline", "initrd", "kernel"],
    &["efi", "initrd", "kernel"],
    &["cmdline", "efi", "initrd", "kernel"],
    &["loader", "nvram"],
    &["initrd", "kernel", "loader", "nvram"],
    &["cmdline", "initrd", "kernel", "loader", "nvram"],
];

/// A file that the VM boots and that is not on the host yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BootFile {
    /// `kernel` or `initrd`: the element that names it.
    pub(crate) element: &'static str,
    /// `http://`, `https://`, `ftp://` or `salt://`.
    pub(crate) url: String,
}

/// What the definition says, and the files that it will name once they are fetched.
pub(super) fn facts(boot: &Field) -> Result<(Vec<Fact>, Vec<BootFile>), StateError> {
    let dict = boot.dict(&["kernel", "initrd", "cmdline", "loader", "nvram", "efi"])?;
    let mut keys: Vec<&str> = dict.entries().iter().map(|(key, _)| *key).collect();
    keys.sort_unstable();
    // GRUB as a kernel finds everything else on the guest's own disk.
    let is_grub = keys == ["kernel"]
        && dict
            .get("kernel")
            .is_some_and(|path| path.text().is_ok_and(|path| is_grub(&path)));
    if !is_grub && !COMBINATIONS.contains(&keys.as_slice()) {
        return Err(boot.refuse(
            "possible: Invalid boot parameters,It has to follow this combination: [(kernel, initrd) or/and cmdline] or/and [(loader, nvram) or efi]",
            None,
        ));
    }
    let os = || Place::at("os");
    let mut facts = Vec::new();
    let mut files = Vec::new();
    for key in ["kernel", "initrd", "cmdline"] {
        let place = os().child(element(key));
        if let Some(field) = dict.given(key) {
            if key != "cmdline"
                && let Some(url) = remote(&field)?
            {
                let element = element(key);
                files.push(BootFile { element, url });
                continue;
            }
            facts.push(match file(&field, key)? {
                Some(value) => Fact::text(place, value),
                None => Fact::Absent(place),
            });
        }
    }
    if let Some(loader) = dict.given("loader") {
        match file(&loader, "loader")? {
            None => facts.push(Fact::Absent(os().child("loader"))),
            Some(path) => {
                let place = || os().child("loader");
                facts.push(Fact::text(place().attr("readonly"), "yes"));
                facts.push(Fact::text(place().attr("type"), "pflash"));
                facts.push(Fact::text(place(), path));
            }
        }
    }
    if let Some(nvram) = dict.given("nvram") {
        let place = || os().child("nvram");
        facts.push(match file(&nvram, "nvram")? {
            // With a loader libvirt keeps variables of its own choice.
            None if dict.given("loader").is_some_and(|loader| loader.is_null()) => {
                Fact::Absent(place())
            }
            None => Fact::Absent(place().attr("template")),
            Some(path) => Fact::text(place().attr("template"), path),
        });
    }
    if let Some(efi) = dict.get("efi") {
        let Some(efi) = efi.value.as_bool() else {
            return Err(efi.refuse("True or False: Invalid efi value", None));
        };
        let firmware = os().attr("firmware");
        facts.push(match efi {
            true => Fact::text(firmware, "efi"),
            false => Fact::Absent(firmware),
        });
    }
    Ok((facts, files))
}

fn element(key: &str) -> &'static str {
    match key {
        "kernel" => "kernel",
        "initrd" => "initrd",
        _ => "cmdline",
    }
}

/// An address that the file has to be fetched from; `None` for a path and for null.
fn remote(field: &Field) -> Result<Option<String>, StateError> {
    const SCHEMES: [&str; 4] = ["http", "https", "ftp", "salt"];
    if field.is_null() {
        return Ok(None);
    }
    let text = field.word()?;
    match text.split_once("://") {
        None | Some(("file", _)) => Ok(None),
        Some((scheme, rest)) if SCHEMES.contains(&scheme) => {
            let file = rest.rsplit('/').next().unwrap_or_default();
            // A host alone is no file.
            let has_path = scheme == "salt" || rest.contains('/');
            match has_path && !file.is_empty() {
                true => Ok(Some(text)),
                false => Err(field.refuse("the address of a file", None)),
            }
        }
        Some(_) => Err(field.refuse(
            "a path on the host, or an address that begins with http, https, ftp or salt",
            None,
        )),
    }
}

/// A path on the host, also as a `file:` URL, or the command line of the kernel; `None` for null.
fn file(field: &Field, key: &str) -> Result<Option<String>, StateError> {
    if field.is_null() {
        return Ok(None);
    }
    let text = field.word()?;
    if key == "cmdline" {
        return Ok(Some(text));
    }
    match host_path(&text) {
        Some(path) => Ok(Some(path.to_owned())),
        None => Err(field.refuse(
            "a path on the host",
            Some("Write an absolute path".to_owned()),
        )),
    }
}

/// The path that a text or a `file:` URL of this host names. A URL with escapes is none: they are not undone here.
fn host_path(text: &str) -> Option<&str> {
    let path = match text.strip_prefix("file://") {
        Some(path) if path.contains('%') => return None,
        Some(path) => path,
        None => text,
    };
    path.starts_with('/').then_some(path)
}

/// `boot_dev`: devices in the order in which they are tried.
pub(super) fn order(field: &Field) -> Result<Fact, StateError> {
    let text = field.word()?;
    let devices: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    for device in &devices {
        if !["hd", "fd", "cdrom", "network"].contains(&device.as_str()) {
            let expected = "a list of hd, fd, cdrom, network with blanks between them";
            return Err(field.refuse(expected, None));
        }
    }
    Ok(list(devices))
}

/// The order of a new VM that states none.
pub(super) fn default_order() -> Fact {
    list(vec!["hd".to_owned()])
}

fn list(values: Vec<String>) -> Fact {
    Fact::List {
        parent: Place::at("os"),
        name: "boot",
        attr: "dev",
        values,
    }
}
