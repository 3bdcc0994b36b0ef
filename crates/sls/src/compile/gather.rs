//! From SLS names to declarations: includes followed, each file rendered once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::Exclude;
use super::declaration::{self, Declaration};
use crate::closest::closest;
use crate::diagnostic::{Diagnostic, Location};
use crate::glob;
use crate::jinja::Engine;
use crate::ports::{Files, read_inside};
use crate::render::{Origin, SlsFile, render};
use crate::yaml::{Data, Node};

/// The first number given out to a state without `order`.
const FIRST_ORDER: i64 = 10_000;
/// Files that may include one another in a row.
const INCLUDE_DEPTH: usize = 64;

/// Everything the files declare, includes first.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) extends: Vec<Declaration>,
    pub(crate) excludes: Vec<Exclude>,
    /// Every SLS that was rendered, even to nothing.
    pub(crate) sls: BTreeSet<String>,
    /// For each SLS, those it includes, directly or not.
    pub(crate) includes: BTreeMap<String, HashSet<String>>,
}

/// Loads SLS after SLS.
pub(crate) struct Gatherer<'a> {
    files: &'a dyn Files,
    engine: &'a Engine,
    faults: &'a mut Vec<Diagnostic>,
    gathered: Gathered,
    by_id: HashMap<String, usize>,
    done: HashSet<(String, String)>,
    next_order: i64,
}

/// The file that an include stands in.
struct Includer<'a> {
    file: &'a SlsFile,
    at: Location,
    depth: usize,
}

impl<'a> Gatherer<'a> {
    pub(crate) fn new(
        files: &'a dyn Files,
        engine: &'a Engine,
        faults: &'a mut Vec<Diagnostic>,
    ) -> Self {
        Gatherer {
            files,
            engine,
            faults,
            gathered: Gathered::default(),
            by_id: HashMap::new(),
            done: HashSet::new(),
            next_order: FIRST_ORDER,
        }
    }

    pub(crate) fn finish(self) -> Gathered {
        self.gathered
    }

    /// Loads what was asked for by name or pattern.
    pub(crate) fn ask(&mut self, env: &str, name: &str) {
        let known = self.files.environments();
        if !known.iter().any(|known| known == env) {
            let message = format!("No matching salt environment for environment '{env}' found");
            let known = known.join(", ");
            self.faults.push(
                Diagnostic::error(message)
                    .remedy(format!("use one that the file roots have: {known}")),
            );
            return;
        }
        for sls in self.expand(env, name) {
            if self.load(env, &sls, 0) {
                continue;
            }
            let mut fault =
                Diagnostic::error(format!("No matching sls found for '{sls}' in env '{env}'"));
            fault.remedy = Some(self.where_to_look(env, &sls));
            self.faults.push(fault);
        }
    }

    /// A pattern becomes the SLS it matches; anything else stays as it is.
    fn expand(&self, env: &str, name: &str) -> Vec<String> {
        if !glob::is_pattern(name) {
            return vec![name.to_owned()];
        }
        let matching: Vec<String> = sls_names(self.files, env)
            .into_iter()
            .filter(|sls| glob::matches(name, sls))
            .collect();
        if matching.is_empty() {
            vec![name.to_owned()]
        } else {
            matching
        }
    }

    fn where_to_look(&self, env: &str, sls: &str) -> String {
        let names = sls_names(self.files, env);
        let path = sls.replace('.', "/");
        match closest(sls, names.iter().map(String::as_str)) {
            Some(known) => format!("did you mean '{known}'?"),
            None => format!("create {path}.sls or {path}/init.sls under the file roots of '{env}'"),
        }
    }

    /// Loads one SLS unless that is done; `false` when there is no such file.
    fn load(&mut self, env: &str, sls: &str, depth: usize) -> bool {
        if !self.done.insert((env.to_owned(), sls.to_owned())) {
            return true;
        }
        match find(self.files, env, sls) {
            Ok(Some(file)) => {
                self.gathered.sls.insert(sls.to_owned());
                if let Some((root, origin)) = render(&file, self.engine, self.faults) {
                    self.take(&file, &root, &origin, depth);
                }
                true
            }
            Ok(None) => {
                self.done.remove(&(env.to_owned(), sls.to_owned()));
                false
            }
            Err(fault) => {
                self.faults.push(*fault);
                true
            }
        }
    }

