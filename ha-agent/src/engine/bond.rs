//! What the kernel says of a bond, and whether one can be served.

use std::{fs, path::Path};

use anyhow::{Result, bail};

use crate::config::{Interface, Mode};

/// Modes of bonds whose ports run the program. The kernel would let those of `balance-rr` do, too (`bond_xdp_check`), but
/// without the change "fix null-ptr-deref in xdp_master_redirect() for down master" it may panic where such a bond has
/// never been up.
const NATIVE_BONDS: [&str; 3] = ["active-backup", "balance-xor", "802.3ad"];

/// Whether an interface that is there can be served so.
///
/// # Errors
/// If it is a bond in native mode whose own mode is not one of [`NATIVE_BONDS`].
pub(super) fn check(interface: &Interface) -> Result<()> {
    let name = &interface.name;
    if interface.mode == Mode::Generic {
        return Ok(());
    }
    if let Some(mode) = mode_of(name)
        && !NATIVE_BONDS.contains(&mode.as_str())
    {
        bail!(
            "{name} is a bond in the mode {mode}, which is served in the stack only: set mode = \"generic\" for it, \
             or have the bond in one of the modes {}",
            NATIVE_BONDS.join(", ")
        );
    }
    Ok(())
}

/// The ports of a bond; none if it is no bond.
pub(super) fn ports(name: &str) -> Vec<String> {
    let said = setting(name, "slaves").unwrap_or_default();
    said.split_whitespace().map(str::to_owned).collect()
}

/// What mode a bond is in; `None` if it is no bond. The kernel says it as `active-backup 1`.
fn mode_of(name: &str) -> Option<String> {
    let said = setting(name, "mode")?;
    said.split_whitespace().next().map(str::to_owned)
}

/// A setting of a bond (`Documentation/networking/bonding.rst`).
fn setting(name: &str, setting: &str) -> Option<String> {
    let bond = Path::new("/sys/class/net").join(name).join("bonding");
    fs::read_to_string(bond.join(setting)).ok()
}
