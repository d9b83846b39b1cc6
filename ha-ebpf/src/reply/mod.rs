//! What is answered in XDP, by turning the question's frame into the answer's.

pub(crate) mod arp;
pub(crate) mod echo;
pub(crate) mod echo6;
pub(crate) mod nd;
