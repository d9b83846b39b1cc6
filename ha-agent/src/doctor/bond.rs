//! Whether the program is on the right one of a bond and its ports.

use anyhow::Result;
use aya::util::KernelVersion;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};
use crate::{config::Mode, net::BondMode};

/// First kernel whose bonds run XDP programs.
const BONDS: KernelVersion = KernelVersion::new(5, 15, 0);

/// An interface that has to do with a bond.
#[derive(Debug)]
pub(super) enum Facts {
    /// It is a port of this bond or team.
    Port(String),
    /// It is a bond.
    Bond {
        how: BondMode,
        mode: Mode,
        kernel: KernelVersion,
    },
}

#[derive(Debug)]
pub(super) struct Bond;

impl Check for Bond {
    const NAME: &'static str = "bond";
    const ABOUT: &'static str = "Whether the data path is on a bond and not on a port of one, and whether the bond's \
         mode runs XDP programs: `active-backup`, `balance-xor` and `802.3ad` do, since 5.15.";
    const SHOWN: Shown = Shown::Facts;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let served = host.served().filter_map(|served| {
            let device = served.device;
            let master = device.master.and_then(|index| host.device_at(index));
            let joins = master.filter(|master| matches!(master.kind.as_str(), "bond" | "team"));
            let facts = match (joins, device.bond) {
                (Some(master), _) => Facts::Port(master.name.clone()),
                (None, Some(how)) => Facts::Bond {
                    how,
                    mode: served.mode,
                    kernel: host.kernel,
                },
                (None, None) => return None,
            };
            Some((device.name.clone(), facts))
        });
        Ok(served.collect())
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let verdict = match facts {
            Facts::Port(bond) => Verdict::failure(
                format!("is a port of {bond}"),
                format!(
                    "Frames that come by the other ports pass the data path by, and {bond} refuses ports that have a \
                     program."
                ),
                format!("set `name = \"{bond}\"` in [[interface]] and in the groups"),
            ),
            Facts::Bond {
                mode: Mode::Generic,
                ..
            } => Verdict::ok("a bond, in generic mode"),
            Facts::Bond { kernel, .. } if *kernel < BONDS => Verdict::failure(
                format!("is a bond, and {kernel} runs no XDP programs on bonds"),
                "The agent does not start.",
                "run Linux 5.15 or newer, or set `mode = \"generic\"` in [[interface]]",
            ),
            Facts::Bond { how, .. } => judge_mode(*how),
        };
        vec![verdict]
    }
}

fn judge_mode(how: BondMode) -> Verdict {
    match how {
        BondMode::ActiveBackup | BondMode::BalanceXor | BondMode::Ieee8023Ad => {
            Verdict::ok(format!("a bond in the mode {how}"))
        }
        BondMode::BalanceRr => Verdict::failure(
            format!("is a bond in the mode {how}"),
            "Without a change of May 2026 the kernel may panic on such a bond with an XDP program: the agent does not start.",
            "set the mode active-backup or 802.3ad, or `mode = \"generic\"` in [[interface]]",
        ),
        BondMode::Broadcast | BondMode::BalanceTlb | BondMode::BalanceAlb | _ => Verdict::failure(
            format!("is a bond in the mode {how}"),
            "The kernel runs no XDP programs on it: the agent does not start.",
            "set the mode active-backup or 802.3ad, or `mode = \"generic\"` in [[interface]]",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn the_bond_itself_in_a_mode_that_can() {
        let bond = |how, mode, kernel| {
            let facts = Facts::Bond { how, mode, kernel };
            Bond::judge(&facts).remove(0).level
        };
        let new = KernelVersion::new(6, 1, 0);
        assert_eq!(bond(BondMode::ActiveBackup, Mode::Native, new), Level::Ok);
        assert_eq!(bond(BondMode::Ieee8023Ad, Mode::Native, new), Level::Ok);
        for how in [BondMode::BalanceAlb, BondMode::BalanceRr] {
            assert_eq!(bond(how, Mode::Native, new), Level::Failure);
        }
        assert_eq!(bond(BondMode::BalanceAlb, Mode::Generic, new), Level::Ok);
        let old = KernelVersion::new(5, 10, 0);
        assert_eq!(
            bond(BondMode::ActiveBackup, Mode::Native, old),
            Level::Failure
        );

        let port = Bond::judge(&Facts::Port("bond0".to_owned())).remove(0);
        assert_eq!(port.level, Level::Failure);
        assert!(port.mend.contains("\"bond0\""), "{}", port.mend);
    }
}
