//! A minion's configuration, as Salt reads it: the file `minion`, then what it includes, of itself `minion.d/*.conf`.

use sls::{Map, Value};
use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use thiserror::Error;
use tree::Roots;

const MAIN: &str = "minion";
const INCLUDED: &str = "minion.d/*.conf";

/// Files that include one another in a row.
const INCLUDE_DEPTH: usize = 16;

/// What a minion is told by its files.
#[derive(Debug, Default, PartialEq)]
pub struct MinionConfig {
    /// `id`, else what Salt has written into `minion_id`.
    pub id: Option<String>,
    /// `file_roots`.
    pub file_roots: Option<Roots>,
    /// `pillar_roots`.
    pub pillar_roots: Option<Roots>,
    /// `file_client: local`: those roots are used, whatever a server has sent.
    pub is_local: bool,
    /// `grains`.
    pub grains: Map,
    /// `virt:connection:uri`.
    pub uri: Option<String>,
    /// Everything there is.
    pub values: Map,
}

/// Why the configuration is not used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A file or folder cannot be read.
    #[error(
        "cannot read the configuration {}: {source}\nHint: call it as a user who may, or give another folder with --config-dir",
        .path.display()
    )]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is not YAML.
    #[error("{}: {problem}\nHint: it is YAML: NAME: VALUE on each line", .path.display())]
    NotYaml {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        problem: String,
    },
    /// A setting is not what it should be.
    #[error("{}: {key}: expected {expected}, found {found}", .path.display())]
    Setting {
        /// The file that has it.
        path: PathBuf,
        /// The setting.
        key: String,
        /// What it should be.
        expected: &'static str,
        /// What it is, as JSON.
        found: String,
    },
    /// Files include one another without end.
    #[error("{}: more than {INCLUDE_DEPTH} files include one another", .path.display())]
    Circle {
        /// The last one.
        path: PathBuf,
    },
}

impl MinionConfig {
    /// Reads the configuration in `folder`, which has to be there.
    ///
    /// # Errors
    /// As [`Self::read`], or there is no such folder.
    pub fn read_given(folder: &Path) -> Result<Self, ConfigError> {
        match fs::read_dir(folder) {
            Ok(_) => Self::read(folder),
            Err(source) => Err(ConfigError::Unreadable {
                path: folder.to_owned(),
                source,
            }),
        }
    }

    /// Reads the configuration in `folder`. Where there is none, nothing is configured.
    ///
    /// # Errors
    /// A file cannot be read, or says something that cannot be.
    pub fn read(folder: &Path) -> Result<Self, ConfigError> {
        let mut reader = Reader::default();
        let main = folder.join(MAIN);
        let values = reader.file(&main, Some(INCLUDED), 0)?;
        let settings = Settings {
            values: &values,
            origins: &reader.origins,
        };
        settings.of("test", "True or False", Value::as_bool)?;
        settings.text("saltenv")?;
        settings.text("pillarenv")?;
        let virt = settings.of("virt", "a dictionary", Value::as_object)?;
        let uri = virt.and_then(|virt| virt.get("connection")?.get("uri")?.as_str());
        let id = settings.text("id")?.map(str::to_owned);
        Ok(Self {
            id: id.or_else(|| kept_id(&folder.join("minion_id"))),
            file_roots: settings.roots("file_roots")?,
            pillar_roots: settings.roots("pillar_roots")?,
            is_local: settings.text("file_client")? == Some("local"),
            grains: settings
                .of("grains", "a dictionary", Value::as_object)?
                .cloned()
                .unwrap_or_default(),
            uri: uri.map(str::to_owned),
            values,
        })
    }
}

/// The name that a minion of Salt has found for itself.
fn kept_id(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

/// The settings with the files that they are from.
struct Settings<'a> {
    values: &'a Map,
    origins: &'a HashMap<String, PathBuf>,
}

impl<'a> Settings<'a> {
    /// A setting that is there and not null.
    fn of<T>(
        &self,
        key: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.values.get(key).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(ConfigError::Setting {
                path: self.origins.get(key).cloned().unwrap_or_default(),
                key: key.to_owned(),
                expected,
                found: value.to_string(),
            }),
        }
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, ConfigError> {
        let text = self.of(key, "a word", Value::as_str)?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    fn roots(&self, key: &str) -> Result<Option<Roots>, ConfigError> {
        let expected = "environments with lists of folders, such as {base: [/srv/salt]}";
        self.of(key, expected, |value| {
            let folders = |dirs: &Value| -> Option<Vec<PathBuf>> {
                let dirs = dirs.as_array()?.iter();
                dirs.map(|dir| dir.as_str().map(PathBuf::from)).collect()
            };
            let environments = value.as_object()?.iter();
            let read: Option<Vec<_>> = environments
                .map(|(env, dirs)| Some((env.clone(), folders(dirs)?)))
                .collect();
            read.map(Roots::of)
        })
    }
}

/// Reads files, and remembers which one set what.
#[derive(Default)]
struct Reader {
    origins: HashMap<String, PathBuf>,
}

impl Reader {
    /// A file with what it includes, which goes before its own settings. Included files are merged with one another.
    fn file(
        &mut self,
        path: &Path,
        always: Option<&str>,
        depth: usize,
    ) -> Result<Map, ConfigError> {
        if depth > INCLUDE_DEPTH {
            return Err(ConfigError::Circle {
                path: path.to_owned(),
            });
        }
        let mut values = self.one(path)?;
        let named = |key: &str| -> Vec<String> {
            match values.get(key) {
                Some(Value::String(pattern)) => vec![pattern.clone()],
                Some(Value::Array(patterns)) => {
                    let patterns = patterns.iter().filter_map(Value::as_str);
                    patterns.map(str::to_owned).collect()
                }
                _ => Vec::new(),
            }
        };
        let of_itself = match (always, named("default_include")) {
            (Some(pattern), named) if named.is_empty() => vec![pattern.to_owned()],
            (Some(_), named) => named,
            (None, _) => Vec::new(),
        };
        for (patterns, wanted) in [(of_itself, false), (named("include"), true)] {
            let mut included = Value::Object(Map::new());
            for pattern in patterns {
                let files = matching(path.parent().unwrap_or(Path::new("/")), &pattern)?;
                if wanted && files.is_empty() {
                    tracing::warn!("{}: include: no file matches {pattern}", path.display());
                }
                for file in files {
                    let more = self.file(&file, None, depth + 1)?;
                    sls::lookup::merge(&mut included, Value::Object(more), true);
                }
            }
            if let Value::Object(included) = included {
                values.extend(included);
            }
        }
        Ok(values)
    }

