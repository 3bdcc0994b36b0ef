//! Images: fetched once, kept, checked, and put into volumes.
//!
//! ```text
//!  location ─ fetch ──▶ checked file in the cache ─ volume ──▶ volume in a pool
//!             resume      format, size, checksum     create, upload, grow; a failure leaves nothing
//! ```

mod cache;
mod download;
mod error;
mod format;
mod ftp;
mod medium;
mod store;
mod unfinished;
mod volume;

pub use download::RetryPolicy;
pub use error::ImageError;
pub use format::{HEADER_BYTES, ImageFormat, ImageInfo, NotAnImage, inspect};
pub(crate) use store::sha256_of;
pub use store::{Image, ImageStore};
pub use unfinished::Unfinished;
pub use volume::{NewVolume, Workshop};
