//! A second look at what the data path delivered, for interfaces that decide too early.
//!
//! veth compares a frame's destination with its own MAC before it runs XDP, and not again after
//! (`eth_type_trans` in `veth_xdp_rcv_skb`, `drivers/net/veth.c`: it marks what is for other hosts,
//! and never takes a mark away). So what was sent to a virtual MAC stays marked for another host,
//! although the data path has put the interface's MAC in, and the stack would drop it. NICs decide
//! after XDP.
//!
//! This program, at the ingress hook of traffic control, takes the mark away from packets to a
//! virtual IP whose destination *is* the interface's MAC: such a mark can only be left from before.

use aya_ebpf::{
    bindings::{__sk_buff, TC_ACT_UNSPEC},
    programs::TcContext,
};
use ha_common::{
    abi::{Vip, Vip4Key, Vip6Key, Vlan},
    wire::{
        eth::{self, ETHERTYPE_IPV4, ETHERTYPE_IPV6, VLAN_ID_MASK},
        ipv4, ipv6,
    },
};

use crate::{
    frame::{behind, is_tag},
    maps::Maps,
};

/// Marks of a packet (`include/uapi/linux/if_packet.h`).
const PACKET_HOST: u32 = 0;
const PACKET_OTHERHOST: u32 = 3;

/// Takes a wrong mark off a packet; any other program decides what becomes of it.
#[inline(always)]
pub fn adopt(ctx: &TcContext, maps: &Maps) -> i32 {
    // SAFETY: the context that the kernel gave to the program.
    let packet = unsafe { &*ctx.skb.skb };
    if packet.pkt_type == PACKET_OTHERHOST && is_ours(ctx, packet, maps) == Some(true) {
        // Refused only for marks that this one is not.
        let _ = ctx.skb.change_type(PACKET_HOST);
    }
    TC_ACT_UNSPEC
}

#[inline(always)]
fn is_ours(ctx: &TcContext, packet: &__sk_buff, maps: &Maps) -> Option<bool> {
    let header: eth::Header = ctx.load(0).ok()?;
    let (vlan, ethertype, l3) = tags(ctx, packet, &header)?;
    let vip = match ethertype {
        ETHERTYPE_IPV4 => vip4(ctx, maps, vlan, l3),
        ETHERTYPE_IPV6 => vip6(ctx, maps, vlan, l3),
        _ => None,
    }?;
    Some(maps.group(vip.group).nic == header.dst)
}

/// The tags of a packet, of which the kernel has taken the outer one off already.
#[inline(always)]
fn tags(ctx: &TcContext, packet: &__sk_buff, header: &eth::Header) -> Option<(Vlan, u16, usize)> {
    const UNTAGGED: usize = size_of::<eth::Header>();
    let mut vlan = Vlan::default();
    if packet.vlan_present != 0 {
        vlan = behind(vlan, packet.vlan_tci as u16 & VLAN_ID_MASK);
    }
    let ethertype = u16::from_be_bytes(header.ethertype);
    if !is_tag(ethertype) {
        return Some((vlan, ethertype, UNTAGGED));
    }
    let tag: eth::Tag = ctx.load(UNTAGGED).ok()?;
    let vlan = behind(vlan, tag.vlan_id());
    let ethertype = u16::from_be_bytes(tag.ethertype);
    Some((vlan, ethertype, UNTAGGED + size_of::<eth::Tag>()))
}

#[inline(always)]
fn vip4<'a>(ctx: &TcContext, maps: &'a Maps, vlan: Vlan, l3: usize) -> Option<&'a Vip> {
    let header: ipv4::Header = ctx.load(l3).ok()?;
    let addr = header.dst;
    maps.vip4(&Vip4Key { addr, vlan })
}

#[inline(always)]
fn vip6<'a>(ctx: &TcContext, maps: &'a Maps, vlan: Vlan, l3: usize) -> Option<&'a Vip> {
    let header: ipv6::Header = ctx.load(l3).ok()?;
    let addr = header.dst;
    maps.vip6(&Vip6Key { addr, vlan })
}
