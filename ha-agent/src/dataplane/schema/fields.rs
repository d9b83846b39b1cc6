//! Where the fields of a map's keys or values are.

use std::{collections::BTreeMap, os::fd::BorrowedFd};

use anyhow::{Context, Result, ensure};

use super::{
    btf::{Field, Types},
    sys,
};

/// The fields of a key or a value, by name.
#[derive(Clone, Debug)]
pub(in crate::dataplane) struct Fields {
    fields: BTreeMap<String, Field>,
    /// Octets of the whole.
    pub(in crate::dataplane) len: usize,
}

/// The fields of a map's keys, if these have any, and of its values; and how many elements it has room for.
pub(super) struct Described {
    pub(super) key: Option<Fields>,
    pub(super) value: Option<Fields>,
    pub(super) key_len: usize,
    pub(super) value_len: usize,
    pub(super) room: u32,
}

/// Looks up what a map's type information says.
///
/// # Errors
/// If it has none, or that is not understood.
pub(super) fn describe(map: BorrowedFd<'_>) -> Result<Described> {
    let info = sys::map_info(map).context("the kernel says nothing about it")?;
    ensure!(info.btf_id != 0, "it has no type information");
    let bytes = sys::btf(info.btf_id).context("the kernel does not give its type information")?;
    let types = Types::parse(&bytes).context("its type information is not understood")?;
    let (key_len, value_len) = (info.key_size as usize, info.value_size as usize);
    let fields = |id, len| types.fields(id).map(|fields| Fields { fields, len });
    Ok(Described {
        key: fields(info.btf_key_type_id, key_len),
        value: fields(info.btf_value_type_id, value_len),
        key_len,
        value_len,
        room: info.max_entries,
    })
}

impl Described {
    /// The value of a key that must be there.
    ///
    /// # Errors
    /// If it is not, or is of another length; else the kernel's.
    pub(super) fn value(&self, map: BorrowedFd<'_>, key: &[u8]) -> Result<Vec<u8>> {
        let len = self.key_len;
        ensure!(key.len() == len, "its keys have {len} octets");
        let mut value = vec![0; self.value_len];
        ensure!(sys::lookup(map, key, &mut value)?, "an element is missing");
        Ok(value)
    }
}

impl Fields {
    /// The place of a field that is `len` octets long and aligned to `align`.
    ///
    /// # Errors
    /// If there is no such field, or it is another one.
    pub(in crate::dataplane) fn place(
        &self,
        name: &str,
        len: usize,
        align: usize,
    ) -> Result<usize> {
        let field = self.fields.get(name);
        let field = field.with_context(|| format!("there is no field {name}"))?;
        ensure!(
            field.len == len && field.offset.is_multiple_of(align),
            "the field {name} has {} octets at {}",
            field.len,
            field.offset
        );
        ensure!(
            field.offset + len <= self.len,
            "the field {name} ends outside of its element"
        );
        Ok(field.offset)
    }

    /// The octets of a field of `element`.
    ///
    /// # Errors
    /// As [`Fields::place`].
    pub(super) fn get<const LEN: usize>(&self, element: &[u8], name: &str) -> Result<[u8; LEN]> {
        let at = self.place(name, LEN, 1)?;
        let octets = element
            .get(at..at + LEN)
            .context("an element is too short")?;
        Ok(octets.try_into()?)
    }
}
