//! `salar backup` and `salar restore`: the server's own state in one file, and back.

use crate::client_work;
use crate::serve::{self, File, Guard};
use cli::{Failure, Outcome};
use server::{Backup, BackupError};
use std::io::Write as _;
use std::path::PathBuf;

/// Which server.
#[derive(Debug, clap::Args)]
struct Which {
    /// File with the server's settings, for its state folder
    #[arg(
        long,
        value_name = "FILE",
        env = "SALAR_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,

    /// The server's state folder [default: /var/lib/salar]
    #[arg(
        long,
        value_name = "DIR",
        env = "SALAR_STATE_DIR",
        hide_env_values = true
    )]
    state_dir: Option<PathBuf>,
}

/// Write all that the server keeps to one file, while it runs
///
/// In it are the store (users, keys of agents, jobs, what is known of the hosts) and the certificate authority with its
/// key. Who has the file can do what the server can; it is readable by its owner only.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// The new file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    which: Which,
}

/// Go back to what a backup holds; the server must not run
///
/// What was decided since does not count any more: keys of agents that were rejected are accepted again, passwords are
/// the old ones. Sign-ins and tokens to join end. What VMs there are is read from the hosts.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// A file of salar backup
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Take the place of the store that is there; it is kept beside the new one
    #[arg(long)]
    replace: bool,

    #[command(flatten)]
    which: Which,
}

impl Which {
    fn folder(self) -> Result<PathBuf, Failure> {
        let file = match &self.config {
            Some(path) => File::read(path)?,
            None => File::default(),
        };
        serve::state_dir(self.state_dir, file.state_dir)
    }
}

pub(crate) fn make(args: BackupArgs) -> Result<Outcome, Failure> {
    let folder = args.which.folder()?;
    let made = server::make_backup(&folder, &args.file);
    client_work(async {
        let made = made.await.map_err(|error| refused(&error))?;
        say(&format!(
            "Wrote {} ({}), as of {:.0}\n",
            args.file.display(),
            size(made.bytes),
            made.made_at
        ))
    })
}

pub(crate) fn restore(args: RestoreArgs) -> Result<Outcome, Failure> {
    let folder = args.which.folder()?;
    let _guard = Guard::take(&folder)?;
    let restored = server::restore_backup(&folder, &args.file, args.replace);
    client_work(async {
        let restored = restored.await.map_err(|error| refused(&error))?;
        say(&restored_words(&restored))
    })
}

fn restored_words(restored: &Backup) -> String {
    let mut text = format!(
        "Restored what was there at {:.0} (salar {})\n",
        restored.made_at, restored.version
    );
    if let Some(kept) = &restored.kept {
        text.push_str(&format!("What it replaces is in {}\n", kept.display()));
    }
    text.push_str(
        "Look through what was decided since: salar user list, salar key list; then start the server: salar serve\n",
    );
    text
}

fn say(text: &str) -> Result<Outcome, Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Ok(Outcome::Done),
        Err(error) => Err(Failure::new(format!(
            "cannot write to standard output: {error}"
        ))),
    }
}

/// In the unit that leaves one to three digits before the point.
fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64;
    let mut at = 0;
    while size >= 1000.0 && at + 1 < units.len() {
        size /= 1024.0;
        at += 1;
    }
    match at {
        0 => format!("{bytes} bytes"),
        _ => format!("{size:.1} {}", units[at]),
    }
}

fn refused(error: &BackupError) -> Failure {
    let failure = Failure::new(serve::chain(error));
    match error {
        BackupError::Exists { .. } => failure.hint("a backup overwrites nothing; name a new file"),
        BackupError::Occupied { .. } => failure
            .hint("with --replace the backup takes its place, and what is there is kept beside it"),
        BackupError::Incomplete { .. } => failure.hint("take another backup"),
        BackupError::Store(_) => {
            failure.hint("is this the server's state folder? Name it with --state-dir DIR")
        }
        BackupError::File { .. } => {
            failure.hint("look at the free space and the rights of the folder")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_a_unit_that_fits() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1024, "1.0 KiB"),
            (1_500_000, "1.4 MiB"),
            (3 << 40, "3.0 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
