//! From a template to the table: `salt['virt.list_domains']()` while SLS are compiled.
//!
//! Compiling runs on a thread of its own that may block, so a call waits there for its future.

use super::{Access, Context, Function, call, find, table};
use crate::minion::Minion;
use serde_json::Value;
use sls::{FunctionError, Functions, Map};
use std::sync::Arc;
use tokio::runtime::Handle;

/// The functions that templates may call: those that only read, but for `state.*`, which would compile without end.
pub(crate) struct Bridge {
    minion: Arc<Minion>,
    runtime: Handle,
}

impl Bridge {
    /// Calls run on the current runtime.
    pub(crate) fn new(minion: Arc<Minion>) -> Self {
        Self {
            minion,
            runtime: Handle::current(),
        }
    }
}

impl Functions for Bridge {
    fn call(&self, name: &str, args: &[Value], kwargs: &Map) -> Result<Value, FunctionError> {
        match find(name) {
            Some(function) if is_open(function) => {}
            Some(_) => {
                return Err(FunctionError::new(format!(
                    "'{name}' cannot be called while states are compiled: it changes the host, or compiles states itself"
                )));
            }
            None => return Err(FunctionError::new(table::unknown(name).message)),
        }
        let returned =
            self.runtime
                .block_on(call(&self.minion, name, args, kwargs, &Context::quiet()));
        returned
            .map(|returned| returned.value)
            .map_err(|fault| FunctionError::new(fault.message))
    }

    fn names(&self) -> Vec<String> {
        table::all()
            .filter(|function| is_open(function))
            .map(|function| function.name.to_owned())
            .collect()
    }
}

fn is_open(function: &Function) -> bool {
    function.access == Access::Reads && !function.name.starts_with("state.")
}
