//! The lines of the journal.

use model::lifecycle::Request;
use model::{ActionKind, ActionStatus};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use uuid::Uuid;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(super) enum Record {
    Accepted { id: Uuid, at: u64, kind: StoredKind },
    Finished { id: Uuid, at: u64, ending: Ending },
    Acknowledged { id: Uuid, at: u64 },
}

/// What was asked, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum StoredKind {
    /// A life-cycle request.
    Vm {
        /// libvirt's UUID of the VM.
        vm: Uuid,
        /// Its name when it was asked.
        name: String,
        /// The request's word.
        request: String,
    },
    /// A function.
    Function {
        /// `module.function`. Arguments may hold secrets and are not kept.
        fun: String,
    },
}

impl StoredKind {
    /// The VM and the request, if it is one this version knows.
    pub fn vm_request(&self) -> Option<(Uuid, Request)> {
        match self {
            Self::Vm { vm, request, .. } => Some((*vm, Request::from_word(request)?)),
            Self::Function { .. } => None,
        }
    }

    /// Whether it applies states, which hold however often they are applied.
    pub fn is_state_run(&self) -> bool {
        match self {
            Self::Vm { .. } => false,
            Self::Function { fun } => fun.starts_with("state."),
        }
    }
}

impl From<&ActionKind> for StoredKind {
    fn from(kind: &ActionKind) -> Self {
        match kind {
            ActionKind::Vm { vm, name, request } => Self::Vm {
                vm: *vm,
                name: name.clone(),
                request: request.as_str().to_owned(),
            },
            ActionKind::Function { fun, .. } => Self::Function { fun: fun.clone() },
        }
    }
}

/// How an action ended: what the server will be told, word for word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// A final status word.
    pub status: String,
    /// JSON of what the function returned; empty when nothing.
    #[serde(default)]
    pub result_json: String,
    /// Why it failed, for people.
    #[serde(default)]
    pub error: String,
    /// What to do about it.
    #[serde(default)]
    pub hint: String,
}

impl Ending {
    /// It worked.
    pub fn succeeded() -> Self {
        Self::new(ActionStatus::Succeeded, "", "")
    }

    /// It failed for this reason.
    pub fn failed(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ActionStatus::Failed, error, hint)
    }

    /// An ending with no result.
    pub fn new(status: ActionStatus, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            status: status.as_str().to_owned(),
            result_json: String::new(),
            error: error.into(),
            hint: hint.into(),
        }
    }
}

/// `1a2b3c4d {…}` and a line break: the first half of a checksum, then the record.
pub(super) fn to_line(record: &Record) -> String {
    let json = serde_json::to_string(record).expect("texts and numbers are always JSON");
    format!("{} {json}\n", checksum(&json))
}

/// The record of a line, unless the line is torn or damaged.
pub(super) fn from_line(line: &str) -> Option<Record> {
    let (sum, json) = line.split_once(' ')?;
    (sum == checksum(json))
        .then(|| serde_json::from_str(json).ok())
        .flatten()
}

fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes())[..4]
        .iter()
        .fold(String::with_capacity(8), |mut out, byte| {
            write!(out, "{byte:02x}").expect("writing to a String never fails");
            out
        })
}