    /// One file by itself; one that is not there says nothing.
    fn one(&mut self, path: &Path) -> Result<Map, ConfigError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Map::new()),
            Err(source) => {
                return Err(ConfigError::Unreadable {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let not_yaml = |problem: String| ConfigError::NotYaml {
            path: path.to_owned(),
            problem,
        };
        match sls::yaml::load(&text) {
            Ok(Value::Object(values)) => {
                let named = values.keys().map(|key| (key.clone(), path.to_owned()));
                self.origins.extend(named);
                Ok(values)
            }
            Ok(Value::Null) => Ok(Map::new()),
            Ok(_) => Err(not_yaml("the file is no dictionary".to_owned())),
            Err(error) => Err(not_yaml(error.to_string())),
        }
    }
}

/// The files that match the pattern, whose last part may have wildcards, in the order of their names.
fn matching(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, ConfigError> {
    let pattern = folder.join(pattern);
    let (Some(parent), Some(name)) = (pattern.parent(), pattern.file_name()) else {
        return Ok(Vec::new());
    };
    let name = name.to_string_lossy();
    let unreadable = |source| ConfigError::Unreadable {
        path: parent.to_owned(),
        source,
    };
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let matches = sls::glob::matches(&name, &entry.file_name().to_string_lossy());
        if matches && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder for the test");
        for (name, text) in files {
            let path = folder.path().join(name);
            let parent = path.parent().expect("it is in the folder");
            fs::create_dir_all(parent).expect("a folder for the test");
            fs::write(path, text).expect("a file for the test");
        }
        folder
    }

    #[test]
    fn included_files_go_before_the_main_one_and_are_merged() {
        let folder = folder(&[
            (
                "minion",
                "id: kvm1\nvirt:\n  images: /old\n  tunnel: True\n",
            ),
            (
                "minion.d/10-virt.conf",
                "virt:\n  images: /images\ninclude: ../more/*\n",
            ),
            (
                "minion.d/20-virt.conf",
                "virt:\n  connection:\n    uri: xen:///system\n",
            ),
            ("minion.d/30.conf.bak", "id: other\n"),
            (
                "more/roots",
                "file_roots:\n  base: [/srv/salt]\n  dev: [/srv/dev, /srv/salt]\n",
            ),
        ]);
        let config = MinionConfig::read(folder.path()).expect("it is well-formed");
        assert_eq!(config.id.as_deref(), Some("kvm1"));
        assert_eq!(config.uri.as_deref(), Some("xen:///system"));
        // As with Salt: the key of an included file replaces that of the main one.
        assert_eq!(
            config.values["virt"],
            serde_json::json!({ "images": "/images", "connection": { "uri": "xen:///system" } })
        );
        let roots = config.file_roots.expect("they are configured");
        assert_eq!(
            roots.dirs("dev"),
            ["/srv/dev", "/srv/salt"].map(PathBuf::from)
        );
        assert!(!config.is_local);
    }

    #[test]
    fn a_minion_keeps_the_name_it_had() {
        let folder = folder(&[("minion_id", "kvm1.tf.local\n")]);
        let config = MinionConfig::read(folder.path()).expect("there is nothing wrong");
        assert_eq!(config.id.as_deref(), Some("kvm1.tf.local"));
        assert_eq!(
            MinionConfig::read(&folder.path().join("absent")).expect("there is nothing wrong"),
            MinionConfig::default()
        );
        let given = MinionConfig::read_given(&folder.path().join("absent"));
        assert!(given.is_err_and(|error| error.to_string().contains("--config-dir")));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_file() {
        let refused = |files: &[(&str, &str)]| {
            let folder = folder(files);
            let error = MinionConfig::read(folder.path()).expect_err("it is wrong");
            let path = format!("{}/", folder.path().display());
            error.to_string().replace(&path, "")
        };
        assert_eq!(
            refused(&[("minion.d/a.conf", "file_roots: [/srv/salt]\n")]),
            "minion.d/a.conf: file_roots: expected environments with lists of folders, such as {base: [/srv/salt]}, \
             found [\"/srv/salt\"]"
        );
        assert_eq!(
            refused(&[("minion", "test: 'yes'\n")]),
            "minion: test: expected True or False, found \"yes\""
        );
        assert_eq!(
            refused(&[("minion", "virt: qemu\n")]),
            "minion: virt: expected a dictionary, found \"qemu\""
        );
        assert!(refused(&[("minion", "id: [\n")]).starts_with("minion: "));
        assert!(refused(&[("minion", "- a\n")]).contains("the file is no dictionary"));
        assert!(refused(&[("minion", "include: minion\n")]).contains("include one another"));
        assert!(refused(&[("minion/x", "")]).starts_with("cannot read the configuration minion"));
    }
}
