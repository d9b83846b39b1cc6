//! Type information (BTF, `Documentation/bpf/btf.rst`), as far as it says where the fields of a structure are.

use std::collections::BTreeMap;

/// `BTF_MAGIC`, in the byte order of the host that made it.
const MAGIC: u16 = 0xeb9f;
/// Octets of a type, before what its kind adds.
const TYPE_LEN: usize = 12;
/// Through how many names of names a type is followed.
const DEPTH: u32 = 32;

/// Kinds of types, `include/uapi/linux/btf.h`.
mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const PTR: u32 = 2;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const FWD: u32 = 7;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const RESTRICT: u32 = 11;
    pub(super) const FUNC: u32 = 12;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const FLOAT: u32 = 16;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const TYPE_TAG: u32 = 18;
    pub(super) const ENUM64: u32 = 19;
}

/// Where a field is, octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) offset: usize,
    pub(super) len: usize,
}

/// All types of an object.
#[derive(Debug)]
pub(super) struct Types<'a> {
    /// Where each begins, by its number less one.
    types: Vec<&'a [u8]>,
    strings: &'a [u8],
}

impl<'a> Types<'a> {
    /// Reads what the kernel has; `None` if it is not understood.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let magic = bytes.get(..2)?.try_into().ok()?;
        if u16::from_ne_bytes(magic) != MAGIC {
            return None;
        }
        let header = number(bytes, 4)?;
        let section = |at: usize| {
            let begin = header.checked_add(number(bytes, at)?)?;
            bytes.get(begin..begin.checked_add(number(bytes, at + 4)?)?)
        };
        let (mut rest, strings) = (section(8)?, section(16)?);
        let mut types = Vec::new();
        while !rest.is_empty() {
            let info = number(rest, 4)?;
            let more = more_of(u32::try_from(info).ok()?)?;
            let (one, others) = rest.split_at_checked(TYPE_LEN + more)?;
            types.push(one);
            rest = others;
        }
        Some(Self { types, strings })
    }

    /// The fields of the structure with this number, by name.
    pub(super) fn fields(&self, id: u32) -> Option<BTreeMap<String, Field>> {
        let found = self.resolve(id)?;
        let info = number(found, 4)?;
        let (kind, count, has_bits) = split(u32::try_from(info).ok()?);
        if kind != kind::STRUCT {
            return None;
        }
        let members = found.get(TYPE_LEN..)?.chunks_exact(12).take(count);
        let fields = members.map(|member| {
            let bits = number(member, 8)?;
            // With bit fields in it the upper octet is a size.
            let bits = if has_bits { bits & 0x00ff_ffff } else { bits };
            let of = u32::try_from(number(member, 4)?).ok()?;
            let field = Field {
                offset: bits / 8,
                len: self.len(of, DEPTH)?,
            };
            Some((self.name(number(member, 0)?)?, field))
        });
        fields.collect()
    }

    fn get(&self, id: u32) -> Option<&'a [u8]> {
        self.types.get(id.checked_sub(1)? as usize).copied()
    }

    /// The type behind other names for it.
    fn resolve(&self, id: u32) -> Option<&'a [u8]> {
        let mut found = self.get(id)?;
        for _ in 0..DEPTH {
            let (kind, _, _) = split(u32::try_from(number(found, 4)?).ok()?);
            match kind {
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    found = self.get(u32::try_from(number(found, 8)?).ok()?)?;
                }
                _ => return Some(found),
            }
        }
        None
    }

    /// Octets of a value of this type.
    fn len(&self, id: u32, depth: u32) -> Option<usize> {
        let depth = depth.checked_sub(1)?;
        let found = self.resolve(id)?;
        let (kind, _, _) = split(u32::try_from(number(found, 4)?).ok()?);
        match kind {
            kind::INT | kind::STRUCT | kind::UNION | kind::ENUM | kind::ENUM64 | kind::FLOAT => {
                number(found, 8)
            }
            kind::PTR => Some(8),
            kind::ARRAY => {
                let of = u32::try_from(number(found, TYPE_LEN)?).ok()?;
                let count = number(found, TYPE_LEN + 8)?;
                self.len(of, depth)?.checked_mul(count)
            }
            _ => None,
        }
    }

    fn name(&self, at: usize) -> Option<String> {
        let rest = self.strings.get(at..)?;
        let end = rest.iter().position(|octet| *octet == 0)?;
        Some(String::from_utf8_lossy(&rest[..end]).into_owned())
    }
}

/// Kind, number of members, and whether these may be of bits.
fn split(info: u32) -> (u32, usize, bool) {
    (info >> 24 & 0x1f, (info & 0xffff) as usize, info >> 31 == 1)
}

/// Octets that follow a type.
fn more_of(info: u32) -> Option<usize> {
    let (kind, count, _) = split(info);
    Some(match kind {
        kind::INT | kind::VAR | kind::DECL_TAG => 4,
        kind::ARRAY => 12,
        kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * count,
        kind::ENUM | kind::FUNC_PROTO => 8 * count,
        kind::PTR
        | kind::FWD
        | kind::TYPEDEF
        | kind::VOLATILE
        | kind::CONST
        | kind::RESTRICT
        | kind::FUNC
        | kind::FLOAT
        | kind::TYPE_TAG => 0,
        _ => return None,
    })
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let octets = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_ne_bytes(octets)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `struct { unsigned int *a[3]; const u16 b; }`, and what it is made of.
    fn example() -> Vec<u8> {
        let strings = b"\0a\0b\0u16\0";
        let types: [u32; 22] = [
            // 1: u16
            5,
            kind::INT << 24,
            2,
            16, //
            // 2: a pointer to it
            0,
            kind::PTR << 24,
            1, //
            // 3: three of these
            0,
            kind::ARRAY << 24,
            0,
            2,
            1,
            3, //
            // 4: const 1
            0,
            kind::CONST << 24,
            1, //
            // 5: the structure, and its members
            0,
            kind::STRUCT << 24 | 2,
            32,
            1,
            3,
            0,
        ];
        let last: [u32; 3] = [3, 4, 24 * 8];
        let words = types.iter().chain(&last);
        let types: Vec<u8> = words.flat_map(|word| word.to_ne_bytes()).collect();
        let (len, strings_len) = (types.len() as u32, strings.len() as u32);
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        for word in [24, 0, len, len, strings_len] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn fields_have_their_places() {
        let bytes = example();
        let types = Types::parse(&bytes).unwrap();
        let fields = types.fields(5).unwrap();
        let place = |offset, len| Field { offset, len };
        assert_eq!(fields["a"], place(0, 24));
        assert_eq!(fields["b"], place(24, 2));
        assert_eq!(types.fields(1), None, "no structure");
        assert_eq!(types.fields(6), None, "no type");
    }

    #[test]
    fn what_is_cut_short_is_not_understood() {
        let bytes = example();
        for len in 0..bytes.len() {
            assert!(Types::parse(&bytes[..len]).is_none(), "{len}");
        }
    }

    #[test]
    fn a_circle_of_types_ends() {
        let mut bytes = example();
        // The constant is one of itself.
        let of = 24 + 4 * (4 + 3 + 6 + 2);
        bytes[of..of + 4].copy_from_slice(&4_u32.to_ne_bytes());
        assert_eq!(Types::parse(&bytes).unwrap().fields(5), None);
    }
}
