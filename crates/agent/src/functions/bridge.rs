//! From a template to the table: `salt['virt.list_domains']()` while SLS are compiled.
//!
//! Compiling runs on a thread of its own that may block, so a call waits there for its future.

use super::{Access, Context, call, find, table};
use crate::minion::Minion;
use serde_json::Value;
use sls::{FunctionError, Functions, Map};
use std::sync::Arc;
use tokio::runtime::Handle;

/// The functions that templates may call: those that only read.
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
            Some(function) if function.access == Access::Reads => {}
            Some(_) => {
                return Err(FunctionError::new(format!(
                    "'{name}' changes the host and cannot be called while states are compiled"
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
            .filter(|function| function.access == Access::Reads)
            .map(|function| function.name.to_owned())
            .collect()
    }
}
