//! The attributes of pools. libvirt changes nothing in a pool that runs.

use super::{Attribute, live, stopping};

pub(super) const ATTRIBUTES: &[Attribute] = &[
    stopping("ptype", "@type"),
    stopping("target", "target/path"),
    stopping("permissions: mode", "target/permissions/mode"),
    stopping("permissions: owner", "target/permissions/owner"),
    stopping("permissions: group", "target/permissions/group"),
    stopping("permissions: label", "target/permissions/label"),
    stopping("source: dir", "source/dir@path"),
    stopping("source: hosts: *", "source/host"),
    stopping("source: devices: *: path", "source/device"),
    stopping("source: devices: *: part_separator", "source/device"),
    stopping("source: format", "source/format@type"),
    stopping("source: name", "source/name"),
    stopping("source: initiator", "source/initiator/iqn@name"),
    stopping("source: adapter: type", "source/adapter@type"),
    stopping("source: adapter: name", "source/adapter@name"),
    stopping("source: adapter: parent", "source/adapter@parent"),
    stopping("source: adapter: managed", "source/adapter@managed"),
    stopping("source: adapter: parent_wwnn", "source/adapter@parent_wwnn"),
    stopping("source: adapter: parent_wwpn", "source/adapter@parent_wwpn"),
    stopping(
        "source: adapter: parent_fabric_wwn",
        "source/adapter@parent_fabric_wwn",
    ),
    stopping("source: adapter: wwnn", "source/adapter@wwnn"),
    stopping("source: adapter: wwpn", "source/adapter@wwpn"),
    stopping(
        "source: adapter: parent_address: unique_id",
        "source/adapter/parentaddr@unique_id",
    ),
    stopping(
        "source: adapter: parent_address: address: domain",
        "source/adapter/parentaddr/address@domain",
    ),
    stopping(
        "source: adapter: parent_address: address: bus",
        "source/adapter/parentaddr/address@bus",
    ),
    stopping(
        "source: adapter: parent_address: address: slot",
        "source/adapter/parentaddr/address@slot",
    ),
    stopping(
        "source: adapter: parent_address: address: function",
        "source/adapter/parentaddr/address@function",
    ),
    stopping("source: auth: type", "source/auth@type"),
    stopping("source: auth: username", "source/auth@username"),
    stopping("source: auth: secret: type", "source/auth/secret@usage"),
    stopping("source: auth: secret: value", "source/auth/secret@uuid"),
    live(
        "source: auth: password",
        "",
        "the running pool signs in with it at its next start",
    ),
    live(
        "transient",
        "",
        "False gives the pool a definition; one that has one keeps it",
    ),
    live("autostart", "", "the flag only"),
];

/// What comes with another attribute.
pub(super) const IMPLIED: &[(&str, &str)] = &[(
    "source/adapter/parentaddr",
    "source/adapter/parentaddr@unique_id",
)];
