//! Packet formats as constants and byte-exact headers (alignment 1, network order).

pub mod arp;
pub mod checksum;
pub mod eth;
pub mod icmp;
pub mod ipv4;
pub mod ipv6;
pub mod nd;
pub mod vrrp;
