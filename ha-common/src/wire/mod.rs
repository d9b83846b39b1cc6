//! Packet formats as constants and byte-exact headers (alignment 1, network order).

pub mod vrrp;
