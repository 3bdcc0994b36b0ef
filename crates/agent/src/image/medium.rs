//! Small generated media, such as cloud-init's drive, put into volumes.

use super::error::ImageError;
use super::volume::Workshop;
use domxml::Element;
use hypervisor::{HypervisorError, Reason, Transferred, Upload};
use model::Bytes;
use model::plan::{Step, VolumeOp};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use uuid::Uuid;

impl Workshop<'_> {
    /// Makes the volume one of these bytes. One that is there is written over, and grows if it is too small.
    ///
    /// # Errors
    /// The hypervisor refuses. A volume that was not there before is then not there.
    pub async fn write(&self, pool: &str, name: &str, content: &[u8]) -> Result<(), ImageError> {
        let size = Bytes(content.len() as u64);
        let file = Scratch::holding(content)?;
        match self.hypervisor.find_volume(pool, name).await? {
            Some(have) if have.capacity < size => {
                let grow = VolumeOp::Resize { capacity: size };
                self.volume_op(pool, name, grow).await?;
                Ok(self.fill(pool, name, &file).await?)
            }
            Some(_) => Ok(self.fill(pool, name, &file).await?),
            None => self.make(pool, name, size, &file).await,
        }
    }

    async fn make(
        &self,
        pool: &str,
        name: &str,
        size: Bytes,
        file: &Scratch,
    ) -> Result<(), ImageError> {
        let marker = self.unfinished.mark(self.uri, pool, name)?;
        let xml = volume_xml(name, size);
        let made = match self.volume_op(pool, name, VolumeOp::Create { xml }).await {
            Ok(()) => self.fill(pool, name, file).await,
            Err(error) if error.reason.leaves_outcome_unknown() => Err(error),
            Err(error) => {
                marker.done();
                return Err(error.into());
            }
        };
        let gone = match &made {
            Ok(()) => true,
            Err(_) => match self.volume_op(pool, name, VolumeOp::Delete).await {
                Err(error) if error.reason != Reason::NotFound => {
                    tracing::warn!("A half-made volume stays for now: {error}");
                    false
                }
                _ => true,
            },
        };
        // Deleting failed, too: the marker stays and the next run tries again.
        if gone {
            marker.done();
        }
        Ok(made?)
    }

    async fn fill(&self, pool: &str, name: &str, file: &Scratch) -> Result<(), HypervisorError> {
        self.hypervisor
            .upload(&Upload::whole(pool, name, &file.0), Transferred::default())
            .await
    }

    async fn volume_op(&self, pool: &str, name: &str, op: VolumeOp) -> Result<(), HypervisorError> {
        let step = Step::Volume {
            pool: pool.to_owned(),
            name: name.to_owned(),
            op,
        };
        self.hypervisor.perform(&step).await
    }
}

/// A file that only its owner can read, and that goes with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn holding(content: &[u8]) -> Result<Self, ImageError> {
        let path = std::env::temp_dir().join(format!("salar-{}", Uuid::new_v4()));
        let write = || -> std::io::Result<Self> {
            let mut options = File::options();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)?;
            let scratch = Self(path.clone());
            file.write_all(content)?;
            Ok(scratch)
        };
        write().map_err(ImageError::file("write", &path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn volume_xml(name: &str, size: Bytes) -> String {
    let format = Element::new("format").attr("type", "raw");
    Element::new("volume")
        .child(Element::text("name", name))
        .child(Element::text("capacity", size.0).attr("unit", "bytes"))
        .child(Element::new("target").child(format))
        .to_xml(0)
}
