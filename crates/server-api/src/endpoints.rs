//! Every endpoint with the least role that may call it. The router is checked against this table, and a test
//! calls each row as each role.

/// What a user may do. Ordered: each role may all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Anybody, signed in or not.
    Nobody,
    /// May look.
    Viewer,
    /// May also act on VMs.
    Operator,
    /// May also change access and run any function on hosts.
    Administrator,
}

impl Role {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    /// The role of that name; `nobody` is none that a user can have.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Administrator]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// One row of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// `GET`, `POST`, `PUT`, `DELETE`.
    pub method: &'static str,
    /// Path with `{parameters}`.
    pub path: &'static str,
    /// `list_vms`; the OpenAPI operation id.
    pub operation: &'static str,
    /// The least role that may call it.
    pub role: Role,
}

const fn row(
    method: &'static str,
    path: &'static str,
    operation: &'static str,
    role: Role,
) -> Endpoint {
    Endpoint {
        method,
        path,
        operation,
        role,
    }
}

/// The public API.
pub const ENDPOINTS: &[Endpoint] = &[
    row("GET", "/api/v1/about", "get_about", Role::Nobody),
    row("GET", "/api/v1/openapi.json", "get_openapi", Role::Nobody),
    row("GET", "/api/v1/servers", "list_servers", Role::Viewer),
    row("POST", "/api/v1/session", "create_session", Role::Nobody),
    row("GET", "/api/v1/session", "get_session", Role::Viewer),
    row("DELETE", "/api/v1/session", "delete_session", Role::Viewer),
    row("GET", "/api/v1/hosts", "list_hosts", Role::Viewer),
    row("POST", "/api/v1/hosts", "add_host", Role::Administrator),
    row(
        "POST",
        "/api/v1/host_keys",
        "show_host_keys",
        Role::Administrator,
    ),
    row("GET", "/api/v1/hosts/{id}", "get_host", Role::Viewer),
    row(
        "DELETE",
        "/api/v1/hosts/{id}",
        "remove_host",
        Role::Administrator,
    ),
    row("GET", "/api/v1/vms", "list_vms", Role::Viewer),
    row("GET", "/api/v1/vms/{id}", "get_vm", Role::Viewer),
    row("GET", "/api/v1/vms/{id}/xml", "get_vm_xml", Role::Operator),
    row("POST", "/api/v1/vms/{id}/start", "start_vm", Role::Operator),
    row(
        "POST",
        "/api/v1/vms/{id}/shutdown",
        "shutdown_vm",
        Role::Operator,
    ),
    row(
        "POST",
        "/api/v1/vms/{id}/reboot",
        "reboot_vm",
        Role::Operator,
    ),
    row(
        "POST",
        "/api/v1/vms/{id}/force_off",
        "force_off_vm",
        Role::Operator,
    ),
    row("POST", "/api/v1/vms/{id}/save", "save_vm", Role::Operator),
    row("POST", "/api/v1/vms/{id}/reset", "reset_vm", Role::Operator),
    row("POST", "/api/v1/vms/{id}/pause", "pause_vm", Role::Operator),
    row(
        "POST",
        "/api/v1/vms/{id}/resume",
        "resume_vm",
        Role::Operator,
    ),
    row(
        "POST",
        "/api/v1/vms/{id}/console",
        "open_vm_console",
        Role::Operator,
    ),
    row(
        "GET",
        "/api/v1/consoles/{ticket}",
        "connect_console",
        Role::Operator,
    ),
    row("GET", "/api/v1/pools", "list_pools", Role::Viewer),
    row("GET", "/api/v1/pools/{id}", "get_pool", Role::Viewer),
    row("GET", "/api/v1/networks", "list_networks", Role::Viewer),
    row("GET", "/api/v1/networks/{id}", "get_network", Role::Viewer),
    row("GET", "/api/v1/actions", "list_actions", Role::Viewer),
    row("GET", "/api/v1/actions/{id}", "get_action", Role::Viewer),
    row(
        "POST",
        "/api/v1/actions/{id}/cancel",
        "cancel_action",
        Role::Operator,
    ),
    row(
        "POST",
        "/api/v1/actions/{id}/retry",
        "retry_action",
        Role::Operator,
    ),
    row("GET", "/api/v1/targets", "list_targets", Role::Viewer),
    row("POST", "/api/v1/runs", "create_run", Role::Administrator),
    row("GET", "/api/v1/runs", "list_runs", Role::Viewer),
    row("GET", "/api/v1/runs/{jid}", "get_run", Role::Viewer),
    row(
        "POST",
        "/api/v1/runs/{jid}/cancel",
        "cancel_run",
        Role::Operator,
    ),
    row("GET", "/api/v1/events", "watch_events", Role::Viewer),
    row("GET", "/api/v1/bus", "watch_bus", Role::Viewer),
    row("GET", "/api/v1/keys", "list_keys", Role::Administrator),
    row(
        "POST",
        "/api/v1/keys/{fingerprint}/accept",
        "accept_key",
        Role::Administrator,
    ),
    row(
        "POST",
        "/api/v1/keys/{fingerprint}/reject",
        "reject_key",
        Role::Administrator,
    ),
    row(
        "DELETE",
        "/api/v1/keys/{fingerprint}",
        "delete_key",
        Role::Administrator,
    ),
    row(
        "GET",
        "/api/v1/join_tokens",
        "list_join_tokens",
        Role::Administrator,
    ),
    row(
        "POST",
        "/api/v1/join_tokens",
        "create_join_token",
        Role::Administrator,
    ),
    row(
        "DELETE",
        "/api/v1/join_tokens/{id}",
        "delete_join_token",
        Role::Administrator,
    ),
    row("GET", "/api/v1/users", "list_users", Role::Administrator),
    row("POST", "/api/v1/users", "create_user", Role::Administrator),
    row(
        "DELETE",
        "/api/v1/users/{name}",
        "delete_user",
        Role::Administrator,
    ),
    row(
        "PUT",
        "/api/v1/users/{name}/password",
        "set_user_password",
        Role::Viewer,
    ),
];
