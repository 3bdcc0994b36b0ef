//! File roots and pillar roots: where state files, templates and pillar files are read from.

use sls::{Files, FilesError, SourceFile};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// The environment that is there without being named.
pub const BASE: &str = "base";

/// A folder of an environment, as it is given on a command line: `/srv/salt`, or `dev=/srv/dev`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Its environment.
    pub env: String,
    /// The folder.
    pub dir: PathBuf,
}

impl Root {
    /// A folder of `base`.
    pub fn base(dir: impl Into<PathBuf>) -> Self {
        Self {
            env: BASE.to_owned(),
            dir: dir.into(),
        }
    }

    /// With an absolute path.
    ///
    /// # Errors
    /// The path is empty, or there is no working folder.
    pub fn absolute(self) -> std::io::Result<Self> {
        let dir = std::path::absolute(&self.dir)?;
        Ok(Self { dir, ..self })
    }
}

/// A text that names no folder of an environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of DIR and ENVIRONMENT=DIR")]
pub struct BadRoot(String);

impl FromStr for Root {
    type Err = BadRoot;

    /// A path with a `=` in its first part is written with `./` before it.
    fn from_str(text: &str) -> Result<Self, BadRoot> {
        let bad = || BadRoot(text.to_owned());
        let (env, dir) = match text.split_once('=') {
            Some((env, dir)) if !env.contains('/') => (env, dir),
            _ => (BASE, text),
        };
        if dir.is_empty() || !is_environment(env) {
            return Err(bad());
        }
        Ok(Self {
            env: env.to_owned(),
            dir: dir.into(),
        })
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.env.as_str() {
            BASE => self.dir.display().fmt(f),
            env => write!(f, "{env}={}", self.dir.display()),
        }
    }
}

/// Whether an environment can have this name: it is the name of a folder, too, where a tree is kept.
pub fn is_environment(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    ) && !name.contains('/')
}

/// The folders of each environment; the first one that has a file wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots {
    dirs: BTreeMap<String, Vec<PathBuf>>,
}

impl Roots {
    /// Deeper than any tree of state files, and an end for folders that link to themselves.
    const MAX_DEPTH: usize = 32;

    /// These folders for `base`, in this order. They need not exist.
    pub fn new(dirs: impl IntoIterator<Item = PathBuf>) -> Self {
        Self::of([(BASE.to_owned(), dirs.into_iter().collect())])
    }

    /// The folders of several environments. `base` is always one of them.
    pub fn of(environments: impl IntoIterator<Item = (String, Vec<PathBuf>)>) -> Self {
        let mut dirs: BTreeMap<_, _> = environments.into_iter().collect();
        dirs.entry(BASE.to_owned()).or_default();
        Self { dirs }
    }

    /// These folders, each with its environment, in the order in which they are read.
    pub fn given(roots: impl IntoIterator<Item = Root>) -> Self {
        let mut dirs: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for Root { env, dir } in roots {
            dirs.entry(env).or_default().push(dir);
        }
        Self::of(dirs)
    }

    /// Each folder with its environment.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        self.dirs.iter().flat_map(|(env, dirs)| {
            dirs.iter().map(|dir| Root {
                env: env.clone(),
                dir: dir.clone(),
            })
        })
    }

    /// Whether there is a file in any environment.
    pub fn has_files(&self) -> bool {
        self.dirs.keys().any(|env| !self.list(env).is_empty())
    }

    /// The folders of `env`; none where there is no such environment.
    pub fn dirs(&self, env: &str) -> &[PathBuf] {
        self.dirs.get(env).map_or(&[], Vec::as_slice)
    }

    /// Where `path`, relative to the roots of `env`, lies on this host.
    pub fn locate(&self, env: &str, path: &str) -> Option<PathBuf> {
        let relative = inside(path)?;
        self.dirs(env)
            .iter()
            .map(|dir| dir.join(relative))
            .find(|path| path.is_file())
    }
}

/// `path`, if it only goes down: no `..`, not absolute. Links inside the roots are their owner's decision.
pub fn inside(path: &str) -> Option<&Path> {
    let path = Path::new(path);
    let only_down = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    only_down.then_some(path)
}

