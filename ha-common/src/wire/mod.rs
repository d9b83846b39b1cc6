//! Packet formats as constants and byte-exact headers, in network order.
//!
//! What the data path reads has alignment 2: every frame starts at an even address (the kernel's
//! `NET_IP_ALIGN`), and a compiler for BPF that did not know it would read octet by octet.

pub mod arp;
pub mod bfd;
pub mod checksum;
pub mod eth;
pub mod icmp;
pub mod ipv4;
pub mod ipv6;
pub mod nd;
pub mod tcp;
pub mod udp;
pub mod vrrp;
