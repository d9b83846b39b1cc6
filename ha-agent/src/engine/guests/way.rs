//! The ways that lead from an interface to a guest.

use ha_common::abi::{DELIVER_BRIDGED, DELIVER_BUFFERS, DELIVER_REDIRECTED, DELIVER_ROUTED};

use crate::{
    config::Mode,
    net::{Leads, Link, XdpFeatures},
};

/// Where a guest's traffic comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nic {
    /// Its name.
    pub(super) name: String,
    /// Its index.
    pub(super) index: u32,
    /// How the data path is attached there.
    pub(super) mode: Mode,
}

/// How a guest is reached at present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Way {
    /// Index of its interface; 0 if there is none.
    pub(super) ifindex: u32,
    /// `DELIVER_*` bits; none if it is not reached.
    pub(super) flags: u32,
    /// MTU of its interface.
    pub(super) mtu: u32,
    /// What is worth knowing, as why it is not redirected to.
    pub(super) note: String,
}

/// What has to be known beside the interfaces.
pub(super) trait Kernel {
    /// What an interface does with redirected frames; `None` if the kernel does not say.
    fn features(&self, index: u32) -> Option<XdpFeatures>;
    /// Whether the host forwards what comes in on an interface.
    fn forwards(&self, nic: &Nic) -> bool;
}

impl Way {
    /// The word in the status.
    pub(super) const fn word(&self) -> &'static str {
        if self.flags & DELIVER_REDIRECTED != 0 {
            "redirected"
        } else if self.flags & DELIVER_BRIDGED != 0 {
            "bridged"
        } else if self.flags & DELIVER_ROUTED != 0 {
            "routed"
        } else {
            "none"
        }
    }

    /// The ways from `nic` to the interface of this name.
    pub(super) fn to(name: &str, nic: &Nic, links: &[Link], kernel: &impl Kernel) -> Self {
        let Some(link) = links.iter().find(|link| link.name == name) else {
            return Self {
                note: "there is no such interface".to_owned(),
                ..Self::default()
            };
        };
        let way = Self {
            ifindex: link.index,
            mtu: link.mtu,
            ..Self::default()
        };
        if !link.up {
            let note = "down, or without carrier: nobody is behind it".to_owned();
            return Self { note, ..way };
        }
        let beside = beside(link, nic, links, kernel);
        let (direct, mut note) = redirection(link, nic, kernel);
        if direct | beside == 0 {
            note = format!(
                "{note}; and neither does a bridge join it with {nic}, nor does {nic} forward",
                nic = nic.name
            );
        }
        Self {
            flags: direct | beside,
            note,
            ..way
        }
    }
}

/// Whether frames can be redirected to an interface, and why not.
fn redirection(link: &Link, nic: &Nic, kernel: &impl Kernel) -> (u32, String) {
    if link.leads == Leads::OutBelow {
        return (
            0,
            "a macvlan gets what comes in below with its MAC".to_owned(),
        );
    }
    // In the stack every interface can send what is redirected to it.
    if nic.mode == Mode::Generic {
        return (DELIVER_REDIRECTED | DELIVER_BUFFERS, String::new());
    }
    let (takes, takes_buffers) = match kernel.features(link.index) {
        Some(features) => (features.transmit, features.transmit_fragments),
        // Of tap it is known since Linux 4.20, but not that it would take several buffers.
        None => (link.leads == Leads::ToProcess, false),
    };
    match (takes, takes_buffers) {
        (true, true) => (DELIVER_REDIRECTED | DELIVER_BUFFERS, String::new()),
        (true, false) => (DELIVER_REDIRECTED, String::new()),
        (false, _) if link.veth => (
            0,
            "the other end of the veth does not poll: `ethtool -K INTERFACE gro on` there"
                .to_owned(),
        ),
        (false, _) => (0, "its driver takes no redirected frames".to_owned()),
    }
}

