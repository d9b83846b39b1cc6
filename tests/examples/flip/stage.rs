//! The agent's data path with two groups, attached to nothing.

use std::{
    cell::Cell,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use aya::{TestRun, TestRunOptions, programs::Xdp};
use aya_obj::programs::XdpAttachType;
use ha_agent::dataplane::{Dataplane, PinDir};
use ha_common::{
    abi::{GROUP_VIRTUAL_MAC, Mac, Role, RoleWord, Vip, Vlan, program},
    lease::{Operation, Reply, Request},
    wire::{arp, eth},
};
use ha_core::plan::{GroupFields, GroupName, VipKey, Write};

/// Where test runs say that their frames come in: loopback.
const IFINDEX: u32 = 1;
/// Longer than any run; nobody renews it.
const LEASE: Duration = Duration::from_secs(600);
const CLIENT: (Mac, Ipv4Addr) = (Mac([2, 0, 0, 0, 0, 9]), Ipv4Addr::new(10, 255, 0, 9));
const NIC: Mac = Mac([2, 0, 0, 0, 0, 1]);
/// The kernel's `enum xdp_action`.
const XDP_DROP: u32 = 1;
const XDP_TX: u32 = 3;

/// A group of virtual IPs.
#[derive(Debug)]
pub(crate) struct Group {
    slot: u32,
    /// How many it has.
    pub(crate) vips: u32,
    /// The first of them.
    pub(crate) first: Ipv4Addr,
    /// The last of them.
    pub(crate) last: Ipv4Addr,
}

/// The data path in the kernel. Its pins are removed on drop.
pub(crate) struct Stage {
    groups: Vec<Group>,
    dataplane: Dataplane,
    program: Xdp,
    lease_generation: u8,
    epoch: Cell<u32>,
    _pins: Pins,
}

impl Stage {
    /// Loads the data path and gives it groups of these sizes.
    pub(crate) fn set(sizes: &[u32]) -> Result<Self> {
        let pins = Pins::new();
        let mut dataplane = Dataplane::open(&pins.0, &[])?;
        let program = Xdp::from_pin(
            PinDir::new(&pins.0).program(program::XDP),
            XdpAttachType::Interface,
        )?;
        let groups = (0..)
            .zip(sizes)
            .map(|(slot, &vips)| fill(&mut dataplane, slot, vips))
            .collect::<Result<_>>()?;
        Ok(Self {
            groups,
            lease_generation: lease(&dataplane)?,
            dataplane,
            program,
            epoch: Cell::new(0),
            _pins: pins,
        })
    }

    /// The groups, in the order of their sizes at creation.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Gives this node the role for the group, as the agent does: with a newer epoch.
    #[inline]
    pub(crate) fn flip(&self, group: &Group, role: Role) {
        let epoch = self.epoch.get() + 1;
        self.epoch.set(epoch);
        let word = RoleWord {
            role: role as u8,
            lease: self.lease_generation,
            peer: 0,
            epoch,
        };
        self.dataplane.groups.store(group.slot, word);
    }

    /// Whether the program in the kernel answers ARP for the address.
    pub(crate) fn answers(&self, vip: Ipv4Addr) -> Result<bool> {
        let request = arp_request(vip);
        let result = self.program.test_run(TestRunOptions {
            data_in: Some(&request),
            ..TestRunOptions::new()
        })?;
        match result.return_value {
            XDP_TX => Ok(true),
            XDP_DROP => Ok(false),
            other => bail!("the program neither answers nor drops ARP for {vip}: {other}"),
        }
    }
}

fn lease(dataplane: &Dataplane) -> Result<u8> {
    let length_ns = u64::try_from(LEASE.as_nanos()).context("the lease is too long")?;
    let reply = dataplane.switch.run(Request {
        operation: Operation::Grant as u8,
        generation: 0,
        pad: [0; 6],
        length_ns: length_ns.to_le_bytes(),
    })?;
    ensure!(reply == Reply::Done, "no lease: {reply:?}");
    Ok(dataplane.switch.node()?.lease.generation)
}

/// Each slot has a /16 of its own.
fn fill(dataplane: &mut Dataplane, slot: u32, vips: u32) -> Result<Group> {
    let octet = u8::try_from(slot).context("too many groups")?;
    let first = Ipv4Addr::new(10, octet, 0, 0);
    let address = |offset| Ipv4Addr::from_bits(first.to_bits() + offset);
    let vrid = octet + 1;
    let set = Write::SetGroup {
        slot,
        name: GroupName::new(&format!("flip-{vips}"))?,
        fields: GroupFields {
            ifindex: IFINDEX,
            flags: GROUP_VIRTUAL_MAC,
            vrid,
            // RFC 9568 section 7.3.
            mac4: Mac([0, 0, 0x5e, 0, 1, vrid]),
            mac6: Mac([0, 0, 0x5e, 0, 2, vrid]),
            nic: NIC,
        },
    };
    let puts = (0..vips).map(|offset| Write::PutVip {
        key: VipKey::new(address(offset).into(), Vlan::default()),
        value: Vip {
            group: slot,
            deliver: 0,
        },
    });
    dataplane.apply(&std::iter::once(set).chain(puts).collect::<Vec<_>>())?;
    Ok(Group {
        slot,
        vips,
        first,
        last: address(vips - 1),
    })
}

fn arp_request(vip: Ipv4Addr) -> Vec<u8> {
    let (mac, address) = CLIENT;
    let mut frame = Vec::with_capacity(42);
    frame.extend(Mac::BROADCAST.0);
    frame.extend(mac.0);
    frame.extend(eth::ETHERTYPE_ARP.to_be_bytes());
    frame.extend(arp::HARDWARE_ETHERNET.to_be_bytes());
    frame.extend(eth::ETHERTYPE_IPV4.to_be_bytes());
    frame.extend([6, 4]);
    frame.extend(arp::OP_REQUEST.to_be_bytes());
    frame.extend(mac.0);
    frame.extend(address.octets());
    frame.extend(Mac::ZERO.0);
    frame.extend(vip.octets());
    frame
}

/// Where this process pins.
struct Pins(PathBuf);

impl Pins {
    fn new() -> Self {
        Self(Path::new("/sys/fs/bpf").join(format!("ha-flip-{}", process::id())))
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        let pins = PinDir::new(&self.0);
        if pins.exists()
            && let Err(error) = pins.remove()
        {
            eprintln!("{error:#}");
        }
    }
}
