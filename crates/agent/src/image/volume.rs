//! From an image to a volume: create, upload, grow. A failure takes the volume away again.

use super::error::ImageError;
use super::store::{Image, ImageStore};
use super::unfinished::Unfinished;
use crate::progress::{Meter, ProgressSink};
use domxml::Element;
use hypervisor::{Hypervisor, HypervisorError, Key, Transferred, Upload};
use model::Bytes;
use model::plan::{ImageSource, Step, VolumeOp};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The volume to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewVolume<'a> {
    /// Pool it goes into.
    pub pool: &'a str,
    /// Its name there.
    pub name: &'a str,
    /// Where its content comes from.
    pub image: &'a ImageSource,
    /// Format of both.
    pub format: &'a str,
    /// Wanted capacity; the image's own when that is larger.
    pub size: Option<Bytes>,
}

/// Where volumes are made from images.
pub struct Workshop<'a> {
    /// The host.
    pub hypervisor: &'a dyn Hypervisor,
    /// The host's URI, as the markers name it.
    pub uri: &'a str,
    /// Where images come from.
    pub images: &'a ImageStore,
    /// Where half-made volumes are remembered.
    pub unfinished: &'a Unfinished,
    /// Where progress goes.
    pub progress: &'a ProgressSink,
    /// Ends a download. Once the volume is there, it is filled.
    pub cancel: &'a CancellationToken,
}

impl Workshop<'_> {
    /// Makes the volume and fills it.
    ///
    /// # Errors
    /// The image cannot be had, or the hypervisor refuses. The volume is then not there.
    pub async fn create(&self, new: &NewVolume<'_>) -> Result<(), ImageError> {
        let image = self.fetch(new).await?;
        self.check_space(new, &image).await?;
        let marker = self.unfinished.mark(self.uri, new.pool, new.name)?;
        let made = self.create_and_fill(new, &image).await;
        match &made {
            Ok(()) => marker.done(),
            Err(Made::NotCreated(_)) => marker.done(),
            Err(Made::Partly(_)) => {
                // Deleting failed, too: the marker stays and the next run tries again.
                if self.take_back(new).await {
                    marker.done()
                }
            }
        }
        made.map_err(|error| match error {
            Made::NotCreated(error) | Made::Partly(error) => ImageError::Hypervisor(error),
        })
    }

    async fn fetch(&self, new: &NewVolume<'_>) -> Result<Image, ImageError> {
        let fetching = self.images.fetch(new.image, new.format, self.progress);
        // Cancel safety: a fetch that is dropped leaves the part it has, and the next one goes on from there.
        tokio::select! {
            fetched = fetching => fetched,
            () = self.cancel.cancelled() => Err(ImageError::Cancelled { location: new.image.location.clone() }),
        }
    }

    /// What a qcow2 image takes at the start is the size of its file; a raw one takes no less.
    async fn check_space(&self, new: &NewVolume<'_>, image: &Image) -> Result<(), ImageError> {
        let pool = self
            .hypervisor
            .find_pool(&Key::Name(new.pool.to_owned()))
            .await?;
        match pool {
            Some(pool) if pool.active && pool.capacity.0 > 0 && pool.available < image.size => {
                Err(ImageError::PoolFull {
                    location: new.image.location.clone(),
                    pool: new.pool.to_owned(),
                    needed: image.size,
                    available: pool.available,
                })
            }
            _ => Ok(()),
        }
    }

    async fn create_and_fill(&self, new: &NewVolume<'_>, image: &Image) -> Result<(), Made> {
        let capacity = new.size.unwrap_or_default().max(image.info.virtual_size);
        let xml = volume_xml(new.name, capacity, new.format);
        let created = self.volume_step(new, VolumeOp::Create { xml }).await;
        created.map_err(|error| {
            if error.reason.leaves_outcome_unknown() {
                Made::Partly(error)
            } else {
                Made::NotCreated(error)
            }
        })?;
        self.upload(new, image).await.map_err(Made::Partly)?;
        // The header of an uploaded image replaces the capacity the volume was created with.
        let found = self
            .hypervisor
            .find_volume(new.pool, new.name)
            .await
            .map_err(Made::Partly)?;
        if found.is_some_and(|volume| volume.capacity < capacity) {
            self.volume_step(new, VolumeOp::Resize { capacity })
                .await
                .map_err(Made::Partly)?;
        }
        Ok(())
    }

    async fn upload(&self, new: &NewVolume<'_>, image: &Image) -> Result<(), HypervisorError> {
        const TICK: Duration = Duration::from_millis(250);
        let moved = Transferred::default();
        let step = format!("Uploading {} to pool {}", new.name, new.pool);
        let mut meter = Meter::new(step, 0, image.size.0, self.progress.clone());
        let whole = Upload::whole(new.pool, new.name, &image.path);
        let mut upload = self.hypervisor.upload(&whole, moved.clone());
        let mut tick = tokio::time::interval(TICK);
        loop {
            // Cancel safety: the upload is polled in place and never dropped before its end; a lost tick is nothing.
            tokio::select! {
                ended = &mut upload => return ended,
                _ = tick.tick() => meter.at(moved.load(Ordering::Relaxed)),
            }
        }
    }

    /// Deletes what was made. Returns whether it is gone for certain.
    async fn take_back(&self, new: &NewVolume<'_>) -> bool {
        match self.volume_step(new, VolumeOp::Delete).await {
            Ok(()) => true,
            Err(error) if error.reason == hypervisor::Reason::NotFound => true,
            Err(error) => {
                tracing::warn!("A half-made volume stays for now: {error}");
                false
            }
        }
    }

    async fn volume_step(&self, new: &NewVolume<'_>, op: VolumeOp) -> Result<(), HypervisorError> {
        let step = Step::Volume {
            pool: new.pool.to_owned(),
            name: new.name.to_owned(),
            op,
        };
        self.hypervisor.perform(&step).await
    }
}

/// How far a failed creation came.
enum Made {
    /// There is no volume of ours.
    NotCreated(HypervisorError),
    /// There is one, or may be one.
    Partly(HypervisorError),
}

/// Sizes in bytes; nothing is allocated beforehand. Raw is what libvirt assumes, and what pools without formats have.
fn volume_xml(name: &str, capacity: Bytes, format: &str) -> String {
    let format = (format != "raw").then(|| Element::new("format").attr("type", format));
    Element::new("volume")
        .child(Element::text("name", name))
        .child(Element::text("capacity", capacity.0).attr("unit", "bytes"))
        .child(Element::text("allocation", 0).attr("unit", "bytes"))
        .child(Element::new("target").children(format))
        .to_xml(0)
}
