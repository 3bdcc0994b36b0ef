//! Sizes. One unit inside the program; units appear only where a value enters or leaves.

use std::fmt;

/// A size in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl Bytes {
    /// From KiB, libvirt's unit for memory. Saturates instead of wrapping.
    pub const fn from_kib(kib: u64) -> Self {
        Self(kib.saturating_mul(1024))
    }

    /// From MiB, the unit of sizes in SLS. Saturates instead of wrapping.
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib.saturating_mul(1024 * 1024))
    }

    /// Whole KiB, rounded down.
    pub const fn kib(self) -> u64 {
        self.0 / 1024
    }

    /// Whole MiB, rounded down.
    pub const fn mib(self) -> u64 {
        self.0 / (1024 * 1024)
    }
}

/// `1.5 GiB`: one decimal, the largest unit that keeps the figure at 1 or more.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        if unit == 0 {
            write!(f, "{} B", self.0)
        } else {
            write!(f, "{value:.1} {}", UNITS[unit])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn display_picks_the_largest_unit() {
        assert_eq!(Bytes(1023).to_string(), "1023 B");
        assert_eq!(Bytes::from_mib(1536).to_string(), "1.5 GiB");
        assert_eq!(Bytes(u64::MAX).to_string(), "16384.0 PiB");
    }

    #[test]
    fn units_saturate() {
        assert_eq!(Bytes::from_mib(u64::MAX), Bytes(u64::MAX));
        assert_eq!(Bytes::from_kib(2048).mib(), 2);
    }
}
