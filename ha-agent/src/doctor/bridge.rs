//! The bridge of which an interface is a port, as on a host of virtual machines.

use std::time::Duration;

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};
use crate::{
    config::Election,
    net::{self, Device},
};

/// Advertisements that may be lost before the bridge forgets where an address is.
const LOST: u32 = 3;

/// A bridge, and what is served beyond it.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    bridge: net::Bridge,
    /// How long an Active node may say nothing.
    silence: Duration,
    v6: bool,
}

#[derive(Debug)]
pub(super) struct Bridge;

impl Check for Bridge {
    const NAME: &'static str = "bridge";
    const ABOUT: &'static str = "The bridge that an interface is, or is a port of: whether it forgets a silent MAC \
         sooner than advertisements come, whether spanning tree keeps a port that comes up deaf, and whether snooping \
         with a querier of its own withholds neighbour solicitations.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let served = host.served().filter_map(|served| {
            let device = served.device;
            let master = device.master.and_then(|index| host.device_at(index));
            let (name, bridge) = as_bridge(device).or_else(|| as_bridge(master?))?;
            let intervals =
                host.groups_on(&device.name)
                    .filter_map(|group| match &group.election {
                        Election::Vrrp(vrrp) => Some(vrrp.advert_interval.duration()),
                        Election::Manual => None,
                    });
            let facts = Facts {
                name: name.to_owned(),
                bridge,
                silence: intervals.max().unwrap_or_default() * LOST,
                v6: host.vips_on(&device.name).any(|vip| vip.is_ipv6()),
            };
            Some((device.name.clone(), facts))
        });
        Ok(served.collect())
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts {
            name,
            bridge,
            silence,
            v6,
        } = facts;
        let set = |what: &str| format!("ip link set dev {name} type bridge {what}");
        let mut verdicts = Vec::new();
        if bridge.ageing <= *silence {
            verdicts.push(Verdict::warning(
                format!("the bridge {name} forgets a silent MAC after {:?}", bridge.ageing),
                "Between advertisements it sends a virtual IP's frames to every port: a Backup gets copies, and \
                 forwards them to the Active node, which gets them twice.",
                set("ageing_time 30000"),
            ));
        }
        if bridge.spanning_tree && !bridge.forward_delay.is_zero() {
            verdicts.push(Verdict::warning(
                format!(
                    "the bridge {name} runs spanning tree with a forward delay of {:?}",
                    bridge.forward_delay
                ),
                "A port that comes up forwards nothing for twice as long: a node behind it hears no peer, and becomes \
                 Active beside the other one.",
                set("stp_state 0"),
            ));
        }
        if bridge.snooping && bridge.querier && *v6 {
            verdicts.push(Verdict::warning(
                format!("the bridge {name} snoops, and is the querier"),
                "It forwards neighbour solicitations for IPv6 virtual IPs only where somebody reported their groups, \
                 which this node does not: neighbours may not find the virtual IPs.",
                set("mcast_snooping 0"),
            ));
        }
        if verdicts.is_empty() {
            verdicts.push(Verdict::ok(format!(
                "the bridge {name} remembers for {:?} and forwards at once",
                bridge.ageing
            )));
        }
        verdicts
    }
}

fn as_bridge(device: &Device) -> Option<(&str, net::Bridge)> {
    Some((&device.name, device.bridge?))
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    type Spoil<'a> = &'a dyn Fn(&mut Facts);

    #[test]
    fn what_a_bridge_should_not_do() {
        let good = Facts {
            name: "br0".to_owned(),
            bridge: net::Bridge {
                ageing: Duration::from_secs(300),
                forward_delay: Duration::from_secs(15),
                snooping: true,
                ..net::Bridge::default()
            },
            silence: Duration::from_secs(3),
            v6: true,
        };
        assert_eq!(Bridge::judge(&good)[0].level, Level::Ok);
        let wrong: [(Spoil<'_>, &str); 3] = [
            (
                &|facts| facts.bridge.ageing = Duration::from_secs(3),
                "ip link set dev br0 type bridge ageing_time 30000",
            ),
            (
                &|facts| facts.bridge.spanning_tree = true,
                "ip link set dev br0 type bridge stp_state 0",
            ),
            (
                &|facts| facts.bridge.querier = true,
                "ip link set dev br0 type bridge mcast_snooping 0",
            ),
        ];
        for (spoil, mend) in wrong {
            let mut facts = good.clone();
            spoil(&mut facts);
            let verdicts = Bridge::judge(&facts);
            assert_eq!(verdicts.len(), 1);
            assert_eq!(verdicts[0].level, Level::Warning);
            assert_eq!(verdicts[0].mend, mend);
        }
        let only_v4 = Facts {
            bridge: net::Bridge {
                querier: true,
                ..good.bridge
            },
            v6: false,
            ..good
        };
        assert_eq!(Bridge::judge(&only_v4)[0].level, Level::Ok);
    }
}
