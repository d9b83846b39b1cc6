//! RFC 9568 and BFD, requirement by requirement: each row of [`table`] and [`b_table`] has a test that keeps
//! it and one that breaks it, named after the row. `docs/conformance.md` is generated from the table.
#![forbid(unsafe_code)]

mod b_rows;
mod b_table;
#[allow(dead_code, reason = "the machine's own tests use the rest")]
#[path = "../machine/bench.rs"]
mod bench;
mod document;
mod p_rows;
mod s_rows;
#[allow(dead_code, reason = "the packets' own tests use the rest")]
#[path = "../packet/sample.rs"]
mod sample;
#[allow(dead_code, reason = "the sessions' own tests use the rest")]
#[path = "../bfd/bench.rs"]
mod session;
mod table;
