//! What the kernel half and the user half of the failover agent share.
//!
//! * [`abi`]: keys and values of the BPF maps, with their sizes and offsets asserted;
//! * [`fence`]: whether a node may act on its role, as one function for both halves;
//! * [`lease`]: the dead-man's switch, as both halves name its states and operations;
//! * [`reason`]: every way a frame for a virtual IP can end, as one enum;
//! * [`wire`]: the packet formats, as constants and byte-exact headers.
//!
//! Numbers in keys and values are in host order unless the field says otherwise; addresses and MACs
//! are byte arrays in network order, so that `bpftool map dump` shows them as they are on the wire.
#![no_std]

pub mod abi;
pub mod fence;
pub mod lease;
pub mod reason;
pub mod wire;
