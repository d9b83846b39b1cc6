//! Frames of the agent's own as octets: announcements, and advertisements with all their headers.

mod announcement;
mod builder;
pub(in crate::net) mod echo;
mod vrrp;

pub use self::{
    announcement::{
        addressed_to, gratuitous_arp_reply, gratuitous_arp_request, solicited_node_mac,
        unsolicited_na,
    },
    vrrp::{Destination, Heard, advertisement, heard},
};
