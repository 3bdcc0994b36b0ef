//! Why there is no image.

use super::format::NotAnImage;
use hypervisor::HypervisorError;
use model::Bytes;
use model::plan::without_credentials;
use thiserror::Error;

/// An image could not be fetched, or not be put into its volume.
#[derive(Debug, Error)]
pub enum ImageError {
    /// Neither `http(s)://…` or `ftp://…`, nor an absolute path.
    #[error("cannot use the image {}: {why}", without_credentials(location))]
    Location {
        /// As given.
        location: String,
        /// Which rule it breaks.
        why: &'static str,
    },
    /// The checksum itself cannot be read.
    #[error("cannot check the image {}: {why}", without_credentials(location))]
    BadChecksum {
        /// Where it comes from.
        location: String,
        /// What is wrong with the checksum.
        why: String,
    },
    /// The server answered, and refused.
    #[error(
        "cannot download {}: the server answers {status}",
        without_credentials(location)
    )]
    Status {
        /// Where it comes from.
        location: String,
        /// `404 Not Found`
        status: String,
    },
    /// No connection, or it broke again and again.
    #[error(
        "cannot download {}: {why} (tried {attempts} times)",
        without_credentials(location)
    )]
    Connection {
        /// Where it comes from.
        location: String,
        /// What the last attempt met.
        why: String,
        /// Attempts without getting any further.
        attempts: u32,
    },
    /// The transfer always ends before the announced size.
    #[error(
        "cannot download {}: it ends after {got} bytes of {total} (tried {attempts} times)",
        without_credentials(location)
    )]
    Truncated {
        /// Where it comes from.
        location: String,
        /// Bytes that arrived.
        got: u64,
        /// Bytes announced.
        total: u64,
        /// Attempts without getting any further.
        attempts: u32,
    },
    /// Somebody asked to stop. What has arrived is kept for the next time.
    #[error("the download of {} was cancelled", without_credentials(location))]
    Cancelled {
        /// Where it comes from.
        location: String,
    },
    /// It arrived and is not what the administrator expects.
    #[error(
        "cannot use the image {}: its SHA-256 is {found}, not {wanted}",
        without_credentials(location)
    )]
    Checksum {
        /// Where it comes from.
        location: String,
        /// As computed.
        found: String,
        /// As given.
        wanted: String,
    },
    /// It arrived and is no image of that format.
    #[error("cannot use the image {}: {why}", without_credentials(location))]
    NotAnImage {
        /// Where it comes from.
        location: String,
        /// What it is instead.
        why: NotAnImage,
    },
    /// The cache or the image file cannot be read or written.
    #[error("cannot {what} {path}: {why}")]
    File {
        /// `write`, `read`…
        what: &'static str,
        /// Which file.
        path: String,
        /// The system's word.
        why: std::io::Error,
    },
    /// Known before anything was written.
    #[error(
        "cannot put the image {} into pool {pool}: it needs {needed}, the pool has {available} free",
        without_credentials(location)
    )]
    PoolFull {
        /// Where it comes from.
        location: String,
        /// The pool.
        pool: String,
        /// Size of the image file.
        needed: Bytes,
        /// Free in the pool.
        available: Bytes,
    },
    /// A call to the hypervisor failed.
    #[error(transparent)]
    Hypervisor(#[from] HypervisorError),
}

impl ImageError {
    /// A file operation on `path`.
    pub(super) fn file(
        what: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |why| Self::File { what, path, why }
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Location { .. } => {
                Some("give an http://, https:// or ftp:// address, or an absolute path on the host")
            }
            Self::BadChecksum { .. } => {
                Some("give 64 hexadecimal digits, or sha256= and the digits")
            }
            Self::Status { .. } => Some(
                "open the address in a browser; images move when distributions publish new ones",
            ),
            Self::Connection { .. } | Self::Truncated { .. } => Some(
                "check the network between the host and the server; the next run goes on where this one stopped",
            ),
            Self::Checksum { .. } => Some(
                "compare with the checksum its publisher gives; the image may have been replaced",
            ),
            Self::NotAnImage { .. } | Self::Cancelled { .. } => None,
            Self::File { .. } => Some("check space and rights of the agent's state folder"),
            Self::PoolFull { .. } => Some("free space in the pool or use another one"),
            Self::Hypervisor(error) => error.hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_url_is_in_no_message() {
        let error = ImageError::Cancelled {
            location: "https://ann:secret@mirror.example/x.qcow2".to_owned(),
        };
        assert_eq!(
            error.to_string(),
            "the download of https://mirror.example/x.qcow2 was cancelled"
        );
    }
}
