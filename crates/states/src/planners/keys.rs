//! `virt.keys`: the certificates with which libvirt's own servers and clients know each other.
//!
//! Source: Salt `virt.keys`. There an external pillar makes them; here they are texts of the pillar under the same names.

use super::steps::planned;
use crate::changes::Changes;
use crate::planned::{ChunkPlan, Outcome};
use crate::{Call, Config, Map, Needs, Observation, StateError};
use model::plan::{Consequence, Content, FileOp, Plan, Step, Undo};
use serde_json::json;

/// The arguments, beside those that every virt state takes.
pub(crate) const ARGUMENTS: &[&str] = &[
    "basepath",
    "country",
    "state",
    "locality",
    "organization",
    "expiration_days",
];

/// One of the files.
struct File {
    /// Salt's name for it in `changes`.
    name: &'static str,
    /// Where the text comes from.
    key: &'static str,
    /// Where it goes, below `basepath`. Source: libvirt "TLS setup".
    path: &'static str,
    private: bool,
}

const FILES: &[File] = &[
    File {
        name: "serverkey",
        key: "libvirt.serverkey.pem",
        path: "libvirt/private/serverkey.pem",
        private: true,
    },
    File {
        name: "servercert",
        key: "libvirt.servercert.pem",
        path: "libvirt/servercert.pem",
        private: false,
    },
    File {
        name: "clientkey",
        key: "libvirt.clientkey.pem",
        path: "libvirt/private/clientkey.pem",
        private: true,
    },
    File {
        name: "clientcert",
        key: "libvirt.clientcert.pem",
        path: "libvirt/clientcert.pem",
        private: false,
    },
    File {
        name: "cacert",
        key: "libvirt.cacert.pem",
        path: "CA/cacert.pem",
        private: false,
    },
];

/// A file with the text that it is to have.
struct Wanted {
    file: &'static File,
    path: String,
    text: String,
}

fn wanted(call: &Call, config: &Config) -> Result<Vec<Wanted>, StateError> {
    let base = match call.get("basepath") {
        Some(base) => base.path()?,
        None => "/etc/pki".to_owned(),
    };
    for argument in ["country", "state", "locality", "organization"] {
        call.get(argument).map(|field| field.word()).transpose()?;
    }
    let days = call.get("expiration_days");
    days.map(|field| field.number()).transpose()?;
    let mut wanted = Vec::new();
    for file in FILES {
        let Some(text) = config.get(file.key) else {
            continue;
        };
        let text = text.as_str().filter(|text| text.contains("-----BEGIN "));
        let Some(text) = text else {
            // A key never stands in an error.
            return Err(StateError::Argument {
                path: format!("pillar: {}", file.key),
                found: "its value".to_owned(),
                expected: "a text in PEM form (-----BEGIN …)".to_owned(),
                remedy: Some("Write it as a block: the key, a colon, |, and the lines".to_owned()),
            });
        };
        wanted.push(Wanted {
            file,
            path: format!("{}/{}", base.trim_end_matches('/'), file.path),
            text: text.to_owned(),
        });
    }
    if wanted.is_empty() {
        return Err(StateError::host(
            "the pillar has none of libvirt's keys and certificates",
            "Put libvirt.serverkey.pem, libvirt.servercert.pem, libvirt.clientkey.pem, libvirt.clientcert.pem and libvirt.cacert.pem into the pillar of this host",
        ));
    }
    Ok(wanted)
}

pub(super) fn needs(call: &Call, config: &Config) -> Result<Needs, StateError> {
    config.needs_files("keys and certificates are files")?;
    let paths = wanted(call, config)?.into_iter().map(|one| one.path);
    Ok(Needs {
        texts: paths.collect(),
        ..Needs::default()
    })
}

pub(super) fn plan(call: &Call, seen: &Observation) -> Result<ChunkPlan, StateError> {
    let mut changes = Map::new();
    let mut steps = Vec::new();
    let wanted = wanted(call, &seen.config)?;
    for Wanted { file, path, text } in &wanted {
        let have = seen.text(path)?;
        if have == Some(text) {
            continue;
        }
        let word = if have.is_some() { "update" } else { "new" };
        changes.insert(file.name.to_owned(), json!(word));
        let of = |op| Step::File {
            path: path.clone(),
            op,
        };
        let write = |text: &str| FileOp::Write {
            content: Content(text.as_bytes().to_vec()),
            private: file.private,
        };
        let undo = have.map_or(FileOp::Remove, write);
        steps.push(planned(
            of(write(text)),
            Consequence::None,
            format!("Write {path}"),
            Undo::By(Box::new(of(undo))),
        ));
    }
    let notes = notes(call, &wanted, !steps.is_empty());
    let comment = match steps.is_empty() {
        true => "All keys are correct",
        false => "Updated libvirt certs and keys",
    };
    let mut outcome = Outcome::new(comment, Changes::Fixed(changes));
    if !steps.is_empty() {
        outcome.comment_if_tested = Some("Libvirt keys are set to be updated".to_owned());
        outcome.silent_if_tested = true;
    }
    Ok(ChunkPlan {
        plan: Plan {
            steps,
            pending: Vec::new(),
        },
        notes,
        outcome,
    })
}

fn notes(call: &Call, wanted: &[Wanted], changes: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let is_there = |file: &&File| !wanted.iter().any(|one| one.file.key == file.key);
    let absent: Vec<&str> = FILES.iter().filter(is_there).map(|file| file.key).collect();
    if !absent.is_empty() {
        notes.push(format!("the pillar has no {}", absent.join(", ")));
    }
    let given = |name: &&&str| call.get(name).is_some();
    let unused: Vec<&str> = ARGUMENTS[1..].iter().filter(given).copied().collect();
    if !unused.is_empty() {
        notes.push(format!(
            "{}: not used, the certificates are taken from the pillar as they are",
            unused.join(", ")
        ));
    }
    if changes {
        notes.push(
            "libvirtd reads them at its next start, or now with: virt-admin server-update-tls libvirtd"
                .to_owned(),
        );
    }
    notes
}
