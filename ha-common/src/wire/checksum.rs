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

    /// Adds an even number of octets.
    #[must_use]
    #[inline(always)]
    pub const fn add<const N: usize>(self, octets: &[u8; N]) -> Self {
        const {
            assert!(
                N.is_multiple_of(2),
                "a checksum is made of words of two octets"
            );
        }
        let mut sum = self.0;
        let mut i = 0;
        while i < N {
            sum += u16::from_ne_bytes([octets[i], octets[i + 1]]) as u32;
            i += 2;
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
    const EXAMPLE: [u8; 8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];

    #[test]
    fn example_of_rfc_1071() {
        let sum = Sum::ZERO.add(&EXAMPLE);
        assert_eq!(sum.checksum(), [0x22, 0x0d]);
        assert!(sum.add(&[0x22, 0x0d]).is_valid());
        assert!(!sum.add(&[0x22, 0x0c]).is_valid());
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
        for old in (0..=u16::MAX).step_by(251) {
            for new in (0..=u16::MAX).step_by(257) {
                let before = Sum::ZERO.add(&EXAMPLE).add(&old.to_be_bytes());
                let after = Sum::ZERO.add(&EXAMPLE).add(&new.to_be_bytes());
                let updated = update(before.checksum(), old.to_be_bytes(), new.to_be_bytes());
                assert!(after.add(&updated).is_valid(), "{old:#06x} to {new:#06x}");
            }
        }
    }

    #[test]
    fn a_wrong_checksum_stays_wrong() {
        let wrong = [0x22, 0x0c];
        let updated = update(wrong, [0x00, 0x01], [0x12, 0x34]);
        let mut changed = EXAMPLE;
        changed[..2].copy_from_slice(&[0x12, 0x34]);
        assert!(!Sum::ZERO.add(&changed).add(&updated).is_valid());
    }
}
