//! What a file really is, from its first bytes. Pure; the caller reads the bytes.
//!
//! Images come from anywhere, so a header is data of a stranger: every field is checked before it is used, and an
//! image that points at other files of the host is refused.

use model::Bytes;
use thiserror::Error;

/// How many bytes of the file [`inspect`] wants to see.
pub const HEADER_BYTES: usize = 512;

/// A disk image that can be put into a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageInfo {
    /// What it is.
    pub format: ImageFormat,
    /// What the guest will see.
    pub virtual_size: Bytes,
}

/// Formats that are put into volumes as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFormat {
    /// QEMU's copy-on-write format, version 2 or 3.
    Qcow2,
    /// The bytes of the disk.
    Raw,
}

impl ImageFormat {
    /// The word libvirt and SLS use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
        }
    }
}

/// Why a file cannot be the image that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAnImage {
    /// Shorter than any disk.
    #[error("it is not an image: it has only {length} bytes")]
    TooShort {
        /// Its size in bytes.
        length: u64,
    },
    /// An error page, or another text.
    #[error(
        "it is not an image but a web page or text; open the address in a browser to see what it answers"
    )]
    Text,
    /// An archive or a compressed image.
    #[error("it is not an image but {kind}; unpack it and offer the image itself")]
    Packed {
        /// What it is.
        kind: &'static str,
    },
    /// An image of another format than the disk asks for.
    #[error(
        "it is not a {wanted} image but {found}; set the disk's 'format' to match, or convert the image"
    )]
    OtherFormat {
        /// The format asked for.
        wanted: String,
        /// What was found.
        found: &'static str,
    },
    /// A format that this program does not put into volumes.
    #[error("images of the format {wanted:?} cannot be used: only qcow2 and raw can")]
    UnknownFormat {
        /// The format asked for.
        wanted: String,
    },
    /// A qcow2 image that is not whole in itself.
    #[error(
        "the image refers to {what}, which could be any file of the host: flatten it with qemu-img convert"
    )]
    NotSelfContained {
        /// What it refers to.
        what: &'static str,
    },
    /// A qcow2 header that makes no sense.
    #[error("it is not an image: its qcow2 header is damaged ({why})")]
    Damaged {
        /// What is wrong.
        why: &'static str,
    },
}

/// Decides whether a file of `size` bytes beginning with `header` is an image of the format `wanted`.
///
/// # Errors
/// Says what it is instead.
pub fn inspect(header: &[u8], size: u64, wanted: &str) -> Result<ImageInfo, NotAnImage> {
    if let Some(kind) = packed(header) {
        return Err(NotAnImage::Packed { kind });
    }
    if is_text(header) {
        return Err(NotAnImage::Text);
    }
    if size < HEADER_BYTES as u64 {
        return Err(NotAnImage::TooShort { length: size });
    }
    let found = other_format(header);
    match (wanted, found) {
        ("qcow2", Some("qcow2")) => qcow2(header),
        ("raw", None) => Ok(ImageInfo {
            format: ImageFormat::Raw,
            virtual_size: Bytes(size),
        }),
        ("qcow2" | "raw", found) => Err(NotAnImage::OtherFormat {
            wanted: wanted.to_owned(),
            found: found.unwrap_or("something without a known header"),
        }),
        _ => Err(NotAnImage::UnknownFormat {
            wanted: wanted.to_owned(),
        }),
    }
}

/// Source: QEMU docs/interop/qcow2.txt, "Header".
fn qcow2(header: &[u8]) -> Result<ImageInfo, NotAnImage> {
    const EXTERNAL_DATA_FILE: u64 = 1 << 2;
    let damaged = |why| NotAnImage::Damaged { why };
    let version = be32(header, 4).ok_or_else(|| damaged("it ends early"))?;
    if !matches!(version, 2 | 3) {
        return Err(damaged("its version is neither 2 nor 3"));
    }
    if be64(header, 8) != Some(0) {
        return Err(NotAnImage::NotSelfContained {
            what: "a backing file",
        });
    }
    let incompatible = if version == 3 {
        be64(header, 72)
    } else {
        Some(0)
    };
    if incompatible.is_none_or(|bits| bits & EXTERNAL_DATA_FILE != 0) {
        return Err(NotAnImage::NotSelfContained {
            what: "an external data file",
        });
    }
    match be64(header, 24) {
        Some(size) if size > 0 && i64::try_from(size).is_ok() => Ok(ImageInfo {
            format: ImageFormat::Qcow2,
            virtual_size: Bytes(size),
        }),
        _ => Err(damaged("its disk size is zero or absurd")),
    }
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(field.try_into().ok()?))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at + 8)?;
    Some(u64::from_be_bytes(field.try_into().ok()?))
}

