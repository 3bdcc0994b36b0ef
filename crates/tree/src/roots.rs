//! File roots and pillar roots: where state files, templates and pillar files are read from.

use sls::{Files, FilesError, SourceFile};
use std::path::{Component, Path, PathBuf};

/// The folders of the one environment, `base`; the first one that has a file wins.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    dirs: Vec<PathBuf>,
}

impl Roots {
    /// Deeper than any tree of state files, and an end for folders that link to themselves.
    const MAX_DEPTH: usize = 32;

    /// These folders, in this order. They need not exist.
    pub fn new(dirs: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            dirs: dirs.into_iter().collect(),
        }
    }

    /// The folders.
    pub fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }

    /// Where `path`, relative to the roots, lies on this host.
    pub fn locate(&self, path: &str) -> Option<PathBuf> {
        let relative = inside(path)?;
        self.dirs
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
        let Some(found) = (env == "base").then(|| self.locate(path)).flatten() else {
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
        if env == "base" {
            for dir in &self.dirs {
                collect(dir, "", Self::MAX_DEPTH, &mut files);
            }
        }
        files.sort();
        files.dedup();
        files
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
}
