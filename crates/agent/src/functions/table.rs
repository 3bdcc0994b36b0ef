//! The table of functions.

use super::{
    Call, Fault, Return, absent, address, builtin, capabilities, change, counters, data, declare,
    describe, file, host, life, migrate, network, plans, pool, purge, snapshot, states, vm, volume,
};
use std::future::Future;
use std::pin::Pin;

/// What a handler returns.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Return, Fault>> + Send + 'a>>;

/// What a function does to its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing; templates may call it.
    Reads,
    /// It may change something.
    Changes,
}

/// A function.
pub struct Function {
    /// `module.function`
    pub name: &'static str,
    /// Its arguments as Salt's function takes them: `vm_, state='on'`. What calls may name is checked against it.
    pub signature: &'static str,
    /// Arguments and purpose, as `sys.doc` prints them.
    pub doc: &'static str,
    /// What it does to its host.
    pub access: Access,
    /// Does it.
    pub run: for<'a> fn(Call<'a>) -> Answer<'a>,
}

/// The function of this name.
pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// The names of all functions, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = all().map(|function| function.name).collect();
    names.sort_unstable();
    names
}

/// All functions.
pub(super) fn all() -> impl Iterator<Item = &'static Function> {
    [
        builtin::TABLE,
        data::TABLE,
        file::TABLE,
        address::TABLE,
        vm::TABLE,
        host::TABLE,
        life::TABLE,
        change::TABLE,
        purge::TABLE,
        migrate::TABLE,
        snapshot::TABLE,
        describe::TABLE,
        capabilities::TABLE,
        counters::TABLE,
        pool::TABLE,
        volume::TABLE,
        network::TABLE,
        declare::TABLE,
        states::TABLE,
        plans::TABLE,
    ]
    .into_iter()
    .flatten()
}

/// Salt's words for a function that is not there, and the closest one that is.
pub(super) fn unknown(fun: &str) -> Fault {
    if let Some(reason) = absent::reason(fun) {
        return Fault::new(format!("'{fun}' is not available: {reason}"));
    }
    let fault = Fault::new(format!("'{fun}' is not available."));
    match sls::closest(fun, names()) {
        Some(name) => fault.hint(format!("did you mean {name}?")),
        None => fault.hint("sys.list_functions lists what is"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_function_is_told_the_closest_one() {
        let fault = unknown("virt.list_domain");
        assert_eq!(fault.message, "'virt.list_domain' is not available.");
        assert_eq!(
            fault.hint.as_deref(),
            Some("did you mean virt.list_domains?")
        );
        assert_eq!(
            unknown("virt.foo").hint.as_deref(),
            Some("sys.list_functions lists what is")
        );
        assert_eq!(
            unknown("cmd.nothing").hint.as_deref(),
            Some("sys.list_functions lists what is")
        );
    }

    #[test]
    fn every_function_stands_in_the_table_once() {
        let names = names();
        let mut unique = names.clone();
        unique.dedup();
        assert_eq!(names, unique);
    }
}
