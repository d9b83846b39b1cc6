//! VLAN tags have to be in the frames when the data path looks for them: a NIC that takes them off is told not to, if
//! the configuration says so, and is refused if not.

use anyhow::{Context, Result, bail, ensure};

use crate::{
    config::{Config, Mode, VlanOffload},
    net::{Ethtool, Features, Netlink, STRIPS, Strip, receivers},
};

/// An offload that is to be turned off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    interface: String,
    strip: Strip,
}

/// What has to be turned off before the configuration can be in force. Changes nothing.
///
/// # Errors
/// If it cannot be turned off, or nobody has said that it may.
pub(super) async fn look(config: &Config, netlink: &Netlink) -> Result<Vec<Wrong>> {
    let mut wrong = Vec::new();
    let tagged = config.interfaces.iter().filter_map(|interface| {
        let tags = most_tags(config, &interface.name);
        (tags > 0).then_some((interface, tags))
    });
    let mut tagged = tagged.peekable();
    if tagged.peek().is_none() {
        return Ok(wrong);
    }
    let ethtool = Ethtool::connect()?;
    for (interface, tags) in tagged {
        let ports = netlink.bond_ports(&interface.name).await?;
        ensure!(
            interface.mode == Mode::Native || ports.is_empty(),
            "{0} is a bond in generic mode, before which the kernel takes VLAN tags off: set mode = \"native\" for it, or \
             serve the groups with vlan = [...] on another NIC",
            interface.name
        );
        for name in receivers(&interface.name, ports) {
            let features = features(&ethtool, &name).await?;
            wrong.extend(judge(&name, interface.vlan_offload, tags, &features)?);
        }
    }
    Ok(wrong)
}

/// Turns these off. They stay off when the agent goes.
///
/// # Errors
/// If the kernel refuses, or the driver does not do it.
pub(super) async fn turn_off(wrong: &[Wrong]) -> Result<()> {
    if wrong.is_empty() {
        return Ok(());
    }
    let ethtool = Ethtool::connect()?;
    for Wrong { interface, strip } in wrong {
        let Strip { feature, called } = strip;
        let failed = || format!("cannot turn {called} of {interface} off");
        let turned = ethtool.turn_off(interface, feature).await;
        turned.with_context(failed)?;
        let is_on = features(&ethtool, interface)
            .await?
            .active
            .contains(*feature);
        ensure!(!is_on, "{}: its driver keeps it on", failed());
        tracing::warn!(%interface, "{called} is turned off, so that VLAN tags stay in the frames");
    }
    Ok(())
}

/// Most tags of a group that may be served there.
fn most_tags(config: &Config, interface: &str) -> usize {
    let groups = config.groups.iter();
    let groups = groups.filter(|group| group.interfaces().any(|name| name == interface));
    let tags = groups.map(|group| {
        let ids = [group.vlan.outer, group.vlan.inner];
        ids.iter().filter(|id| **id != 0).count()
    });
    tags.max().unwrap_or(0)
}

async fn features(ethtool: &Ethtool, interface: &str) -> Result<Features> {
    let features = ethtool.features(interface).await;
    // A driver that does not tell has none.
    Ok(features
        .with_context(|| format!("cannot ask for the offloads of {interface}"))?
        .unwrap_or_default())
}

fn judge(name: &str, offload: VlanOffload, tags: usize, features: &Features) -> Result<Vec<Wrong>> {
    let strips = STRIPS.iter().take(tags);
    let mut wrong = Vec::new();
    for strip in strips.filter(|strip| features.active.contains(strip.feature)) {
        let Strip { feature, called } = strip;
        if features.fixed.contains(*feature) {
            bail!(
                "{name} takes VLAN tags off before the data path sees them ({called}), and its driver does not let that \
                 be changed: serve the groups with vlan = [...] on another NIC"
            );
        }
        match offload {
            VlanOffload::Keep => bail!(
                "{name} takes VLAN tags off before the data path sees them: run `ethtool -K {name} {called} off`, or set \
                 vlan_offload = \"off\" for it, which has the agent do so"
            ),
            VlanOffload::Off => wrong.push(Wrong {
                interface: name.to_owned(),
                strip: *strip,
            }),
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nic_that_takes_tags_off_is_refused_unless_it_may_be_told_not_to() {
        let judged = |vlan_offload, tags, active: &[&str], fixed: &[&str]| {
            let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
            let features = Features {
                active: names(active),
                fixed: names(fixed),
            };
            let wrong = judge("eth0", vlan_offload, tags, &features);
            wrong.map_err(|error| error.to_string()).map(|wrong| {
                let called = wrong.into_iter().map(|wrong| wrong.strip.called);
                called.collect::<Vec<_>>()
            })
        };
        let (keep, off) = (VlanOffload::Keep, VlanOffload::Off);
        let [one, two] = STRIPS.map(|strip| strip.feature);
        assert_eq!(judged(keep, 1, &["rx-gro"], &[]), Ok(vec![]));
        assert_eq!(judged(keep, 1, &[two], &[]), Ok(vec![]));
        assert_eq!(judged(off, 1, &[one], &[]), Ok(vec!["rxvlan"]));
        assert_eq!(judged(off, 2, &[one, two], &[]), Ok(vec!["rxvlan", two]));
        let refused = judged(keep, 1, &[one], &[]).unwrap_err();
        assert!(
            refused.contains("`ethtool -K eth0 rxvlan off`"),
            "{refused}"
        );
        let refused = judged(keep, 2, &[two], &[]).unwrap_err();
        assert!(refused.contains(&format!("{two} off`")), "{refused}");
        for asked in [keep, off] {
            let refused = judged(asked, 1, &[one], &[one]).unwrap_err();
            assert!(refused.contains("another NIC"), "{refused}");
        }
    }
}
