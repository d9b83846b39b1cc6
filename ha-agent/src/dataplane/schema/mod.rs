//! What an agent of another schema has left: read by the names of fields, since sizes and places are that schema's.
//!
//! * `sys`: the system calls for maps whose shape only their type information tells;
//! * `btf`: type information, as far as it says where fields are;
//! * `fields`: where the fields of a map's key or value are;
//! * [`Foreign`]: the other agent's maps and its lease.

mod btf;
mod fields;
mod foreign;
mod sys;

pub(super) use self::foreign::{Foreign, ForeignNode};
