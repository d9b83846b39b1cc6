//! The file as it is written: shapes and places, not yet meanings.
//!
//! Words, numbers and lengths of time are taken as they come, so that [`super::check`] can report all
//! faults at once and each with its mend.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use toml::Spanned;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) node: Node,
    #[serde(default)]
    pub(super) control: Control,
    #[serde(default)]
    pub(super) log: Log,
    #[serde(default)]
    pub(super) announce: Announce,
    #[serde(default)]
    pub(super) interface: Vec<Interface>,
    #[serde(default)]
    pub(super) peer: Vec<Peer>,
    pub(super) witness: Option<Spanned<Witness>>,
    #[serde(default)]
    pub(super) bfd: Vec<Bfd>,
    #[serde(default)]
    pub(super) check: Vec<Check>,
    #[serde(default)]
    pub(super) group: Vec<Group>,
    #[serde(default)]
    pub(super) sync: Vec<Sync>,
}

/// `[node]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    pub(super) name: Spanned<String>,
    pub(super) lease: Option<Spanned<String>>,
    pub(super) on_exit: Option<Spanned<String>>,
    pub(super) local_clients: Option<Spanned<String>>,
    pub(super) pin_dir: Option<Spanned<String>>,
}

/// `[control]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Control {
    pub(super) socket: Option<Spanned<String>>,
    pub(super) group: Option<Spanned<String>>,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) format: Option<Spanned<String>>,
    pub(super) filter: Option<Spanned<String>>,
}

/// `[announce]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Announce {
    pub(super) rate: Option<Spanned<i64>>,
    pub(super) repeats: Option<Spanned<i64>>,
    pub(super) spacing: Option<Spanned<String>>,
    pub(super) refresh: Option<Spanned<String>>,
}

/// `[[interface]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Interface {
    pub(super) name: Spanned<String>,
    pub(super) mode: Option<Spanned<String>>,
    pub(super) vlan_offload: Option<Spanned<String>>,
}

/// `[[peer]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Peer {
    pub(super) name: Spanned<String>,
    pub(super) paths: Spanned<Vec<Path>>,
    pub(super) interval: Option<Spanned<String>>,
    pub(super) multiplier: Option<Spanned<i64>>,
}

/// An entry of `paths` in a peer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Path {
    pub(super) interface: Spanned<String>,
    pub(super) address: Spanned<String>,
}

/// `[witness]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Witness {
    pub(super) ping: Option<Spanned<String>>,
    pub(super) interface: Option<Spanned<String>>,
    pub(super) agent: Option<Spanned<String>>,
}

/// `[[bfd]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bfd {
    pub(super) name: Spanned<String>,
    pub(super) interface: Spanned<String>,
    pub(super) address: Spanned<String>,
    pub(super) transmit_interval: Option<Spanned<String>>,
    pub(super) receive_interval: Option<Spanned<String>>,
    pub(super) multiplier: Option<Spanned<i64>>,
    pub(super) passive: Option<bool>,
    pub(super) echo_receive_interval: Option<Spanned<String>>,
    pub(super) echo_interval: Option<Spanned<String>>,
}

/// `[[check]]`; which keys go with which type is for the check.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub(super) name: Spanned<String>,
    #[serde(rename = "type")]
    pub(super) kind: Spanned<String>,
    pub(super) interval: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) rise: Option<Spanned<i64>>,
    pub(super) fall: Option<Spanned<i64>>,
    pub(super) interface: Option<Spanned<String>>,
    pub(super) command: Option<Spanned<Vec<String>>>,
    pub(super) process: Option<Spanned<String>>,
    pub(super) pid_file: Option<Spanned<String>>,
    pub(super) address: Option<Spanned<String>>,
    pub(super) url: Option<Spanned<String>>,
    pub(super) status: Option<Spanned<i64>>,
    pub(super) body: Option<Spanned<String>>,
    pub(super) file: Option<Spanned<String>>,
    pub(super) destination: Option<Spanned<String>>,
    pub(super) via: Option<Spanned<String>>,
    pub(super) session: Option<Spanned<String>>,
}

/// An entry of `track` in a group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Track {
    pub(super) check: Spanned<String>,
    pub(super) weight: Option<Spanned<i64>>,
}

/// `[[sync]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sync {
    pub(super) name: Spanned<String>,
    pub(super) groups: Spanned<Vec<Spanned<String>>>,
}

/// `[[group]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) name: Spanned<String>,
    pub(super) interface: Spanned<String>,
    pub(super) vlan: Option<Spanned<Vec<Spanned<i64>>>>,
    pub(super) vips: Spanned<Vec<Spanned<Vip>>>,
    pub(super) deliver: Option<Deliver>,
    pub(super) mac: Option<Spanned<String>>,
    pub(super) mac_fallback: Option<Spanned<String>>,
    pub(super) stale: Option<Spanned<String>>,
    pub(super) router: Option<bool>,
    #[serde(default)]
    pub(super) track: Vec<Track>,
    pub(super) track_interface: Option<bool>,
    pub(super) local: Option<Local>,
    pub(super) election: Spanned<Election>,
}

/// `[group.local]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Local {
    pub(super) fallback: Spanned<Vec<Spanned<String>>>,
    #[serde(rename = "return")]
    pub(super) returns: Option<Spanned<String>>,
    pub(super) return_delay: Option<Spanned<String>>,
    pub(super) ping: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) ping_interval: Option<Spanned<String>>,
    pub(super) ping_fall: Option<Spanned<i64>>,
}

/// An entry of `vips`: an address or a range as a text, or a table with more about it.
#[derive(Debug)]
pub(super) struct Vip {
    pub(super) address: String,
    pub(super) deliver: Option<Deliver>,
}

impl<'de> Deserialize<'de> for Vip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VipVisitor)
    }
}

struct VipVisitor;

impl<'de> Visitor<'de> for VipVisitor {
    type Value = Vip;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address, or a table with address and deliver")
    }

    fn visit_str<E>(self, address: &str) -> Result<Vip, E> {
        Ok(Vip {
            address: address.to_owned(),
            deliver: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vip, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            address: String,
            deliver: Option<Deliver>,
        }
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Vip {
            address: table.address,
            deliver: table.deliver,
        })
    }
}

/// `deliver` of a group, or of some of its virtual IPs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deliver {
    pub(super) guest: Spanned<String>,
    pub(super) mac: Option<Spanned<String>>,
    pub(super) vlan: Option<Spanned<Vec<Spanned<i64>>>>,
}

/// `[group.election]`; which keys go with which type is for the check.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Election {
    #[serde(rename = "type")]
    pub(super) kind: Spanned<String>,
    pub(super) version: Option<Spanned<i64>>,
    pub(super) vrid: Option<Spanned<i64>>,
    pub(super) peers: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) priority: Option<Spanned<i64>>,
    pub(super) advert_interval: Option<Spanned<String>>,
    pub(super) preempt: Option<Spanned<bool>>,
    pub(super) preempt_delay: Option<Spanned<String>>,
    pub(super) startup_delay: Option<Spanned<String>>,
    pub(super) checksum: Option<Spanned<String>>,
    pub(super) settle: Option<Spanned<String>>,
    pub(super) yield_grace: Option<Spanned<String>>,
    pub(super) contention: Option<Spanned<String>>,
}
