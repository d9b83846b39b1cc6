//! Whether the interfaces are there, up, and have addresses to advertise from.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
    host::Served,
};
use crate::config::{Election, Group};

/// An interface of the configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    name: String,
    exists: bool,
    ethernet: bool,
    up: bool,
    carrier: bool,
    /// Whether groups advertise from an address of this family, and whether there is one.
    v4: Family,
    link_local: Family,
}

#[derive(Clone, Copy, Debug, Default)]
struct Family {
    needed: bool,
    there: bool,
}

#[derive(Debug)]
pub(super) struct Interface;

impl Check for Interface {
    const NAME: &'static str = "interface";
    const ABOUT: &'static str = "Whether each `[[interface]]` exists, is of Ethernet, is up and has a carrier, and has \
         the addresses from which its groups advertise: one of IPv4, a link-local one of IPv6.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let names = host.config.interfaces.iter().map(|interface| {
            let name = interface.name.clone();
            let served = host.served().find(|served| served.device.name == name);
            let facts = match served {
                Some(served) => look_at(host, served),
                None => Facts {
                    name: name.clone(),
                    ..Facts::default()
                },
            };
            (name, facts)
        });
        Ok(names.collect())
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts {
            name,
            exists,
            ethernet,
            up,
            carrier,
            v4,
            link_local,
        } = facts;
        let dead = "The agent does not start, or serves nothing there.";
        let mut verdicts = Vec::new();
        if !exists {
            let mend = "correct the name in [[interface]] (`ip link` lists them), or create it";
            return vec![Verdict::failure("there is none of this name", dead, mend)];
        }
        if !ethernet {
            let mend = "name an interface of Ethernet";
            return vec![Verdict::failure("is not of Ethernet", dead, mend)];
        }
        if !up {
            let mend = format!("ip link set dev {name} up");
            verdicts.push(Verdict::failure("is down", dead, mend));
        } else if !carrier {
            verdicts.push(Verdict::failure(
                "has no carrier",
                "Nobody is reached over it: peers take over what this node serves there.",
                format!(
                    "plug the cable in, or bring the other end up; `ethtool {name}` tells the state"
                ),
            ));
        }
        if v4.needed && !v4.there {
            verdicts.push(Verdict::failure(
                "has no IPv4 address",
                "Groups with IPv4 virtual IPs advertise from one: the agent does not start.",
                format!("ip address add ADDRESS/PREFIX dev {name}"),
            ));
        }
        if link_local.needed && !link_local.there {
            verdicts.push(Verdict::failure(
                "has no link-local IPv6 address",
                "Groups with IPv6 virtual IPs advertise from one: the agent does not start.",
                format!(
                    "sysctl -w net.ipv6.conf.{}.disable_ipv6=0",
                    name.replace('.', "/")
                ),
            ));
        }
        if verdicts.is_empty() {
            verdicts.push(Verdict::ok("up, with what its groups need"));
        }
        verdicts
    }
}

fn look_at(host: &Host, served: Served<'_>) -> Facts {
    let device = served.device;
    let by_vrrp = |group: &&Group| group.election != Election::Manual;
    let advertised = || {
        let groups = host.groups_on(&device.name).filter(by_vrrp);
        groups.flat_map(|group| group.vips.iter())
    };
    let own = || {
        let vips = |address| host.vips().any(|vip| vip == address);
        host.addresses_of(device.index)
            .map(|assigned| assigned.address)
            .filter(move |address| !vips(*address))
    };
    let is_link_local = |address: std::net::IpAddr| match address {
        std::net::IpAddr::V4(_) => false,
        std::net::IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    Facts {
        name: device.name.clone(),
        exists: true,
        ethernet: device.ethernet,
        up: device.up,
        carrier: device.carrier,
        v4: Family {
            needed: advertised().any(std::net::IpAddr::is_ipv4),
            there: own().any(|address| address.is_ipv4()),
        },
        link_local: Family {
            needed: advertised().any(std::net::IpAddr::is_ipv6),
            there: own().any(is_link_local),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    type Spoil<'a> = &'a dyn Fn(&mut Facts);

    #[test]
    fn each_lack_is_a_failure_with_its_mend() {
        let both = Family {
            needed: true,
            there: true,
        };
        let lacks = Family {
            needed: true,
            there: false,
        };
        let good = Facts {
            name: "eth0".to_owned(),
            exists: true,
            ethernet: true,
            up: true,
            carrier: true,
            v4: both,
            link_local: both,
        };
        assert_eq!(Interface::judge(&good)[0].level, Level::Ok);
        let wrong: [(Spoil<'_>, &str); 6] = [
            (&|facts| facts.exists = false, "correct the name"),
            (&|facts| facts.ethernet = false, "of Ethernet"),
            (&|facts| facts.up = false, "ip link set dev eth0 up"),
            (&|facts| facts.carrier = false, "cable"),
            (&|facts| facts.v4 = lacks, "ip address add"),
            (&|facts| facts.link_local = lacks, "disable_ipv6=0"),
        ];
        for (spoil, mend) in wrong {
            let mut facts = good.clone();
            spoil(&mut facts);
            let verdicts = Interface::judge(&facts);
            assert_eq!(verdicts.len(), 1, "{facts:?}");
            assert_eq!(verdicts[0].level, Level::Failure);
            assert!(verdicts[0].mend.contains(mend), "{}", verdicts[0].mend);
        }
        let unneeded = Facts {
            v4: Family::default(),
            link_local: Family::default(),
            ..good
        };
        assert_eq!(Interface::judge(&unneeded)[0].level, Level::Ok);
    }
}
