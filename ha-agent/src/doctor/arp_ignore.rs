//! Whether the kernel answers for virtual IPs on interfaces without a data path.

use std::net::IpAddr;

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
    host::is_in_network,
    sysctl,
};
use crate::net::Device;

/// Answer only for addresses of the interface itself (ip-sysctl.rst).
const OWN_ONLY: u8 = 1;

/// An interface that is not in the configuration.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    ignore: u8,
    /// A virtual IP that is in one of its networks.
    near: Option<IpAddr>,
}

#[derive(Debug)]
pub(super) struct ArpIgnore;

impl Check for ArpIgnore {
    const NAME: &'static str = "arp_ignore";
    const ABOUT: &'static str = "Other interfaces on which the kernel answers ARP for IPv4 virtual IPs: routes make \
         them local on every node, and there is no data path there to keep it silent. A failure if the interface is in \
         a virtual IP's own network.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        if !host.vips().any(|vip| vip.is_ipv4()) {
            return Ok(Vec::new());
        }
        let others = host.others().map(|device| {
            let name = device.name.clone();
            let facts = Facts {
                ignore: sysctl::in_force(&name, "arp_ignore")?,
                near: near(host, device),
                name: name.clone(),
            };
            Ok((name, facts))
        });
        others.collect()
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts { name, ignore, near } = facts;
        if *ignore >= OWN_ONLY {
            return vec![Verdict::ok(format!("{ignore}: silent for virtual IPs"))];
        }
        let seen = "0: the kernel answers ARP for virtual IPs here";
        let mend = sysctl::set(name, "arp_ignore", OWN_ONLY);
        vec![match near {
            Some(vip) => Verdict::failure(
                seen,
                format!(
                    "{vip} is in a network of this interface: two nodes answer for it. If it is the network of the \
                     virtual IPs, list the interface in [[interface]] instead."
                ),
                mend,
            ),
            None => Verdict::warning(
                seen,
                "Whoever asks for a virtual IP there is answered by a node that may not be Active.",
                mend,
            ),
        }]
    }
}

fn near(host: &Host, device: &Device) -> Option<IpAddr> {
    let in_networks = |vip: &IpAddr| {
        let mut networks = host.addresses_of(device.index);
        vip.is_ipv4() && networks.any(|network| is_in_network(*vip, network))
    };
    host.vips().find(in_networks)
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn it_is_worse_in_the_same_network() {
        let judge = |ignore, near: Option<&str>| {
            let near = near.map(|vip| vip.parse().unwrap());
            let name = "eth1".to_owned();
            ArpIgnore::judge(&Facts { name, ignore, near }).remove(0)
        };
        assert_eq!(judge(1, Some("192.0.2.10")).level, Level::Ok);
        assert_eq!(judge(2, None).level, Level::Ok);
        assert_eq!(judge(0, None).level, Level::Warning);
        let verdict = judge(0, Some("192.0.2.10"));
        assert_eq!(verdict.level, Level::Failure);
        assert_eq!(verdict.mend, "sysctl -w net.ipv4.conf.eth1.arp_ignore=1");
    }
}