impl Files for Roots {
    fn read(&self, env: &str, path: &str) -> Result<Option<SourceFile>, FilesError> {
        let Some(found) = self.locate(env, path) else {
            return Ok(None);
        };
        match std::fs::read_to_string(&found) {
            Ok(text) => Ok(Some(SourceFile {
                path: found.display().to_string(),
                text,
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FilesError {
                message: format!("cannot read {}: {error}", found.display()),
            }),
        }
    }

    fn list(&self, env: &str) -> Vec<String> {
        let mut files = Vec::new();
        for dir in self.dirs(env) {
            collect(dir, "", Self::MAX_DEPTH, &mut files);
        }
        files.sort();
        files.dedup();
        files
    }

    fn environments(&self) -> Vec<String> {
        self.dirs.keys().cloned().collect()
    }
}

fn collect(dir: &Path, prefix: &str, depth: usize, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{prefix}{name}");
        if entry.path().is_file() {
            files.push(path);
        } else if depth > 0 && !name.starts_with('.') && entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), depth - 1, files);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_roots() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let dir = folder.path();
        std::fs::create_dir_all(dir.join("srv/web")).expect("a folder for the test");
        std::fs::write(dir.join("secret.sls"), "x: 1").expect("a file for the test");
        std::fs::write(dir.join("srv/web/init.sls"), "y: 1").expect("a file for the test");
        let roots = Roots::new([dir.join("absent"), dir.join("srv")]);

        assert_eq!(roots.list("base"), ["web/init.sls"]);
        let text = |path: &str| {
            roots
                .read("base", path)
                .expect("readable")
                .map(|file| file.text)
        };
        assert_eq!(text("web/init.sls").as_deref(), Some("y: 1"));
        assert_eq!(text("../secret.sls"), None);
        assert_eq!(text("web/../../secret.sls"), None);
        assert_eq!(text(&dir.join("secret.sls").display().to_string()), None);
        assert_eq!(roots.read("dev", "web/init.sls"), Ok(None));
    }

    #[test]
    fn a_root_says_its_environment() {
        let read = |text: &str| text.parse::<Root>();
        assert_eq!(read("/srv/salt"), Ok(Root::base("/srv/salt")));
        assert_eq!(read("./a=b"), Ok(Root::base("./a=b")));
        let dev = read("dev=/srv/x=y").expect("is one");
        assert_eq!(
            (dev.env.as_str(), dev.dir),
            ("dev", PathBuf::from("/srv/x=y"))
        );
        for bad in ["", "dev=", "=/srv", "..=/srv", ".=/srv"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let roots = ["dev=/a", "/b", "dev=/c"].map(|text| read(text).expect("is one"));
        let told: Vec<String> = Roots::given(roots)
            .roots()
            .map(|root| root.to_string())
            .collect();
        assert_eq!(told, ["/b", "dev=/a", "dev=/c"]);
    }

    #[test]
    fn each_environment_has_its_own_folders() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let dir = |name: &str| folder.path().join(name);
        for name in ["base", "dev"] {
            std::fs::create_dir_all(dir(name)).expect("a folder for the test");
            std::fs::write(dir(name).join("vm.sls"), name).expect("a file for the test");
        }
        std::fs::write(dir("dev").join("new.sls"), "").expect("a file for the test");
        let roots = Roots::of([("dev".to_owned(), vec![dir("dev")])]);
        assert_eq!(roots.environments(), ["base", "dev"]);
        assert_eq!(roots.locate("base", "vm.sls"), None);

        let roots = Roots::of([
            (BASE.to_owned(), vec![dir("base")]),
            ("dev".to_owned(), vec![dir("dev"), dir("base")]),
        ]);
        assert_eq!(
            roots.locate("base", "vm.sls"),
            Some(dir("base").join("vm.sls"))
        );
        assert_eq!(
            roots.locate("dev", "vm.sls"),
            Some(dir("dev").join("vm.sls"))
        );
        assert_eq!(roots.list("base"), ["vm.sls"]);
        assert_eq!(roots.list("dev"), ["new.sls", "vm.sls"]);
        assert_eq!(roots.locate("prod", "vm.sls"), None);
    }
}
