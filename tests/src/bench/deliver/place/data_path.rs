//! The data path of a node that has the virtual IP, or whose peer has it.

use anyhow::Result;
use ha_common::abi::{
    DELIVER_BUFFERS, DELIVER_GUEST, DELIVER_REDIRECTED, Deliver, GROUP_USED, Group, Peer, Role,
    RoleWord, Vip, Vip4Key, Vlan,
};

use super::{GUEST_MAC, NODE_MAC, SENDER_MAC, VIP, Way};
use crate::{bench::LEASE, bpf::DataPath};

const GROUP: u32 = 0;
/// The guest's slot.
pub(super) const SLOT: u32 = 1;
const PEER: u16 = 1;

/// Loads it, and fills its maps for this way: `nic` is where frames come in, `guest` where they go.
pub(super) fn load(object: &[u8], way: Way, nic: u32, guest: Option<u32>) -> Result<DataPath> {
    let mut path = DataPath::load(object)?;
    path.grant(LEASE)?;
    let (role, peer) = match way {
        Way::Local | Way::Veth | Way::Tap => (Role::Active, 0),
        Way::Peer => (Role::Backup, PEER),
    };
    let group = Group {
        word: RoleWord {
            role: role as u8,
            lease: 1,
            peer,
            epoch: 1,
        },
        ifindex: nic,
        flags: GROUP_USED,
        mac4: NODE_MAC,
        mac6: NODE_MAC,
        nic: NODE_MAC,
        ..Group::default()
    };
    path.group()?.set(GROUP, group, 0)?;
    let peer = Peer {
        mac: SENDER_MAC,
        ifindex: nic,
        ..Peer::default()
    };
    path.peer()?.set(u32::from(PEER), peer, 0)?;
    let mut deliver = 0;
    if guest.is_some() {
        let target = Deliver {
            kind: DELIVER_GUEST,
            flags: DELIVER_REDIRECTED | DELIVER_BUFFERS,
            max_len: 1514,
            ifindex: nic,
            mac: GUEST_MAC,
            ..Deliver::default()
        };
        path.deliver()?.set(SLOT, target, 0)?;
        deliver = SLOT;
    }
    let key = Vip4Key {
        addr: VIP.octets(),
        vlan: Vlan::default(),
    };
    let vip = Vip {
        group: GROUP,
        deliver,
    };
    path.vip4()?.insert(key, vip, 0)?;
    Ok(path)
}
