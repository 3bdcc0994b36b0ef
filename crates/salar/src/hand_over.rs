//! Handing over to `salar-agent`, the program that links libvirt.

use cli::{Failure, Outcome};
use std::env;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "salar-agent";

/// Becomes `salar-agent COMMAND ARGUMENTS`. Returns only if that failed.
pub(crate) fn exec(command: &str, arguments: Vec<OsString>) -> Result<Outcome, Failure> {
    let program = find_agent().ok_or_else(missing)?;
    let error = Command::new(&program).arg(command).args(arguments).exec();
    Err(
        Failure::new(format!("cannot start {}: {error}", program.display()))
            .hint("it must be of the same package as salar; install it again"),
    )
}

/// The agent's program: beside this one (or beside what a link to it leads to), else in `PATH`.
pub(crate) fn find_agent() -> Option<PathBuf> {
    let here = env::current_exe().ok();
    let beside = here
        .iter()
        .filter_map(|path| path.parent().map(Path::to_path_buf));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = beside.chain(env::split_paths(&path)).collect();
    find_in(&folders)
}

fn find_in(folders: &[PathBuf]) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        path.metadata()
            .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    folders
        .iter()
        .map(|folder| folder.join(PROGRAM))
        .find(is_program)
}

/// Says that there is none.
pub(crate) fn missing() -> Failure {
    Failure::new("cannot find salar-agent, neither beside salar nor in PATH")
        .hint("it comes in the same package; from source: cargo build -p salar-agent")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_a_file_that_may_be_executed_is_the_agent() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [a, b, c] = ["a", "b", "c"].map(|name| folder.path().join(name));
        for place in [&a, &b, &c] {
            fs::create_dir(place).expect("made");
        }
        fs::create_dir(a.join(PROGRAM)).expect("made");
        fs::write(b.join(PROGRAM), "").expect("written");
        assert_eq!(find_in(&[a.clone(), b.clone(), c.clone()]), None);
        fs::write(c.join(PROGRAM), "").expect("written");
        fs::set_permissions(c.join(PROGRAM), fs::Permissions::from_mode(0o755)).expect("set");
        assert_eq!(find_in(&[a, b, c.clone()]), Some(c.join(PROGRAM)));
    }
}
