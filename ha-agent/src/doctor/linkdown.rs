//! Whether the host goes on sending out of a NIC that has lost its link.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
    sysctl,
};

const PARAMETER: &str = "ignore_routes_with_linkdown";

/// An interface that others may stand in for, or that may stand in for others.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    /// Whether the routes of this family are passed over when the link is lost; `None` if no group needs them.
    v4: Option<bool>,
    v6: Option<bool>,
}

#[derive(Debug)]
pub(super) struct LinkDown;

impl Check for LinkDown {
    const NAME: &'static str = "linkdown";
    const ABOUT: &'static str = "On interfaces of groups with `[group.local]`: whether routes are passed over while the \
         interface has no link (`ignore_routes_with_linkdown=1`). Otherwise the host goes on sending its applications' \
         answers there, whichever NIC the virtual IPs have been moved to.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let served = host.served().map(|served| served.device.name.as_str());
        let mut seen = Vec::new();
        for name in served {
            let groups = host.groups_on(name).filter(|group| group.local.is_some());
            let vips: Vec<_> = groups.flat_map(|group| &group.vips).collect();
            if vips.is_empty() {
                continue;
            }
            let has_v4 = vips.iter().any(|vip| vip.is_ipv4());
            let has_v6 = vips.iter().any(|vip| vip.is_ipv6());
            let v4 = has_v4.then(|| sysctl::in_force(name, PARAMETER));
            // Of IPv6 each interface goes by its own; what is set for all is set for each.
            let v6 = has_v6.then(|| sysctl::read(&format!("ipv6/conf/{name}/{PARAMETER}")));
            let facts = Facts {
                name: name.to_owned(),
                v4: v4.transpose()?.map(|value| value != 0),
                v6: v6.transpose()?.map(|value| value != 0),
            };
            seen.push((name.to_owned(), facts));
        }
        Ok(seen)
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts { name, v4, v6 } = facts;
        let families = [
            (*v4, "IPv4", sysctl::set(name, PARAMETER, 1)),
            (*v6, "IPv6", sysctl::set6(name, PARAMETER, 1)),
        ];
        let used = families
            .into_iter()
            .filter(|(passed, ..)| *passed == Some(false));
        let verdicts: Vec<_> = used
            .map(|(_, family, mend)| {
                Verdict::warning(
                    format!("0: {family} routes are used without a link, too"),
                    "When the interface loses its link, the virtual IPs move to another one of this node, but \
                     applications' answers are sent out of this one and lost, unless a better route leads elsewhere.",
                    mend,
                )
            })
            .collect();
        if verdicts.is_empty() {
            return vec![Verdict::ok("1: without a link its routes are passed over")];
        }
        verdicts
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn each_family_that_is_served_has_its_own_mend() {
        let judge = |v4, v6| {
            let name = "eth0".to_owned();
            LinkDown::judge(&Facts { name, v4, v6 })
        };
        for (v4, v6) in [
            (Some(true), Some(true)),
            (Some(true), None),
            (None, Some(true)),
        ] {
            assert_eq!(judge(v4, v6)[0].level, Level::Ok);
        }
        let both = judge(Some(false), Some(false));
        let mends: Vec<_> = both.iter().map(|verdict| verdict.mend.as_str()).collect();
        assert_eq!(
            mends,
            [
                "sysctl -w net.ipv4.conf.eth0.ignore_routes_with_linkdown=1",
                "sysctl -w net.ipv6.conf.eth0.ignore_routes_with_linkdown=1"
            ]
        );
        assert!(both.iter().all(|verdict| verdict.level == Level::Warning));
        assert_eq!(judge(Some(true), Some(false)).len(), 1);
        assert_eq!(judge(Some(false), None).len(), 1);
    }
}
