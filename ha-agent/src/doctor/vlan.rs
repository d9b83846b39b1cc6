//! Whether VLAN tags are in the frames when the data path sees them.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};
use crate::{
    config::Mode,
    net::{Features, STRIPS, Strip, receivers},
};

/// What drops frames of VLANs for which the host has no interface.
const DROPS: [&str; 2] = ["rx-vlan-filter", "rx-vlan-stag-filter"];

/// An interface with groups on VLANs.
#[derive(Clone, Debug)]
pub(super) enum Facts {
    /// It is a bond in generic mode.
    GenericBond,
    /// A NIC that receives for it: its own, or a bond's port.
    Nic {
        name: String,
        /// Whether one of the groups is behind two tags, of which the outer one may be a service tag.
        double: bool,
        features: Features,
    },
}

#[derive(Debug)]
pub(super) struct Vlan;

impl Check for Vlan {
    const NAME: &'static str = "vlan";
    const ABOUT: &'static str = "On interfaces with groups on VLANs: whether the NIC takes the tag off before the data \
         path sees it (`rxvlan`), or drops frames of VLANs for which the host has no interface (`rx-vlan-filter`).";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let mut seen = Vec::new();
        for served in host.served() {
            let name = &served.device.name;
            let is_tagged = |group: &crate::config::Group| group.vlan.outer != 0;
            if !host.groups_on(name).any(is_tagged) {
                continue;
            }
            let ports = host.bond_ports(served.device);
            if served.mode == Mode::Generic && !ports.is_empty() {
                seen.push((name.clone(), Facts::GenericBond));
                continue;
            }
            for nic in receivers(name, ports) {
                let facts = Facts::Nic {
                    double: host.groups_on(name).any(|group| group.vlan.inner != 0),
                    features: host.offloads(&nic).await?.unwrap_or_default(),
                    name: nic.clone(),
                };
                seen.push((nic, facts));
            }
        }
        Ok(seen)
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts::Nic {
            name,
            double,
            features,
        } = facts
        else {
            return vec![Verdict::failure(
                "a bond in generic mode",
                "The kernel takes VLAN tags off before the data path sees the frames, and the agent refuses such groups.",
                "set mode = \"native\" in the interface's section, or serve these groups on another NIC",
            )];
        };
        let on = |feature: &str| features.active.contains(feature);
        let off = |feature: &str, called: &str| {
            if features.fixed.contains(feature) {
                format!("{called} cannot be changed here: use another NIC for these groups")
            } else {
                format!("ethtool -K {name} {called} off")
            }
        };
        let tags = if *double { 2 } else { 1 };
        let stripping = STRIPS.iter().take(tags).filter(|strip| on(strip.feature));
        let mut verdicts: Vec<_> = stripping
            .map(|Strip { feature, called }| {
                Verdict::failure(
                    format!("{called} is on"),
                    "The NIC takes VLAN tags off: the data path takes the frames for those of another network, and \
                     their virtual IPs do not answer.",
                    off(feature, called),
                )
            })
            .collect();
        let dropping = DROPS.iter().take(tags).filter(|feature| on(feature));
        verdicts.extend(dropping.map(|feature| {
            Verdict::warning(
                format!("{feature} is on"),
                "The NIC drops frames of VLANs for which the host has no interface.",
                format!(
                    "{}, or ip link add link {name} name {name}.ID type vlan id ID for each VLAN",
                    off(feature, feature)
                ),
            )
        }));
        if verdicts.is_empty() {
            verdicts.push(Verdict::ok("tags stay in the frames"));
        }
        verdicts
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn tags_must_stay_and_frames_must_pass() {
        let judge_tags = |active: &[&str], fixed: &[&str], double| {
            let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
            let features = Features {
                active: names(active),
                fixed: names(fixed),
            };
            let name = "eth0".to_owned();
            Vlan::judge(&Facts::Nic {
                name,
                double,
                features,
            })
            .remove(0)
        };
        let judge = |active: &[&str], fixed: &[&str]| judge_tags(active, fixed, false);
        let service = ["rx-vlan-stag-hw-parse"];
        assert_eq!(judge(&service, &[]).level, Level::Ok);
        assert_eq!(judge_tags(&service, &[], true).level, Level::Failure);
        assert_eq!(judge(&["rx-gro"], &[]).level, Level::Ok);
        let verdict = judge(&["rx-vlan-hw-parse"], &[]);
        assert_eq!(verdict.level, Level::Failure);
        assert_eq!(verdict.mend, "ethtool -K eth0 rxvlan off");
        let verdict = judge(&["rx-vlan-hw-parse"], &["rx-vlan-hw-parse"]);
        assert!(verdict.mend.contains("another NIC"), "{}", verdict.mend);
        let verdict = judge(&["rx-vlan-filter"], &[]);
        assert_eq!(verdict.level, Level::Warning);
        assert!(
            verdict
                .mend
                .starts_with("ethtool -K eth0 rx-vlan-filter off")
        );
    }
}