fn packed(header: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 6] = [
        (b"\x1f\x8b", "a gzip file"),
        (b"\xfd7zXZ\0", "an xz file"),
        (b"BZh", "a bzip2 file"),
        (b"\x28\xb5\x2f\xfd", "a zstd file"),
        (b"PK\x03\x04", "a zip file"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z file"),
    ];
    KINDS
        .iter()
        .find(|(magic, _)| header.starts_with(magic))
        .map(|(_, kind)| *kind)
}

fn other_format(header: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 5] = [
        (b"QFI\xfb", "qcow2"),
        (b"KDMV", "vmdk"),
        (b"# Disk DescriptorFile", "vmdk"),
        (b"vhdxfile", "vhdx"),
        (b"conectix", "vpc"),
    ];
    if header.get(64..68) == Some(b"\x7f\x10\xda\xbe") {
        return Some("vdi");
    }
    KINDS
        .iter()
        .find(|(magic, _)| header.starts_with(magic))
        .map(|(_, kind)| *kind)
}

/// Printable from the first byte on. A disk begins with machine code, zeros or a magic number.
fn is_text(header: &[u8]) -> bool {
    let printable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    !header.is_empty()
        && header.iter().all(printable)
        && std::str::from_utf8(header).map_or_else(|e| e.error_len().is_none(), |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: u32, virtual_size: u64) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..4].copy_from_slice(b"QFI\xfb");
        bytes[4..8].copy_from_slice(&version.to_be_bytes());
        bytes[24..32].copy_from_slice(&virtual_size.to_be_bytes());
        bytes
    }

    #[test]
    fn a_qcow2_image_tells_its_virtual_size() {
        let info = inspect(&header(3, 1 << 30), 4096, "qcow2");
        let virtual_size = Bytes(1 << 30);
        let format = ImageFormat::Qcow2;
        assert_eq!(
            info,
            Ok(ImageInfo {
                format,
                virtual_size
            })
        );
    }

    #[test]
    fn what_is_no_image_is_named() {
        let page = b"<!DOCTYPE html><html><body>Not found</body></html>";
        assert_eq!(inspect(page, 50, "qcow2"), Err(NotAnImage::Text));
        assert_eq!(
            inspect(b"\x1f\x8b\x08", 900, "raw"),
            Err(NotAnImage::Packed {
                kind: "a gzip file"
            })
        );
        assert_eq!(
            inspect(&[0; 20], 20, "raw"),
            Err(NotAnImage::TooShort { length: 20 })
        );
        assert_eq!(
            inspect(&[], 0, "raw"),
            Err(NotAnImage::TooShort { length: 0 })
        );
        assert!(matches!(
            inspect(&[0; 512], 4096, "qcow2"),
            Err(NotAnImage::OtherFormat { .. })
        ));
        assert!(matches!(
            inspect(&header(3, 1), 4096, "raw"),
            Err(NotAnImage::OtherFormat { found: "qcow2", .. })
        ));
        assert!(matches!(
            inspect(&header(3, 1), 4096, "vmdk"),
            Err(NotAnImage::UnknownFormat { .. })
        ));
    }

    #[test]
    fn a_header_of_a_stranger_is_not_believed() {
        assert!(matches!(
            inspect(&header(9, 1), 4096, "qcow2"),
            Err(NotAnImage::Damaged { .. })
        ));
        assert!(matches!(
            inspect(&header(3, 0), 4096, "qcow2"),
            Err(NotAnImage::Damaged { .. })
        ));
        assert!(matches!(
            inspect(&header(3, u64::MAX), 4096, "qcow2"),
            Err(NotAnImage::Damaged { .. })
        ));
        let mut backed = header(3, 1);
        backed[15] = 1;
        assert!(matches!(
            inspect(&backed, 4096, "qcow2"),
            Err(NotAnImage::NotSelfContained { .. })
        ));
        let mut external = header(3, 1);
        external[79] = 4;
        assert!(matches!(
            inspect(&external, 4096, "qcow2"),
            Err(NotAnImage::NotSelfContained { .. })
        ));
        assert!(matches!(
            inspect(b"QFI\xfb", 4096, "qcow2"),
            Err(NotAnImage::Text | NotAnImage::Damaged { .. })
        ));
    }
}
