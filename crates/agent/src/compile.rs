//! From file roots, pillar roots and grains to chunks: the edge around the compiler.
//!
//! Compiling is pure but calls back into files and functions, so it runs on a thread that may block.

use crate::functions::{Bridge, Fault};
use crate::grains;
use crate::minion::Minion;
use hypervisor::Versions;
use serde_json::Value;
use sls::{Compiled, Diagnostic, Exclude, Files, FilesError, Functions, SourceFile, Target};
use std::sync::Arc;

/// What a caller adds to the target of this one run.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    /// Merged over the pillar.
    pub pillar: Option<Value>,
    /// The environment of the SLS; `None`: that of the configuration.
    pub saltenv: Option<String>,
    /// The environment of the pillar; `None`: that of the configuration, without one all of them.
    pub pillarenv: Option<String>,
    /// Versions for the grains, where the caller has read them.
    pub versions: Option<Versions>,
}

/// What is to be compiled.
#[derive(Debug, Clone)]
pub enum What {
    /// These SLS.
    Sls(Vec<String>),
    /// What the top file assigns.
    Highstate,
    /// These declarations, from a command line.
    Inline(Value),
}

/// The file roots with one more file in front of them.
struct Inline {
    text: String,
    roots: Arc<dyn Files>,
}

impl Inline {
    const NAME: &str = "command-line";
}

impl Files for Inline {
    fn read(&self, env: &str, path: &str) -> Result<Option<SourceFile>, FilesError> {
        match path.strip_suffix(".sls") {
            Some(Self::NAME) => Ok(Some(SourceFile {
                path: "the command line".to_owned(),
                text: self.text.clone(),
            })),
            _ => self.roots.read(env, path),
        }
    }

    fn list(&self, env: &str) -> Vec<String> {
        self.roots.list(env)
    }

    fn environments(&self) -> Vec<String> {
        self.roots.environments()
    }
}

/// Grains and pillar of the host. Without libvirt, grains lack its versions.
///
/// # Errors
/// The pillar does not render.
pub async fn target(minion: &Arc<Minion>, extra: Extra) -> Result<Target, Fault> {
    let (target, faults) = prepare(minion, extra).await;
    if sls::has_errors(&faults) {
        return Err(Fault::new(pillar_failed(&faults).join("\n")));
    }
    Ok(target)
}

/// The same, with whatever could be rendered and what could not.
pub async fn prepare(minion: &Arc<Minion>, extra: Extra) -> (Target, Vec<Diagnostic>) {
    let mut target = Target::new(&minion.id);
    target.grains = match (&minion.known, extra.versions) {
        (Some(known), _) => known.grains.clone(),
        (None, Some(versions)) if !minion.is_remote() => {
            grains::with_versions(&minion.id, &minion.own_grains, Some(versions))
        }
        (None, _) => grains::read(minion).await,
    };
    target.opts = minion.opts();
    let configured = |key: &str| minion.config.get(key)?.as_str().map(str::to_owned);
    // The pillar has an environment of its own.
    target.saltenv = extra.pillarenv.or_else(|| configured("pillarenv"));
    let (pillar, faults) = pillar(minion, &target).await;
    target.saltenv = extra.saltenv.or_else(|| configured("saltenv"));
    target.pillar = pillar;
    if let Some(over) = extra.pillar {
        sls::lookup::merge(&mut target.pillar, over, false);
    }
    (target, faults)
}

/// The pillar from where it comes: a description, the server, or this machine's own files.
async fn pillar(minion: &Arc<Minion>, target: &Target) -> (Value, Vec<Diagnostic>) {
    if let Some(pillar) = minion.known.as_ref().and_then(|known| known.pillar.clone()) {
        return (pillar, Vec::new());
    }
    if let Some(received) = minion.tree() {
        let found = match &target.saltenv {
            None => received.pillar().ok_or_else(|| {
                Diagnostic::error("the server's pillar is not here")
                    .remedy("let the agent of this host reach its server once more")
            }),
            Some(env) => received.pillar_in(env).await.map_err(|error| {
                let fault =
                    format!("the server's pillar of the environment {env} cannot be had: {error}");
                Diagnostic::error(fault)
                    .remedy("it is not kept on the host: the server must be there for it")
            }),
        };
        return match found {
            Ok((pillar, errors)) => (pillar, errors.into_iter().map(Diagnostic::error).collect()),
            Err(fault) => (target.pillar.clone(), vec![fault]),
        };
    }
    let files: Arc<dyn Files> = Arc::new(minion.pillar.clone());
    let (functions, target) = (functions(minion), target.clone());
    if !minion.pillar.has_files() {
        return (target.pillar, Vec::new());
    }
    blocking(move || sls::render_pillar(&target, &files, &functions)).await
}

/// Compiles for `target`. The chunks are empty when a diagnostic is an error.
pub async fn compile(
    minion: &Arc<Minion>,
    target: &Target,
    what: What,
    exclude: Vec<Exclude>,
) -> (Compiled, Vec<Diagnostic>) {
    let (files, functions, target) = (files(minion), functions(minion), target.clone());
    blocking(move || {
        let catalog = states::catalog();
        match what {
            What::Sls(mods) => sls::compile(&mods, &target, &files, &functions, &catalog, &exclude),
            What::Highstate => sls::highstate(&target, &files, &functions, &catalog, &exclude),
            What::Inline(declared) => {
                // JSON is YAML, and nothing in it is a template.
                let inline: Arc<dyn Files> = Arc::new(Inline {
                    text: format!("#!yaml\n{declared}\n"),
                    roots: files,
                });
                sls::compile(
                    &[Inline::NAME.to_owned()],
                    &target,
                    &inline,
                    &functions,
                    &catalog,
                    &exclude,
                )
            }
        }
    })
    .await
}

/// What the top file assigns, by environment.
pub async fn top(minion: &Arc<Minion>, target: &Target) -> (sls::Top, Vec<Diagnostic>) {
    let (files, functions, target) = (files(minion), functions(minion), target.clone());
    blocking(move || sls::top(&target, &files, &functions)).await
}

/// Salt's words for a pillar that does not render.
pub fn pillar_failed(faults: &[Diagnostic]) -> Vec<String> {
    let mut texts = vec!["Pillar failed to render with the following messages:".to_owned()];
    texts.extend(texts_of(faults));
    texts
}

/// The errors, each with its place, rule and remedy.
pub fn texts_of(faults: &[Diagnostic]) -> Vec<String> {
    let errors = faults.iter().filter(|fault| fault.is_error());
    errors.map(Diagnostic::text).collect()
}

/// Logs the warnings.
pub fn warn(faults: &[Diagnostic]) {
    for fault in faults.iter().filter(|fault| !fault.is_error()) {
        tracing::warn!("{}", fault.to_string().trim_start_matches("warning: "));
    }
}

fn files(minion: &Minion) -> Arc<dyn Files> {
    Arc::new(minion.state_files())
}

fn functions(minion: &Arc<Minion>) -> Arc<dyn Functions> {
    Arc::new(Bridge::new(minion.clone()))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down and polls nobody any more.
        Err(_) => std::future::pending().await,
    }
}
