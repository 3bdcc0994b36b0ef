//! The two event streams, both server-sent events.
//!
//! `GET /api/v1/events` keeps pages true. Its event ids are `<epoch>-<rev>`; a client that returns with
//! `Last-Event-ID` gets what it missed, or `reset` when that is gone or of another epoch. Kinds (`event:` lines):
//! `hello` with [`Hello`], `change` with [`Change`], `reset` with nothing.
//!
//! `GET /api/v1/bus?tag=GLOB` is Salt's event bus, kind `message`, with [`BusEvent`]; nothing is kept for it.

use crate::{action::Action, host::Host, network::Network, pool::Pool, vm::Vm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// First event of every connection; its id is the position in the feed at which the connection starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hello {
    /// The server's build; when it is another than the page's, the page offers to reload.
    pub build: String,
    /// Missed events follow from `Last-Event-ID`; false when the client must load its lists (again).
    pub resumed: bool,
}

/// Objects that changed, each with its new row. One message holds at most one entry per object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Changed and new objects, and those that are gone.
    pub objects: Vec<ChangedObject>,
}

/// One changed object. Applied only if `gen` is higher than the one held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChangedObject {
    /// Its id.
    pub id: Uuid,
    /// Its generation.
    pub r#gen: u64,
    /// Its new row; absent when the object is gone. Exactly one of the kinds.
    #[serde(flatten)]
    pub row: ChangedRow,
}

/// Which collection an object belongs to, and its new row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "collection", content = "row", rename_all = "snake_case")]
pub enum ChangedRow {
    /// A VM.
    Vms(Option<Box<Vm>>),
    /// A host.
    Hosts(Option<Box<Host>>),
    /// A pool.
    Pools(Option<Box<Pool>>),
    /// A network.
    Networks(Option<Box<Network>>),
    /// An action.
    Actions(Option<Box<Action>>),
}

/// An event of Salt's bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BusEvent {
    /// `salt/engines/libvirt_events/qemu/system/domain/lifecycle`, `salt/job/…/ret/…`
    pub tag: String,
    /// Its data.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}
