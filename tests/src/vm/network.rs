//! What the virtual IPs of virtual machines are served on, and how machines and clients get there.

use std::net::Ipv4Addr;

use crate::{
    address::{PREFIX4, PREFIX6, Station},
    node::INTERFACE,
};

/// Debian's `ip` in a machine; the bare name would be busybox's.
const IP: &str = "/bin/ip";
/// The interface of a bond. The module makes a `bond0` of its own accord.
const BOND: &str = "uplink";
/// The interface of a VLAN, outside and inside.
const VLANS: [&str; 2] = ["outer", "inner"];
/// Their tags.
const TAGS: [u16; 2] = [7, 9];
/// Their EtherTypes (IEEE 802.1Q and 802.1ad).
const CUSTOMER: u16 = 0x8100;
const SERVICE: u16 = 0x88a8;
/// Where the NIC's own addresses are if the virtual IPs are on a VLAN.
const UNTAGGED: [u8; 3] = [10, 78, 0];

/// A network of virtual IPs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// That of the NIC.
    Plain,
    /// A VLAN on the NIC.
    Tagged,
    /// A VLAN in a VLAN on the NIC.
    DoublyTagged,
    /// That of an active-backup bond of two NICs.
    Bonded,
    /// The same, where the program is in the stack and not in the drivers of the NICs.
    BondedGeneric,
}

impl Network {
    /// How many NICs a machine has.
    #[must_use]
    pub const fn nics(self) -> usize {
        match self {
            Self::Plain | Self::Tagged | Self::DoublyTagged => 1,
            Self::Bonded | Self::BondedGeneric => 2,
        }
    }

    /// The interface that the agent is told.
    #[must_use]
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Plain | Self::Tagged | Self::DoublyTagged => INTERFACE,
            Self::Bonded | Self::BondedGeneric => BOND,
        }
    }

    /// How the program is attached.
    #[must_use]
    pub const fn mode(self) -> &'static str {
        match self {
            Self::Plain | Self::Tagged | Self::DoublyTagged | Self::Bonded => "native",
            Self::BondedGeneric => "generic",
        }
    }

    /// The tags of its frames.
    #[must_use]
    pub fn tags(self) -> &'static [u16] {
        match self {
            Self::Plain | Self::Bonded | Self::BondedGeneric => &[],
            Self::Tagged => &TAGS[..1],
            Self::DoublyTagged => &TAGS,
        }
    }

    /// The same as `ip` has them; the outer one of two is a service tag (IEEE 802.1ad).
    fn kinds(self) -> Vec<String> {
        let tags = self.tags();
        let kind = |(place, tag)| match (place, tags.len()) {
            (0, 2) => format!("proto 802.1ad id {tag}"),
            _ => format!("id {tag}"),
        };
        tags.iter().enumerate().map(kind).collect()
    }

    /// The modules that it takes beside those of a NIC.
    #[must_use]
    pub const fn modules(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[],
            Self::Tagged | Self::DoublyTagged => &["8021q"],
            Self::Bonded | Self::BondedGeneric => &["bonding"],
        }
    }

    /// The address of the interface that the agent is told, from which it speaks, of a machine with these
    /// addresses.
    #[must_use]
    pub fn own(self, addresses: Station) -> Ipv4Addr {
        if self.tags().is_empty() {
            return addresses.v4;
        }
        let ([a, b, c], [.., host]) = (UNTAGGED, addresses.v4.octets());
        Ipv4Addr::new(a, b, c, host)
    }

    /// What makes a machine part of it, with these addresses, a line each for its shell.
    #[must_use]
    pub fn commands(self, addresses: Station) -> Vec<String> {
        let mut lines = Vec::new();
        if self.nics() > 1 {
            lines.push(format!(
                "{IP} link add {BOND} type bond mode active-backup miimon 100"
            ));
            for nic in 0..self.nics() {
                lines.push(Self::join(nic));
            }
        }
        let interface = self.interface();
        lines.push(format!("{IP} link set dev {interface} up"));
        let mut home = interface;
        for (name, tag) in VLANS.into_iter().zip(self.kinds()) {
            lines.push(format!("{IP} {}", vlan(home, name, &tag)));
            lines.push(format!("{IP} link set dev {name} up"));
            home = name;
        }
        if home != interface {
            let own = self.own(addresses);
            lines.push(format!("{IP} addr add {own}/24 dev {interface}"));
        }
        lines.extend(add_addresses(home, addresses).map(|line| format!("{IP} {line}")));
        lines
    }

    /// What makes a NIC, by number, a port of the bond.
    #[must_use]
    pub fn join(nic: usize) -> String {
        format!("{IP} link set dev eth{nic} master {BOND}")
    }

    /// What its frames have behind their MACs, as octets.
    #[must_use]
    pub fn marks(self) -> Vec<u8> {
        let kinds: &[u16] = match self.tags().len() {
            0 => &[],
            1 => &[CUSTOMER],
            _ => &[SERVICE, CUSTOMER],
        };
        let marks = kinds.iter().zip(self.tags());
        marks
            .flat_map(|(kind, tag)| [kind.to_be_bytes(), tag.to_be_bytes()])
            .flatten()
            .collect()
    }
}

fn vlan(below: &str, name: &str, tag: &str) -> String {
    format!("link add link {below} name {name} type vlan {tag}")
}

fn add_addresses(interface: &str, addresses: Station) -> impl Iterator<Item = String> {
    let Station { v4, v6, mac: _ } = addresses;
    [
        format!("addr add {v4}/{PREFIX4} dev {interface}"),
        format!("addr add {v6}/{PREFIX6} dev {interface} nodad"),
    ]
    .into_iter()
}
