//! The names a template sees: `salt`, `grains`, `pillar`, `opts`, `sls`, `tpldir` and the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Environment;
use minijinja::value::{Rest, Value};

use super::convert::to_jinja;
use super::functions::SaltFunctions;
use super::mutable::dict;
use crate::matcher;
use crate::ports::{Functions, Target};
use crate::render::SlsFile;

/// What is the same for every file of a run.
pub(crate) struct Shared {
    salt: Value,
    functions: Arc<BTreeSet<String>>,
    grains: Value,
    pillar: Value,
    opts: Value,
    minion_id: String,
    outside: Arc<dyn Functions>,
    target: Arc<Target>,
    more: Vec<(String, Value)>,
}

impl Shared {
    pub(crate) fn new(target: &Target, functions: &Arc<dyn Functions>) -> Self {
        let salt = SaltFunctions::new(target, functions);
        Shared {
            functions: salt.names(),
            salt: Value::from_object(salt),
            grains: to_jinja(&target.grains),
            pillar: to_jinja(&target.pillar),
            opts: to_jinja(&target.opts),
            minion_id: target.minion_id.clone(),
            outside: Arc::clone(functions),
            target: Arc::new(target.clone()),
            more: target
                .names
                .iter()
                .map(|(name, value)| (name.clone(), to_jinja(value)))
                .collect(),
        }
    }
}

impl Shared {
    /// Every function a template can call.
    pub(crate) fn functions(&self) -> &BTreeSet<String> {
        &self.functions
    }

    /// What answers for the host.
    pub(crate) fn outside(&self) -> &Arc<dyn Functions> {
        &self.outside
    }
}

/// Adds the names to an environment. They are globals, so that imported templates see them as well.
pub(crate) fn add(env: &mut Environment<'static>, shared: &Shared, file: &SlsFile) {
    let mut names = vec![
        ("salt", shared.salt.clone()),
        ("grains", shared.grains.clone()),
        ("pillar", shared.pillar.clone()),
        ("opts", shared.opts.clone()),
        ("proxy", dict([])),
        ("saltenv", Value::from(file.env.as_str())),
        ("minion_id", Value::from(shared.minion_id.as_str())),
        ("sls", Value::from(file.sls.as_str())),
        ("tplfile", Value::from(file.path.as_str())),
        ("tplpath", Value::from(file.source.path.as_str())),
    ];
    names.extend(folder_names(&file.path).map(|(name, value)| (name, Value::from(value))));
    for (name, value) in &names {
        env.add_global(*name, value.clone());
    }
    for (name, value) in &shared.more {
        env.add_global(name.clone(), value.clone());
    }
    let all = dict(
        names
            .into_iter()
            .map(|(name, value)| (Value::from(name), value)),
    );
    env.add_function("show_full_context", move || all.clone());
    let target = Arc::clone(&shared.target);
    env.add_function("ifelse", move |args: Rest<Value>| ifelse(&args, &target));
}

/// `ifelse('web*', 'a', 'G@os:Debian', 'b', 'otherwise')`: the value behind the first compound expression that means
/// the target, or behind the first true value that is no text.
fn ifelse(args: &[Value], target: &Target) -> Value {
    let holds = |test: &Value| match test.as_str() {
        Some(expression) => matcher::matches(matcher::Kind::Compound, expression, target),
        None => test.is_true(),
    };
    let pairs = args.chunks_exact(2);
    let otherwise = pairs.remainder().first();
    let found = args.chunks_exact(2).find(|pair| holds(&pair[0]));
    let value = found.map(|pair| &pair[1]).or(otherwise);
    value.cloned().unwrap_or(Value::from(()))
}

/// The folder of a file in its several spellings.
fn folder_names(path: &str) -> [(&'static str, String); 6] {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let dotted = folder.replace('/', ".");
    [
        ("slspath", folder.to_owned()),
        (
            "tpldir",
            if folder.is_empty() {
                ".".to_owned()
            } else {
                folder.to_owned()
            },
        ),
        ("tpldot", dotted.clone()),
        ("slsdotpath", dotted),
        ("slscolonpath", folder.replace('/', ":")),
        ("sls_path", folder.replace('/', "_")),
    ]
}
