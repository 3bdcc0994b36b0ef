//! File roots and pillar roots: where state files, templates and pillar files are read from.

use sls::{Files, FilesError, SourceFile};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The environment that is there without being named.
pub const BASE: &str = "base";

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
