//! Where a virtual IP's packets go that are not answered here.

pub(crate) mod local;
pub(crate) mod peer;
