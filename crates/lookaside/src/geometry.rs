//! Where in a file what lies. All of it follows from the file's size. Places are counted in words.

use crate::seal::Key;

/// The header: one page.
pub(crate) const HEADER: usize = 1024;
/// The entries of a bucket.
pub(crate) const WAYS: usize = 8;
/// A slot, where an entry is.
pub(crate) const SLOT: usize = 32;
/// The words of a slot before the sealed ones: sequence, key, nonce.
pub(crate) const PLAIN: usize = 6;
/// The sealed words of a slot.
pub(crate) const INLINE: usize = SLOT - PLAIN;
/// A block, where an answer goes on that is too long for its slot; it has nothing but sealed words.
pub(crate) const BLOCK: usize = 128;

/// Slots begin at a multiple of this.
const ALIGNMENT: usize = 32;
/// A bucket with its tags, its slots and the one block there is for each.
const BUCKET: usize = WAYS + WAYS * SLOT + BLOCK;

/// The smallest and the largest file, in bytes. The largest is a limit on what is believed.
pub(crate) const SIZES: core::ops::RangeInclusive<usize> = 16 << 10..=256 << 20;

/// Where what lies in a file of some size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    buckets: usize,
}

impl Geometry {
    /// That of a file of `size` bytes, if a file can be of this size.
    pub(crate) fn of(size: usize) -> Option<Self> {
        SIZES.contains(&size).then(|| Self {
            buckets: (size / 4 - HEADER - ALIGNMENT) / BUCKET,
        })
    }

    /// How many buckets there are, and blocks.
    pub(crate) fn buckets(self) -> usize {
        self.buckets
    }

    /// How many slots there are.
    pub(crate) fn slots(self) -> usize {
        self.buckets.wrapping_mul(WAYS)
    }

    /// The tag of a slot: zero if there is no entry in it.
    pub(crate) fn tag(self, slot: usize) -> usize {
        slot.wrapping_add(HEADER)
    }

    /// The first word of a slot.
    pub(crate) fn slot(self, slot: usize) -> usize {
        let start = HEADER
            .wrapping_add(self.slots())
            .wrapping_add(ALIGNMENT - 1);
        (start & !(ALIGNMENT - 1)).wrapping_add(slot.wrapping_mul(SLOT))
    }

    /// The first word of a block, if there is such a block.
    pub(crate) fn block(self, block: usize) -> Option<usize> {
        (block < self.buckets).then(|| {
            self.slot(self.slots())
                .wrapping_add(block.wrapping_mul(BLOCK))
        })
    }

    /// The first slot of each of the two buckets that an entry can be in.
    pub(crate) fn candidates(self, key: &Key) -> [usize; 2] {
        let [_, one, other, _] = key.0;
        // Multiplied instead of divided: as even, and can't divide by zero.
        [one, other].map(|word| {
            let bucket = (u64::from(word).wrapping_mul(self.buckets as u64) >> 32) as usize;
            bucket.wrapping_mul(WAYS)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_lies_within_the_file() {
        for size in [16 << 10, 64 << 10, 100_000, 4 << 20, 256 << 20] {
            let geometry = Geometry::of(size).unwrap();
            assert!(geometry.buckets() > 0);
            let last_block = geometry.block(geometry.buckets() - 1).unwrap();
            assert!((last_block + BLOCK) * 4 <= size, "{size}");
            assert_eq!(geometry.block(geometry.buckets()), None);
            assert!(geometry.tag(geometry.slots()) <= geometry.slot(0));
            assert_eq!(geometry.slot(0) % ALIGNMENT, 0);
            assert_eq!(geometry.slot(geometry.slots()), geometry.block(0).unwrap());
            for word in [0, 1, u32::MAX / 2, u32::MAX] {
                for first in geometry.candidates(&Key([0, word, !word, 0])) {
                    assert!(first + WAYS <= geometry.slots());
                }
            }
        }
        assert_eq!(Geometry::of((16 << 10) - 1), None);
        assert_eq!(Geometry::of((256 << 20) + 1), None);
    }

    #[test]
    fn four_mebibytes_are_as_documented() {
        let geometry = Geometry::of(4 << 20).unwrap();
        assert_eq!((geometry.buckets(), geometry.slots()), (2672, 21_376));
        assert_eq!(geometry.tag(0) * 4, 4096);
        assert_eq!(geometry.slot(0) * 4, 89_600);
        assert_eq!(geometry.block(0).unwrap() * 4, 2_825_728);
    }
}
