//! Which bonds can be served.

use anyhow::{Result, bail};

use crate::{
    config::{Interface, Mode},
    net::{BondMode, Link},
};

/// Modes of bonds whose ports run the program. The kernel would let those of `balance-rr` do, too (`bond_xdp_check`), but
/// without the change "fix null-ptr-deref in xdp_master_redirect() for down master" it may panic where such a bond has
/// never been up.
const NATIVE_BONDS: [BondMode; 3] = [
    BondMode::ActiveBackup,
    BondMode::BalanceXor,
    BondMode::Ieee8023Ad,
];

/// Whether an interface that is there can be served so.
///
/// # Errors
/// If it is a bond in native mode whose own mode is not one of [`NATIVE_BONDS`].
pub(super) fn check(interface: &Interface, link: &Link) -> Result<()> {
    let mode = link.bond.and_then(|bond| bond.mode);
    match (interface.mode, mode) {
        (Mode::Native, Some(mode)) if !NATIVE_BONDS.contains(&mode) => bail!(
            "{} is a bond in the mode {mode}, which is served in the stack only: set mode = \"generic\" for it, \
             or have the bond in one of the modes {}",
            interface.name,
            NATIVE_BONDS.map(|mode| mode.to_string()).join(", ")
        ),
        (Mode::Native | Mode::Generic, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::VlanOffload, net::Bond};

    #[test]
    fn in_the_stack_any_bond_can_be_served_and_in_the_driver_some() {
        let refused = |mode, own| {
            let interface = interface(mode);
            let bond = Bond {
                mode: own,
                uses: None,
            };
            let link = Link {
                bond: Some(bond),
                ..Link::default()
            };
            check(&interface, &link).is_err()
        };
        for mode in NATIVE_BONDS {
            assert!(!refused(Mode::Native, Some(mode)));
        }
        assert!(refused(Mode::Native, Some(BondMode::BalanceRr)));
        assert!(!refused(Mode::Generic, Some(BondMode::BalanceRr)));
        assert!(!refused(Mode::Native, None));
        assert!(check(&interface(Mode::Native), &Link::default()).is_ok());
    }

    fn interface(mode: Mode) -> Interface {
        Interface {
            name: "bond0".to_owned(),
            mode,
            vlan_offload: VlanOffload::default(),
        }
    }
}
