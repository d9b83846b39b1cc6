//! Advertisements on the wire: examples reckoned elsewhere, every rule of RFC 9568 section 7.1 kept and
//! broken, and octets that nobody would send.
#![forbid(unsafe_code)]

mod checksum;
mod encode;
mod mutation;
mod noise;
mod rules;
mod sample;
mod version2;
