//! Whether what is pinned is what this agent would have made. aya reuses whatever opens.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use aya::{maps::MapInfo, programs::ProgramInfo};
use aya_obj::generated::{BPF_F_RDONLY_PROG, bpf_map_type};
use ha_common::abi;

use super::{OBJECT, PinDir};

/// What must agree before a map is reused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// A number of `enum bpf_map_type`.
    pub kind: u32,
    /// Octets of a key.
    pub key_size: u32,
    /// Octets of a value.
    pub value_size: u32,
    /// Room.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub flags: u32,
}

/// A pin that is not to be reused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Something of another name is pinned there.
    #[error("{pin} is \"{found}\", not \"{expected}\": {MEND}")]
    Name {
        /// The pin.
        pin: String,
        /// Name in the kernel.
        found: String,
        /// Name that it should have.
        expected: String,
    },
    /// One of the numbers that make a map is another one.
    #[error("{pin} has {what} {found}, and this agent's has {expected}: {MEND}")]
    Shape {
        /// The pin.
        pin: String,
        /// Which number.
        what: &'static str,
        /// In the kernel.
        found: u32,
        /// In this agent.
        expected: u32,
    },
}

/// The way out of each mismatch.
const MEND: &str = "run `ha-agent detach --all`, which removes all pins, then start the agent again; \
                    if the pin is another program's, choose another `node.pin_dir`";

/// The maps that are pinned, as the object defines them.
///
/// # Errors
/// If the object is damaged.
pub fn shapes() -> Result<BTreeMap<String, Shape>> {
    let object = aya_obj::Object::parse(OBJECT).context("the embedded BPF object is damaged")?;
    let pinned = object
        .maps
        .iter()
        .filter(|(name, _)| abi::map::ALL.contains(&name.as_str()));
    Ok(pinned
        .map(|(name, map)| {
            let shape = Shape {
                kind: map.map_type(),
                key_size: map.key_size(),
                value_size: map.value_size(),
                max_entries: map.max_entries(),
                flags: map.map_flags(),
            };
            (name.clone(), shape)
        })
        .collect())
}

/// Checks every map that is pinned already.
///
/// # Errors
/// The first [`Mismatch`], or that a pin cannot be read.
pub fn check_maps(pins: &PinDir, shapes: &BTreeMap<String, Shape>) -> Result<()> {
    for (name, shape) in shapes {
        let pin = pins.map(name);
        if !pin.exists() {
            continue;
        }
        let info = MapInfo::from_pin(&pin)
            .with_context(|| format!("cannot look at the pinned map {}", pin.display()))?;
        let found = Shape {
            kind: info.map_type().map_or(0, |kind| kind as u32),
            key_size: info.key_size(),
            value_size: info.value_size(),
            max_entries: info.max_entries(),
            flags: info.map_flags() & !own_flags(shape.kind),
        };
        check_name(&pin, info.name(), name)?;
        check_shape(&pin, &found, shape)?;
    }
    Ok(())
}

/// Flags that the kernel itself gives to every map of a kind: programs only read a map of devices
/// (`dev_map_init_map`, `kernel/bpf/devmap.c`).
const fn own_flags(kind: u32) -> u32 {
    if kind == bpf_map_type::BPF_MAP_TYPE_DEVMAP_HASH as u32 {
        BPF_F_RDONLY_PROG
    } else {
        0
    }
}

/// Checks that a program that is pinned already has this name.
///
/// # Errors
/// [`Mismatch::Name`], or that the pin cannot be read.
pub fn check_program(pin: &Path, name: &str) -> Result<()> {
    if !pin.exists() {
        return Ok(());
    }
    let info = ProgramInfo::from_pin(pin)
        .with_context(|| format!("cannot look at the pinned program {}", pin.display()))?;
    Ok(check_name(pin, info.name(), name)?)
}

fn check_name(pin: &Path, found: &[u8], expected: &str) -> Result<(), Mismatch> {
    if found == expected.as_bytes() {
        return Ok(());
    }
    Err(Mismatch::Name {
        pin: pin.display().to_string(),
        found: String::from_utf8_lossy(found).into_owned(),
        expected: expected.to_owned(),
    })
}

fn check_shape(pin: &Path, found: &Shape, expected: &Shape) -> Result<(), Mismatch> {
    let pairs = [
        ("map type", found.kind, expected.kind),
        ("key size", found.key_size, expected.key_size),
        ("value size", found.value_size, expected.value_size),
        ("max_entries", found.max_entries, expected.max_entries),
        ("flags", found.flags, expected.flags),
    ];
    match pairs
        .into_iter()
        .find(|(_, found, expected)| found != expected)
    {
        None => Ok(()),
        Some((what, found, expected)) => Err(Mismatch::Shape {
            pin: pin.display().to_string(),
            what,
            found,
            expected,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::{mem::size_of, path::Path};

    use ha_common::abi::{self, Group};

    use super::{Shape, check_name, check_shape, shapes};

    #[test]
    fn the_object_has_the_maps_of_the_abi() {
        let shapes = shapes().unwrap();
        let group = &shapes[abi::map::GROUP];
        assert_eq!(group.max_entries, abi::MAX_GROUPS);
        assert_eq!(group.value_size as usize, size_of::<Group>());
        assert_eq!(shapes[abi::map::VIP4].max_entries, abi::MAX_VIPS);
        let router = &shapes[abi::map::ROUTER];
        assert_eq!(router.max_entries, abi::MAX_ROUTERS);
        assert_eq!(router.key_size as usize, size_of::<abi::RouterKey>());
        assert_eq!(router.value_size as usize, size_of::<abi::Router>());
        assert!(abi::map::ALL.iter().all(|name| shapes.contains_key(*name)));
    }

    #[test]
    fn each_difference_is_told() {
        let shape = Shape {
            kind: 2,
            key_size: 4,
            value_size: 64,
            max_entries: 1024,
            flags: 1024,
        };
        let pin = Path::new("/sys/fs/bpf/ha/2/ha_group");
        assert_eq!(check_shape(pin, &shape, &shape), Ok(()));
        let other = Shape {
            value_size: 56,
            ..shape.clone()
        };
        let error = check_shape(pin, &other, &shape).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "/sys/fs/bpf/ha/2/ha_group has value size 56, and this agent's has 64: run `ha-agent"
            ),
            "{error}"
        );
        let error = check_name(pin, b"cilium_lxc", "ha_group")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("/sys/fs/bpf/ha/2/ha_group is \"cilium_lxc\", not \"ha_group\": "),
            "{error}"
        );
    }
}
