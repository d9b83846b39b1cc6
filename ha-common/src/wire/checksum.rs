//! The Internet checksum (RFC 1071), whole and incremental (RFC 1624).

/// A running one's complement sum of 16-bit words.
///
/// The sum is the same in either byte order (RFC 1071 section 2), so words are taken as they lie in
/// memory and no octet is swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum(u32);

impl Sum {
    /// The sum of nothing.
    pub const ZERO: Self = Self(0);

    /// Adds one word.
    #[must_use]
    #[inline(always)]
    pub const fn add(self, word: [u8; 2]) -> Self {
        Self(self.0 + u16::from_ne_bytes(word) as u32)
    }

    /// Adds words as they lie in memory.
    #[must_use]
    #[inline(always)]
    pub const fn add_words<const N: usize>(self, words: &[u16; N]) -> Self {
        let mut sum = self.0;
        let mut i = 0;
        while i < N {
            sum += words[i] as u32;
            i += 1;
        }
        Self(sum)
    }

    /// The checksum field that makes the sum come out right.
    #[must_use]
    #[inline(always)]
    pub const fn checksum(self) -> [u8; 2] {
        (!fold(self.0)).to_ne_bytes()
    }

    /// Whether what was added, checksum field included, is intact.
    #[must_use]
    #[inline(always)]
    pub const fn is_valid(self) -> bool {
        fold(self.0) == u16::MAX
    }
}

/// The checksum after one of the words below it changed: RFC 1624 equation 3.
///
/// A checksum that was wrong stays wrong by the same amount, so that the receiver still sees it.
#[must_use]
#[inline(always)]
pub const fn update(checksum: [u8; 2], old: [u8; 2], new: [u8; 2]) -> [u8; 2] {
    let sum = (!u16::from_ne_bytes(checksum)) as u32
        + (!u16::from_ne_bytes(old)) as u32
        + u16::from_ne_bytes(new) as u32;
    (!fold(sum)).to_ne_bytes()
}

#[inline(always)]
const fn fold(sum: u32) -> u16 {
    let once = (sum & 0xffff) + (sum >> 16);
    (once + (once >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::{Sum, update};

    /// The example of RFC 1071 section 3.
    const EXAMPLE: [[u8; 2]; 4] = [[0x00, 0x01], [0xf2, 0x03], [0xf4, 0xf5], [0xf6, 0xf7]];

    fn sum() -> Sum {
        EXAMPLE.into_iter().fold(Sum::ZERO, Sum::add)
    }

    #[test]
    fn example_of_rfc_1071() {
        assert_eq!(sum().checksum(), [0x22, 0x0d]);
        assert!(sum().add([0x22, 0x0d]).is_valid());
        assert!(!sum().add([0x22, 0x0c]).is_valid());
    }

    #[test]
    fn words_are_added_as_they_lie_in_memory() {
        let words = EXAMPLE.map(u16::from_ne_bytes);
        assert_eq!(Sum::ZERO.add_words(&words), sum());
    }

    /// The example of RFC 1624 section 4, where equation 4 of RFC 1141 goes wrong.
    #[test]
    fn example_of_rfc_1624() {
        assert_eq!(
            update([0xdd, 0x2f], [0x55, 0x55], [0x32, 0x85]),
            [0x00, 0x00]
        );
    }

    #[test]
    fn update_agrees_with_a_fresh_sum() {
        for old in (0..=u16::MAX).step_by(251).map(u16::to_be_bytes) {
            for new in (0..=u16::MAX).step_by(257).map(u16::to_be_bytes) {
                let updated = update(sum().add(old).checksum(), old, new);
                assert!(sum().add(new).add(updated).is_valid(), "{old:?} to {new:?}");
            }
        }
    }

    #[test]
    fn a_wrong_checksum_stays_wrong() {
        let (old, new) = ([0x00, 0x01], [0x12, 0x34]);
        let [right, wrong] = [0, 1].map(|error: u16| {
            let right = u16::from_be_bytes(sum().add(old).checksum());
            update((right + error).to_be_bytes(), old, new)
        });
        assert!(sum().add(new).add(right).is_valid());
        assert!(!sum().add(new).add(wrong).is_valid());
    }
}
