//! Kernels and initial RAM disks that have to be fetched before the VM can boot them.
//!
//! Source: Salt `virt._handle_remote_boot_params`, which makes up a new name for each download. Here the name tells what
//! the file is, so that it is fetched once, and another file is another definition.

use crate::facts::Fact;
use crate::planners::steps::planned;
use crate::want::vm::{BootFile, VmWant};
use crate::{HostPath, Needs, Observation, StateError};
use domxml::Place;
use model::plan::{Consequence, FileOp, ImageSource, PlannedStep, Step, Undo, without_credentials};
use uuid::Uuid;

/// Where they are kept. Source: Salt.
const FOLDER: &str = "/var/lib/libvirt/saltinst";

/// What decides where the files are.
pub(super) fn needs(want: &VmWant, needs: &mut Needs) {
    for file in &want.boot_files {
        match file.url.starts_with("salt://") {
            true => {
                needs.salt_files.insert(file.url.clone());
                needs.checksums.insert(file.url.clone());
            }
            false => drop(needs.paths.insert(path(&file.url, ""))),
        }
    }
}

/// Whether the files of the state tree are on the host can be looked at once their checksums are known.
pub(super) fn further_needs(want: &VmWant, seen: &Observation) -> Option<Needs> {
    let of_tree = want.boot_files.iter().filter_map(|file| {
        let checksum = seen.checksums.get(&file.url)?;
        Some(path(&file.url, checksum))
    });
    let paths: std::collections::BTreeSet<String> = of_tree.collect();
    (!paths.is_empty()).then(|| Needs {
        paths,
        ..Needs::default()
    })
}

/// What the definition says of them, and the steps that fetch those that are not there.
pub(super) fn resolve(
    want: &VmWant,
    seen: &Observation,
) -> Result<(Vec<Fact>, Vec<PlannedStep>), StateError> {
    let (mut facts, mut steps) = (Vec::new(), Vec::new());
    for BootFile { element, url } in &want.boot_files {
        let location = super::source::location(url, seen)?;
        let checksum = match url.starts_with("salt://") {
            true => Some(seen.checksums.get(url).cloned().unwrap_or_default()),
            false => None,
        };
        let path = path(url, checksum.as_deref().unwrap_or_default());
        let fetched = matches!(seen.paths.get(&path), Some(HostPath::File));
        facts.push(Fact::text(Place::at("os").child(element), &path));
        let step = Step::File {
            path: path.clone(),
            op: FileOp::Fetch {
                source: ImageSource { location, checksum },
            },
        };
        if !fetched && !steps.iter().any(|known: &PlannedStep| known.step == step) {
            steps.push(planned(
                step,
                Consequence::None,
                format!("Fetch {} to {path}", without_credentials(url)),
                Undo::NotNeeded("the file stays for the next try, and nothing else uses it"),
            ));
        }
    }
    Ok((facts, steps))
}

/// The file's name behind a few digits that stand for where it comes from and, where that is known, for what is in it.
fn path(url: &str, checksum: &str) -> String {
    let shown = without_credentials(url);
    let file = shown.split(['?', '#']).next().unwrap_or_default();
    let file = file.rsplit('/').next().unwrap_or_default();
    let usable = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let file: String = file
        .chars()
        .map(|c| if usable(c) { c } else { '_' })
        .take(60)
        .collect();
    let identity = format!("{url}\n{checksum}");
    let digest = Uuid::new_v5(&Uuid::NAMESPACE_URL, identity.as_bytes())
        .simple()
        .to_string();
    format!("{FOLDER}/{}-{file}", &digest[..12])
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn another_place_or_content_is_another_file() {
        let one = path("https://ann:secret@mirror.example/a/linux?x=1", "");
        assert!(one.starts_with("/var/lib/libvirt/saltinst/"), "{one}");
        assert!(one.ends_with("-linux"), "{one}");
        assert!(!one.contains("secret"));
        assert_ne!(one, path("https://mirror.example/b/linux", ""));
        assert_ne!(path("salt://linux", "1"), path("salt://linux", "2"));
        assert_eq!(path("salt://../x y", "1").rsplit('/').count(), 6);
    }
}
