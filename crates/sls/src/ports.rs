//! What the compiler needs from outside, as traits: files, functions, and the list of what exists.
//!
//! The crate itself opens no file and calls nothing on a host. Templates are rendered by an engine
//! that keeps its callbacks for good, hence the shared ownership (`Arc`) of files and functions.

use crate::{Map, Value};

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it lies, for messages and `tplpath`; usually an absolute path.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

/// A file exists but could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilesError {
    /// What was tried and what went wrong, as a sentence for the author of the file.
    pub message: String,
}

/// The file roots (or pillar roots) of every environment.
pub trait Files: Send + Sync {
    /// Reads `path`, relative to the roots of `env`, with `/` between its parts
    /// (`vm.sls`, `web/init.sls`, `map.jinja`). The first root that has it wins; `None` when none has.
    ///
    /// The path never begins with `/` and has no `..` in it.
    ///
    /// # Errors
    /// The file is there but cannot be read as text.
    fn read(&self, env: &str, path: &str) -> Result<Option<SourceFile>, FilesError>;

    /// Every file of `env`, relative to its roots: what wildcards in `include` and top files match.
    fn list(&self, env: &str) -> Vec<String>;

    /// The environments there are, each of which may have a top file.
    fn environments(&self) -> Vec<String> {
        vec!["base".to_owned()]
    }
}

/// Reads a file unless its path leads out of the roots, in which case there is none.
///
/// # Errors
/// As [`Files::read`].
pub(crate) fn read_inside(
    files: &dyn Files,
    env: &str,
    path: &str,
) -> Result<Option<SourceFile>, FilesError> {
    let outside = path.starts_with('/') || path.split('/').any(|part| part == "..");
    if outside {
        Ok(None)
    } else {
        files.read(env, path)
    }
}

/// A function called from a template failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FunctionError {
    /// What was tried and what went wrong.
    pub message: String,
}

impl FunctionError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        FunctionError {
            message: message.into(),
        }
    }
}

/// Execution functions that templates may call: `salt['virt.list_domains']()`.
///
/// Look-ups that need nothing but the [`Target`] (`pillar.get`, `grains.get`, `config.get`,
/// `match.*` and their like) are answered by this crate and never reach the trait.
pub trait Functions: Send + Sync {
    /// Calls `name` (`virt.list_domains`).
    ///
    /// # Errors
    /// The function is unknown, its arguments are wrong, or it failed.
    fn call(&self, name: &str, args: &[Value], kwargs: &Map) -> Result<Value, FunctionError>;

    /// Every function `call` knows, in dotted form.
    fn names(&self) -> Vec<String>;
}

/// The state functions there are, so that a misspelt one is found before anything runs.
pub trait Catalog {
    /// The state modules, such as `virt`.
    fn modules(&self) -> Vec<String>;

    /// The functions of a module; `None` when there is no such module.
    fn functions(&self, module: &str) -> Option<Vec<String>>;

    /// The arguments a function takes beside the global ones; `None` when it takes any.
    fn arguments(&self, module: &str, function: &str) -> Option<Vec<String>>;
}

/// Whom the files are compiled for: what a template can look up without asking a host.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The minion's name.
    pub minion_id: String,
    /// Grains, a dictionary.
    pub grains: Value,
    /// Pillar, a dictionary.
    pub pillar: Value,
    /// Minion configuration, a dictionary.
    pub opts: Value,
    /// The only environment to take SLS from. `None`: the top files say, and SLS by their names are of `base`.
    pub saltenv: Option<String>,
    /// Further names that its templates see: `tag` and `data` of a reactor's.
    pub names: Map,
}

impl Target {
    /// A target with no grains but its `id`, no pillar and no configuration, in no particular environment.
    pub fn new(minion_id: impl Into<String>) -> Self {
        let minion_id = minion_id.into();
        Target {
            grains: serde_json::json!({ "id": minion_id }),
            pillar: Value::Object(Map::new()),
            opts: Value::Object(Map::new()),
            saltenv: None,
            names: Map::new(),
            minion_id,
        }
    }
}