/// The way beside a redirection.
fn beside(link: &Link, nic: &Nic, links: &[Link], kernel: &impl Kernel) -> u32 {
    let index = |link: &Link| link.index;
    // The NIC itself, or what lies on it.
    let is_above = |link: &Link| link.index == nic.index || link.lower == Some(nic.index);
    let above: Vec<u32> = links.iter().filter(|l| is_above(l)).map(index).collect();
    let is_macvlan =
        link.leads == Leads::OutBelow && link.lower.is_some_and(|lower| above.contains(&lower));
    let is_bridged = link.master.is_some_and(|bridge| {
        let mut ports = links.iter().filter(|port| port.master == Some(bridge));
        ports.any(|port| above.contains(&port.index))
    });
    if is_macvlan || is_bridged {
        DELIVER_BRIDGED
    } else if link.leads != Leads::OutBelow && kernel.forwards(nic) {
        DELIVER_ROUTED
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIC: u32 = 2;
    const BRIDGE: u32 = 3;
    const GUEST: u32 = 4;

    struct Fake {
        features: Option<XdpFeatures>,
        forwards: bool,
    }

    impl Kernel for Fake {
        fn features(&self, _: u32) -> Option<XdpFeatures> {
            self.features
        }

        fn forwards(&self, _: &Nic) -> bool {
            self.forwards
        }
    }

    const TAKES_ALL: Option<XdpFeatures> = Some(XdpFeatures {
        basic: true,
        redirect: true,
        transmit: true,
        fragments: true,
        transmit_fragments: true,
    });
    const TAKES_NOTHING: Option<XdpFeatures> = Some(XdpFeatures {
        basic: true,
        redirect: true,
        transmit: false,
        fragments: true,
        transmit_fragments: false,
    });

    fn link(index: u32, name: &str) -> Link {
        Link {
            index,
            name: name.to_owned(),
            up: true,
            mtu: 1500,
            ..Link::default()
        }
    }

    fn bridged(guest: Link) -> Vec<Link> {
        let master = Some(BRIDGE);
        vec![
            Link {
                master,
                ..link(NIC, "eth0")
            },
            link(BRIDGE, "br0"),
            Link { master, ..guest },
        ]
    }

    fn way(links: &[Link], mode: Mode, features: Option<XdpFeatures>, forwards: bool) -> Way {
        let nic = Nic {
            name: "eth0".to_owned(),
            index: NIC,
            mode,
        };
        Way::to("tap0", &nic, links, &Fake { features, forwards })
    }

    fn word(links: &[Link], features: Option<XdpFeatures>) -> &'static str {
        way(links, Mode::Native, features, false).word()
    }

    #[test]
    fn what_takes_redirected_frames_gets_them() {
        let links = bridged(link(GUEST, "tap0"));
        let all = way(&links, Mode::Native, TAKES_ALL, false);
        assert_eq!(all.word(), "redirected");
        assert_eq!(
            all.flags,
            DELIVER_REDIRECTED | DELIVER_BUFFERS | DELIVER_BRIDGED
        );
        assert_eq!((all.ifindex, all.mtu), (GUEST, 1500));
        assert_eq!(word(&links, TAKES_NOTHING), "bridged");
        let generic = way(&links, Mode::Generic, TAKES_NOTHING, false);
        assert_eq!(generic.word(), "redirected");
    }

    #[test]
    fn of_old_kernels_only_tap_is_known() {
        let tap = Link {
            leads: Leads::ToProcess,
            ..link(GUEST, "tap0")
        };
        assert_eq!(word(&bridged(tap), None), "redirected");
        assert_eq!(word(&bridged(link(GUEST, "tap0")), None), "bridged");
    }

    #[test]
    fn a_macvlan_gets_what_comes_in_below_it() {
        let on = |lower| Link {
            leads: Leads::OutBelow,
            lower: Some(lower),
            ..link(GUEST, "tap0")
        };
        let with = |guest| vec![link(NIC, "eth0"), guest];
        assert_eq!(word(&with(on(NIC)), TAKES_ALL), "bridged");
        assert_eq!(word(&with(on(9)), TAKES_ALL), "none");
        let generic = way(&with(on(NIC)), Mode::Generic, None, false);
        assert_eq!(generic.word(), "bridged");
    }

    #[test]
    fn without_a_bridge_the_routes_are_left_or_nothing() {
        let links = [link(NIC, "eth0"), link(GUEST, "tap0")];
        assert_eq!(
            way(&links, Mode::Native, TAKES_NOTHING, true).word(),
            "routed"
        );
        let none = way(&links, Mode::Native, TAKES_NOTHING, false);
        assert_eq!(none.word(), "none");
        assert!(none.note.contains("eth0"), "{}", none.note);
        let mut other = bridged(link(GUEST, "tap0"));
        other[0].master = Some(9);
        assert_eq!(word(&other, TAKES_NOTHING), "none");
    }

    #[test]
    fn a_vlan_of_the_nic_can_be_in_the_bridge() {
        let mut links = bridged(link(GUEST, "tap0"));
        links[0].master = None;
        links.push(Link {
            master: Some(BRIDGE),
            lower: Some(NIC),
            ..link(7, "eth0.100")
        });
        assert_eq!(word(&links, TAKES_NOTHING), "bridged");
    }

    #[test]
    fn nothing_leads_to_what_is_down_or_not_there() {
        let down = Link {
            up: false,
            ..link(GUEST, "tap0")
        };
        let down = way(&bridged(down), Mode::Native, TAKES_ALL, true);
        assert_eq!((down.word(), down.ifindex), ("none", GUEST));
        let gone = way(&[link(NIC, "eth0")], Mode::Native, TAKES_ALL, true);
        assert_eq!((gone.word(), gone.ifindex), ("none", 0));
    }
}
