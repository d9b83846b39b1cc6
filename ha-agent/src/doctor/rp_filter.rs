//! Whether the kernel drops packets whose sender it would answer by another interface.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
    sysctl,
};

/// As RFC 3704 section 2.2 has it: the way back must be the same interface.
const STRICT: u8 = 1;
/// Section 2.4: there must be some way back.
const LOOSE: u8 = 2;

/// An interface with IPv4 virtual IPs.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    filter: u8,
    /// Other interfaces by which packets could go back.
    others: Vec<String>,
}

#[derive(Debug)]
pub(super) struct RpFilter;

impl Check for RpFilter {
    const NAME: &'static str = "rp_filter";
    const ABOUT: &'static str = "Whether strict reverse path filtering (`rp_filter=1`) is on where the host has other \
         interfaces: it drops packets to a virtual IP if the way back to the client is another one.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        host.served_v4()
            .map(|name| {
                let facts = Facts {
                    name: name.to_owned(),
                    filter: sysctl::in_force(name, "rp_filter")?,
                    others: others(host, name),
                };
                Ok((name.to_owned(), facts))
            })
            .collect()
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts {
            name,
            filter,
            others,
        } = facts;
        if *filter != STRICT {
            return vec![Verdict::ok(format!("{filter}: not strict"))];
        }
        if others.is_empty() {
            return vec![Verdict::ok("1: strict, and there is no other way back")];
        }
        vec![Verdict::warning(
            format!("1: strict, and the host also has {}", others.join(", ")),
            "Packets to a virtual IP are dropped without a word if the host would answer their sender by another \
             interface.",
            sysctl::set(name, "rp_filter", LOOSE),
        )]
    }
}

/// Other interfaces that are up and have an IPv4 address.
fn others(host: &Host, name: &str) -> Vec<String> {
    let others = host.devices.iter().filter(|device| {
        let is_reached = |index| host.addresses_of(index).any(|own| own.address.is_ipv4());
        device.name != name && device.name != "lo" && device.up && is_reached(device.index)
    });
    others.map(|device| device.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn strict_is_wrong_only_where_there_is_another_way() {
        let judge = |filter, others: &[&str]| {
            RpFilter::judge(&Facts {
                name: "eth0".to_owned(),
                filter,
                others: others.iter().map(|name| (*name).to_owned()).collect(),
            })
            .remove(0)
        };
        assert_eq!(judge(1, &[]).level, Level::Ok);
        assert_eq!(judge(0, &["eth1"]).level, Level::Ok);
        assert_eq!(judge(2, &["eth1"]).level, Level::Ok);
        let verdict = judge(1, &["eth1"]);
        assert_eq!(verdict.level, Level::Warning);
        assert_eq!(verdict.mend, "sysctl -w net.ipv4.conf.eth0.rp_filter=2");
    }
}