    fn take(&mut self, file: &SlsFile, root: &Node, origin: &Arc<Origin>, depth: usize) {
        let sls = &file.sls;
        let pairs = match &root.data {
            Data::Map(pairs) => pairs,
            _ if root.is_null() => return,
            _ => {
                let message = format!("SLS {sls} does not render to a dictionary");
                self.faults.push(
                    Diagnostic::error(message)
                        .in_sls(sls)
                        .at(origin.locate(root.mark))
                        .rule("a state file is a dictionary of IDs")
                        .remedy("begin each state with its ID and a colon, as in 'srv01:'"),
                );
                return;
            }
        };
        let reserved = |name: &str| root.get(name);
        if let Some(include) = reserved("include") {
            self.include(file, include, origin, depth);
        }
        if let Some(exclude) = reserved("exclude") {
            self.exclude(file, exclude, origin);
        }
        if let Some(extend) = reserved("extend") {
            self.extend(file, extend, origin);
        }
        for (key, body) in pairs {
            let internal = key.as_str().is_some_and(|key| {
                matches!(key, "include" | "exclude" | "extend") || key.starts_with("__")
            });
            if !internal
                && let Some(declared) =
                    declaration::read(key, body, sls, &file.env, origin, self.faults)
            {
                self.declare(declared);
            }
        }
    }

    fn declare(&mut self, mut declaration: Declaration) {
        for state in &mut declaration.states {
            if state.argument("order").is_none() {
                state.order = self.next_order;
                self.next_order += 1;
            }
        }
        let id = &declaration.id;
        if let Some(first) = self
            .by_id
            .get(id)
            .map(|index| &self.gathered.declarations[*index])
        {
            let message = format!(
                "Detected conflicting IDs, SLS IDs need to be globally unique.\n    The conflicting ID is '{id}' and is \
                 found in SLS '{}:{}' and SLS '{}:{}'",
                first.env, first.sls, declaration.env, declaration.sls
            );
            self.faults.push(
                Diagnostic::error(message)
                    .in_sls(&declaration.sls)
                    .at(declaration.at.clone())
                    .also(first.at.clone())
                    .rule("an ID stands once in all the files of a run")
                    .remedy(format!(
                        "rename one of them and keep the name with '- name: {id}'"
                    )),
            );
            return;
        }
        self.by_id
            .insert(id.clone(), self.gathered.declarations.len());
        self.gathered.declarations.push(declaration);
    }

    fn include(&mut self, file: &SlsFile, include: &Node, origin: &Arc<Origin>, depth: usize) {
        let at = origin.locate(include.mark);
        let Some(items) = include.as_seq() else {
            let message = format!(
                "Include Declaration in SLS {} is not formed as a list",
                file.sls
            );
            self.faults.push(
                Diagnostic::error(message)
                    .in_sls(&file.sls)
                    .at(at)
                    .remedy("write each name on its own line as '- name'"),
            );
            return;
        };
        for item in items {
            let includer = Includer {
                file,
                at: origin.locate(item.mark),
                depth,
            };
            let (env, name) = match &item.data {
                Data::Map(pairs) if pairs.len() == 1 => (
                    pairs[0].0.scalar_text().unwrap_or_default(),
                    pairs[0].1.scalar_text().unwrap_or_default(),
                ),
                _ => (file.env.clone(), item.scalar_text().unwrap_or_default()),
            };
            if env.is_empty() || name.is_empty() {
                let message = format!(
                    "Include Declaration in SLS {} has an item that names no SLS: {}",
                    file.sls,
                    crate::yaml::print_flow(&item.to_value())
                );
                self.faults.push(
                    Diagnostic::error(message)
                        .in_sls(&file.sls)
                        .at(includer.at)
                        .remedy("write '- name', or '- environment: name'"),
                );
                continue;
            }
            self.include_one(&includer, &env, &name);
        }
    }

    fn include_one(&mut self, includer: &Includer<'_>, env: &str, name: &str) {
        let file = includer.file;
        let fault = |message: String| {
            Diagnostic::error(message)
                .in_sls(&file.sls)
                .at(includer.at.clone())
        };
        if env != file.env && !self.files.environments().iter().any(|known| known == env) {
            let known = self.files.environments().join(", ");
            self.faults.push(
                fault(format!(
                    "Nonexistent saltenv '{env}' found in include of '{name}' within SLS '{}:{}'",
                    file.env, file.sls
                ))
                .remedy(format!("the environments are: {known}")),
            );
            return;
        }
        let Some(name) = absolute(file, name) else {
            self.faults.push(
                fault(format!(
                    "Attempted relative include of '{name}' within SLS '{}:{}' goes beyond top level package",
                    file.env, file.sls
                ))
                .remedy("use fewer dots, or the full name of the SLS"),
            );
            return;
        };
        if includer.depth >= INCLUDE_DEPTH {
            self.faults.push(
                fault(format!(
                    "more than {INCLUDE_DEPTH} files include one another"
                ))
                .remedy("include some of them from a file further up"),
            );
            return;
        }
        for sls in self.expand(env, &name) {
            if !self.load(env, &sls, includer.depth + 1) {
                let missing = fault(format!(
                    "Specified SLS {sls} in saltenv {env} is not available on the salt master or through a configured \
                     fileserver"
                ));
                let remedy = self.where_to_look(env, &sls);
                self.faults.push(missing.remedy(remedy));
                continue;
            }
            let inner = self
                .gathered
                .includes
                .get(&sls)
                .cloned()
                .unwrap_or_default();
            let all = self.gathered.includes.entry(file.sls.clone()).or_default();
            all.extend(inner);
            all.insert(sls);
        }
    }

