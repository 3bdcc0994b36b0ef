//! `connection`, `username`, `password`: which hypervisor a state means.
//!
//! Plans are for the hypervisor that the agent is connected to. A state that names another one must not be carried out
//! here; credentials are the agent's own.

use crate::{Call, Config, StateError};

/// What has to be said about these arguments.
///
/// # Errors
/// The state means another hypervisor.
pub(super) fn check(call: &Call, config: &Config) -> Result<Vec<String>, StateError> {
    let mut notes = Vec::new();
    if call.state != "virt" {
        return Ok(notes);
    }
    if let Some(connection) = call.get("connection") {
        let uri = connection.word()?;
        match config.uri() {
            Some(here) if here == uri => {}
            Some(here) => {
                let expected = format!("the hypervisor that is managed here, {here}");
                let remedy = "Run an agent for that hypervisor, and apply the state to its host";
                return Err(connection.refuse(expected, Some(remedy.to_owned())));
            }
            None => notes.push("connection: the agent's own connection is used".to_owned()),
        }
    }
    for argument in ["username", "password"] {
        if call.get(argument).is_some() {
            notes.push(format!(
                "{argument}: not used, the agent signs in to the hypervisor by itself"
            ));
        }
    }
    Ok(notes)
}
