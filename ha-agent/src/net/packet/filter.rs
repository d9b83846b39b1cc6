//! The sockets' filters: classic BPF programs (`Documentation/networking/filter.rst`).

use ha_common::wire::{bfd, eth, udp, vrrp};
use socket2::SockFilter;

/// Where the EtherType is; the kernel has taken the outer VLAN tag off.
const ETHERTYPE: u32 = 12;
/// Length of a VLAN tag.
const TAG: u32 = 4;
/// Where IPv4 says its protocol: Ethernet header, then offset 9.
const PROTOCOL4: u32 = 14 + 9;
/// Where IPv6 says its next header: Ethernet header, then offset 6.
const PROTOCOL6: u32 = 14 + 6;

const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
const LOAD_BYTE_X: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_IND;
const LOAD_BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const SET_X: u32 = libc::BPF_LDX | libc::BPF_IMM;
const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const JUMP: u32 = libc::BPF_JMP | libc::BPF_JA;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

/// Keeps BFD echo packets, with the frame beginning at its IP header.
pub(in crate::net) const ECHO: [SockFilter; 14] = [
    op(LOAD_BYTE, 0),
    // IPv4 without options: protocol, destination port.
    jump(0x45, 0, 4),
    op(LOAD_BYTE, 9),
    jump(udp::PROTOCOL as u32, 0, 9),
    op(LOAD_HALF, 22),
    jump(bfd::ECHO_PORT as u32, 6, 7),
    // IPv6: next header, destination port.
    op(AND, 0xf0),
    jump(0x60, 0, 5),
    op(LOAD_BYTE, 6),
    jump(udp::PROTOCOL as u32, 0, 3),
    op(LOAD_HALF, 42),
    jump(bfd::ECHO_PORT as u32, 0, 1),
    op(RETURN, u32::MAX),
    op(RETURN, 0),
];

/// Keeps ARP without a tag.
pub(in crate::net) const ARP: [SockFilter; 4] = [
    op(LOAD_HALF, ETHERTYPE),
    jump(eth::ETHERTYPE_ARP as u32, 0, 1),
    op(RETURN, u32::MAX),
    op(RETURN, 0),
];

/// Keeps VRRP. X is the length of the tag that is still in the frame.
pub(super) const VRRP: [SockFilter; 13] = [
    op(SET_X, 0),
    op(LOAD_HALF, ETHERTYPE),
    jump(eth::ETHERTYPE_VLAN as u32, 0, 2),
    op(SET_X, TAG),
    op(LOAD_HALF, ETHERTYPE + TAG),
    jump(eth::ETHERTYPE_IPV4 as u32, 0, 2),
    op(LOAD_BYTE_X, PROTOCOL4),
    op(JUMP, 2),
    jump(eth::ETHERTYPE_IPV6 as u32, 0, 3),
    op(LOAD_BYTE_X, PROTOCOL6),
    jump(vrrp::PROTOCOL as u32, 0, 1),
    op(RETURN, u32::MAX),
    op(RETURN, 0),
];

#[expect(
    clippy::cast_possible_truncation,
    reason = "operation codes have 16 bits"
)]
const fn op(code: u32, operand: u32) -> SockFilter {
    SockFilter::new(code as u16, 0, 0, operand)
}

/// Skips `then` or `otherwise` instructions.
#[expect(
    clippy::cast_possible_truncation,
    reason = "operation codes have 16 bits"
)]
const fn jump(value: u32, then: u8, otherwise: u8) -> SockFilter {
    SockFilter::new(IF_EQUAL as u16, then, otherwise, value)
}
