//! What the maps hold, what they should hold, and the writes that change them.

use core::{fmt, net::IpAddr};
use std::collections::BTreeMap;

use ha_common::abi::{GROUP_USED, Group, Mac, Vip, Vip4Key, Vip6Key, Vlan};

/// Octets of a group's name in `ha_group`.
const NAME_LEN: usize = size_of::<[u8; 22]>();

/// The name of a group: its identity over a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName([u8; NAME_LEN]);

/// Why a text is not the name of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty.
    #[error("a group's name is empty: give it 1 to {NAME_LEN} characters")]
    Empty,
    /// Longer than the kernel's table has room for.
    #[error("a group's name has {len} octets: shorten it to {NAME_LEN}")]
    TooLong {
        /// Its length in octets.
        len: usize,
    },
    /// Not printable ASCII without spaces, so that it can be read in `bpftool map dump`.
    #[error("a group's name contains {found:?}: use ASCII letters, digits and punctuation")]
    Unprintable {
        /// The first character that is not allowed.
        found: char,
    },
}

impl GroupName {
    /// The name in `text`.
    ///
    /// # Errors
    /// [`NameError`] unless it has 1 to 22 printable ASCII characters and no space.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some(found) = text.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(NameError::Unprintable { found });
        }
        let mut name = [0; NAME_LEN];
        let Some(room) = name.get_mut(..text.len()) else {
            let len = text.len();
            return Err(NameError::TooLong { len });
        };
        room.copy_from_slice(text.as_bytes());
        Ok(Self(name))
    }

    /// Whether a slot is in use, and by the group of this name.
    #[must_use]
    pub fn is_of(self, group: &Group) -> bool {
        is_used(group) && group.name == self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.split(|&octet| octet == 0).next().unwrap_or_default();
        write!(f, "{}", text.escape_ascii())
    }
}

/// The fields of a group that the configuration decides. Role, demotion and the priority now in force
/// are the election's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupFields {
    /// The interface on which the group is served.
    pub ifindex: u32,
    /// `GROUP_*` bits of [`ha_common::abi`], without [`GROUP_USED`].
    pub flags: u16,
    /// VRRP virtual router id, 0 if the election has none.
    pub vrid: u8,
    /// MAC that answers for IPv4 virtual IPs.
    pub mac4: Mac,
    /// MAC that answers for IPv6 virtual IPs.
    pub mac6: Mac,
    /// The interface's own MAC.
    pub nic: Mac,
}

/// Key of `ha_vip4` or `ha_vip6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VipKey {
    /// In `ha_vip4`.
    V4(Vip4Key),
    /// In `ha_vip6`.
    V6(Vip6Key),
}

impl VipKey {
    /// The key of `address` in the network that `vlan` names.
    #[must_use]
    pub const fn new(address: IpAddr, vlan: Vlan) -> Self {
        match address {
            IpAddr::V4(v4) => Self::V4(Vip4Key {
                addr: v4.octets(),
                vlan,
            }),
            IpAddr::V6(v6) => Self::V6(Vip6Key {
                addr: v6.octets(),
                vlan,
            }),
        }
    }

    /// The address.
    #[must_use]
    pub fn address(self) -> IpAddr {
        match self {
            Self::V4(key) => key.addr.into(),
            Self::V6(key) => key.addr.into(),
        }
    }

    /// The VLAN tags of its network.
    #[must_use]
    pub const fn vlan(self) -> Vlan {
        match self {
            Self::V4(key) => key.vlan,
            Self::V6(key) => key.vlan,
        }
    }

    pub(super) const fn is_v4(self) -> bool {
        match self {
            Self::V4(_) => true,
            Self::V6(_) => false,
        }
    }
}

impl fmt::Display for VipKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address())?;
        match self.vlan() {
            Vlan { outer: 0, .. } => Ok(()),
            Vlan { outer, inner: 0 } => write!(f, " in VLAN {outer}"),
            Vlan { outer, inner } => write!(f, " in VLAN {outer}.{inner}"),
        }
    }
}

/// What an address should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesiredVip {
    /// Whose it is.
    pub group: GroupName,
    /// Slot in `ha_deliver`; 0 is the local stack.
    pub deliver: u32,
}

/// What the maps should hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The groups.
    pub groups: BTreeMap<GroupName, GroupFields>,
    /// The virtual IPs.
    pub vips: BTreeMap<VipKey, DesiredVip>,
}

/// What the maps hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actual {
    /// `ha_group` by slot; slots beyond the end are free.
    pub groups: Vec<Group>,
    /// `ha_vip4` and `ha_vip6`.
    pub vips: BTreeMap<VipKey, Vip>,
}

impl Actual {
    /// Slots that a group has.
    pub(super) fn used_slots(&self) -> impl Iterator<Item = u32> {
        let slots = (0..).zip(&self.groups);
        slots.filter_map(|(slot, group)| is_used(group).then_some(slot))
    }

    /// Name and fields of the group that has a slot.
    #[must_use]
    pub fn fields(&self, slot: u32) -> Option<(GroupName, GroupFields)> {
        let group = self.groups.get(usize::try_from(slot).ok()?)?;
        is_used(group).then_some((
            GroupName(group.name),
            GroupFields {
                ifindex: group.ifindex,
                flags: group.flags & !GROUP_USED,
                vrid: group.vrid,
                mac4: group.mac4,
                mac6: group.mac6,
                nic: group.nic,
            },
        ))
    }

    /// Makes a write in this copy of the maps, to keep it what they are.
    pub fn apply(&mut self, write: &Write) {
        match *write {
            Write::SetGroup { slot, name, fields } => {
                let group = self.slot(slot);
                group.ifindex = fields.ifindex;
                group.flags = fields.flags | GROUP_USED;
                group.vrid = fields.vrid;
                group.mac4 = fields.mac4;
                group.mac6 = fields.mac6;
                group.nic = fields.nic;
                group.name = name.0;
            }
            Write::ClearGroup { slot } => {
                let group = self.slot(slot);
                *group = Group {
                    word: group.word,
                    demoted: group.demoted,
                    ..Group::default()
                };
            }
            Write::PutVip { key, value } => {
                self.vips.insert(key, value);
            }
            Write::RemoveVip { key } => {
                self.vips.remove(&key);
            }
        }
    }

    fn slot(&mut self, slot: u32) -> &mut Group {
        let slot = slot as usize;
        if self.groups.len() <= slot {
            self.groups.resize(slot + 1, Group::default());
        }
        &mut self.groups[slot]
    }
}

pub(super) const fn is_used(group: &Group) -> bool {
    group.flags & GROUP_USED != 0
}

/// One change of the maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Write all fields of a slot but role word, demotion word and priority, [`GROUP_USED`] last.
    SetGroup {
        /// Slot in `ha_group`.
        slot: u32,
        /// Whose it is from now on.
        name: GroupName,
        /// Its fields.
        fields: GroupFields,
    },
    /// Write zeros to all fields of a slot but role word and demotion word, [`GROUP_USED`] first.
    ClearGroup {
        /// Slot in `ha_group`.
        slot: u32,
    },
    /// Insert or replace an address. Its local route is to be added after this.
    PutVip {
        /// The address.
        key: VipKey,
        /// What it is.
        value: Vip,
    },
    /// Remove an address. Its local route is to be removed before this, or the kernel would answer
    /// for it.
    RemoveVip {
        /// The address.
        key: VipKey,
    },
}
