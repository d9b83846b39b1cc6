//! Whether virtual IPs are addresses of interfaces too.

use std::{collections::BTreeSet, net::IpAddr};

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};

/// Virtual IPs that are addresses: address, bits of its network, name of the interface.
#[derive(Debug)]
pub(super) struct Facts {
    vips: usize,
    assigned: Vec<(IpAddr, u8, String)>,
}

#[derive(Debug)]
pub(super) struct Address;

impl Check for Address {
    const NAME: &'static str = "address";
    const ABOUT: &'static str = "Virtual IPs that are configured as addresses of an interface, as other failover \
         programs have them. The host would use them and speak of them whoever is Active.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let vips: BTreeSet<IpAddr> = host.vips().collect();
        let of_vips = host
            .addresses
            .iter()
            .filter(|assigned| vips.contains(&assigned.address));
        let assigned = of_vips.map(|assigned| {
            let device = host.device_at(assigned.index);
            let name = device.map_or_else(String::new, |device| device.name.clone());
            (assigned.address, assigned.prefix, name)
        });
        let facts = Facts {
            vips: vips.len(),
            assigned: assigned.collect(),
        };
        Ok(vec![(String::new(), facts)])
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        if facts.assigned.is_empty() {
            return vec![Verdict::ok(format!(
                "none of {} virtual IPs is an address of an interface",
                facts.vips
            ))];
        }
        let verdicts = facts.assigned.iter().map(|(vip, prefix, name)| {
            Verdict::failure(
                format!("{vip} is an address of {name}"),
                "The kernel speaks as it on every node: it announces it when the interface comes up, chooses it as a \
                 source, and refuses it as a duplicate of the Active node's. Take it out of what configures the \
                 interface at boot, too.",
                format!("ip address del {vip}/{prefix} dev {name}"),
            )
        });
        verdicts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn each_is_told_with_the_line_that_removes_it() {
        let vip = "192.0.2.10".parse().unwrap();
        let judge = |assigned| Address::judge(&Facts { vips: 3, assigned });
        assert_eq!(judge(vec![])[0].level, Level::Ok);
        let verdicts = judge(vec![(vip, 24, "eth0".to_owned())]);
        assert_eq!(verdicts[0].level, Level::Failure);
        assert_eq!(verdicts[0].mend, "ip address del 192.0.2.10/24 dev eth0");
    }
}