    fn exclude(&mut self, file: &SlsFile, exclude: &Node, origin: &Arc<Origin>) {
        match exclude.as_seq() {
            Some(items) => {
                for item in items {
                    match Exclude::from_value(&item.to_value()) {
                        Some(exclude) => self.gathered.excludes.push(exclude),
                        None => self.faults.push(
                            Diagnostic::error(format!(
                                "Exclude Declaration in SLS {} has an item that names neither an SLS nor an ID: {}",
                                file.sls,
                                crate::yaml::print_flow(&item.to_value())
                            ))
                            .in_sls(&file.sls)
                            .at(origin.locate(item.mark))
                            .remedy("write '- name', '- sls: name' or '- id: name'"),
                        ),
                    }
                }
            }
            None => self.faults.push(
                Diagnostic::error(format!(
                    "Exclude Declaration in SLS {} is not formed as a list",
                    file.sls
                ))
                .in_sls(&file.sls)
                .at(origin.locate(exclude.mark))
                .remedy("write each one on its own line as '- sls: name' or '- id: name'"),
            ),
        }
    }

    fn extend(&mut self, file: &SlsFile, extend: &Node, origin: &Arc<Origin>) {
        let Some(pairs) = extend.as_map() else {
            self.faults.push(
                Diagnostic::error(format!("Extension declaration in SLS {} is not formed as a dictionary", file.sls))
                    .in_sls(&file.sls)
                    .at(origin.locate(extend.mark))
                    .remedy("write 'extend:' and below it, indented, the ID and the module with its arguments"),
            );
            return;
        };
        for (id, body) in pairs {
            // An extension may leave the function out, so that fault is not one here.
            let mut faults = Vec::new();
            let declared = declaration::read(id, body, &file.sls, &file.env, origin, &mut faults);
            faults.retain(|fault| !fault.message.starts_with("No function declared"));
            self.faults.append(&mut faults);
            self.gathered.extends.extend(declared);
        }
    }
}

/// The full name of an include; leading dots count from the including file's package.
fn absolute(file: &SlsFile, name: &str) -> Option<String> {
    let rest = name.trim_start_matches('.');
    let dots = name.len() - rest.len();
    if dots == 0 {
        return Some(name.to_owned());
    }
    let mut package: Vec<&str> = file.sls.split('.').collect();
    if file.path.ends_with("/init.sls") {
        package.push("init");
    }
    package.truncate(package.len().checked_sub(dots)?);
    package.extend((!rest.is_empty()).then_some(rest));
    Some(package.join("."))
}

/// Finds `a.b` as `a/b.sls` or `a/b/init.sls`.
///
/// # Errors
/// The file is there but cannot be read.
pub(crate) fn find(
    files: &dyn Files,
    env: &str,
    sls: &str,
) -> Result<Option<SlsFile>, Box<Diagnostic>> {
    let base = sls.replace('.', "/");
    for path in [format!("{base}.sls"), format!("{base}/init.sls")] {
        match read_inside(files, env, &path) {
            Ok(None) => {}
            Ok(Some(source)) => {
                return Ok(Some(SlsFile {
                    sls: sls.to_owned(),
                    env: env.to_owned(),
                    path,
                    source,
                }));
            }
            Err(fault) => {
                let message = format!("Rendering SLS '{env}:{sls}' failed: {fault}");
                let fault = Diagnostic::error(message)
                    .in_sls(sls)
                    .at(Location::source(path, 1, 0))
                    .remedy("make it a text file in UTF-8 that the program may read");
                return Err(Box::new(fault));
            }
        }
    }
    Ok(None)
}

/// Every SLS of an environment in dotted form, sorted.
pub(crate) fn sls_names(files: &dyn Files, env: &str) -> Vec<String> {
    let mut names: Vec<String> = files
        .list(env)
        .iter()
        .filter_map(|path| path.strip_suffix(".sls"))
        .filter(|path| *path != "top")
        .map(|path| path.strip_suffix("/init").unwrap_or(path).replace('/', "."))
        .collect();
    names.sort();
    names.dedup();
    names
}
