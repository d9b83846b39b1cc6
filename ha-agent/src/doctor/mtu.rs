//! Whether frames of the interface's size go through XDP programs.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};
use crate::{config::Mode, net::XdpFeatures};

/// The least MTU of IPv6 (RFC 8200 section 5); below it the kernel turns IPv6 off.
const LEAST_V6: u32 = 1280;
/// What fits into a page beside the headroom of XDP (`XDP_PACKET_HEADROOM`), `struct skb_shared_info` and the
/// headers with two tags: 4096 - 256 - 320 - 22. Drivers refuse programs without fragments above some such bound.
const ONE_BUFFER: u32 = 3498;

/// The sizes of an interface.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    mtu: u32,
    v6: bool,
    mode: Mode,
    own: bool,
    features: Option<XdpFeatures>,
}

#[derive(Debug)]
pub(super) struct Mtu;

impl Check for Mtu {
    const NAME: &'static str = "mtu";
    const ABOUT: &'static str = "Whether the driver takes a program at this MTU: above some 3,500 octets a frame lies \
         in several buffers, which not every driver hands to programs; and whether IPv6 works at it (1280).";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let mut seen = Vec::new();
        for served in host.served() {
            let device = served.device;
            let facts = Facts {
                name: device.name.clone(),
                mtu: device.mtu,
                v6: host.vips_on(&device.name).any(|vip| vip.is_ipv6()),
                mode: served.mode,
                own: host.is_own(device),
                features: host.xdp_features(device).await?,
            };
            seen.push((device.name.clone(), facts));
        }
        Ok(seen)
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts {
            mtu,
            v6,
            mode,
            own,
            features,
            ref name,
        } = *facts;
        let lower = format!("ip link set dev {name} mtu 1500");
        let verdict = if v6 && mtu < LEAST_V6 {
            Verdict::failure(
                format!("{mtu} octets, and IPv6 needs {LEAST_V6}"),
                "The kernel turns IPv6 off on the interface: IPv6 virtual IPs are not served.",
                lower,
            )
        } else if mode == Mode::Generic || mtu <= ONE_BUFFER {
            Verdict::ok(format!("{mtu} octets"))
        } else if own {
            Verdict::ok(format!("{mtu} octets, and the driver runs the data path"))
        } else {
            match features {
                Some(can) if can.fragments => {
                    Verdict::ok(format!("{mtu} octets, in several buffers"))
                }
                Some(_) => Verdict::failure(
                    format!(
                        "{mtu} octets, and the driver hands programs only frames of one buffer"
                    ),
                    format!(
                        "It refuses the program above {ONE_BUFFER} octets or less: the agent does not start."
                    ),
                    lower,
                ),
                None => Verdict::warning(
                    format!(
                        "{mtu} octets, and the kernel does not tell whether the driver has fragments"
                    ),
                    "The driver may refuse the program.",
                    format!("`ha-agent doctor --attach` tries it; if it is refused, {lower}"),
                ),
            }
        };
        vec![verdict]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    fn judge(mtu: u32, change: impl Fn(&mut Facts)) -> Level {
        let mut facts = Facts {
            name: "eth0".to_owned(),
            mtu,
            v6: true,
            mode: Mode::Native,
            own: false,
            features: Some(XdpFeatures::default()),
        };
        change(&mut facts);
        Mtu::judge(&facts)[0].level
    }

    #[test]
    fn large_frames_need_fragments() {
        let fragments = XdpFeatures {
            fragments: true,
            ..XdpFeatures::default()
        };
        assert_eq!(judge(1500, |_| ()), Level::Ok);
        assert_eq!(judge(9000, |_| ()), Level::Failure);
        assert_eq!(
            judge(9000, |facts| facts.features = Some(fragments)),
            Level::Ok
        );
        assert_eq!(judge(9000, |facts| facts.features = None), Level::Warning);
        assert_eq!(judge(9000, |facts| facts.own = true), Level::Ok);
        assert_eq!(judge(9000, |facts| facts.mode = Mode::Generic), Level::Ok);
    }

    #[test]
    fn ipv6_needs_1280_octets() {
        assert_eq!(judge(1280, |_| ()), Level::Ok);
        assert_eq!(judge(1279, |_| ()), Level::Failure);
        assert_eq!(judge(1279, |facts| facts.v6 = false), Level::Ok);
    }
}
