//! The multicast groups that the host itself has joined.

use std::{collections::BTreeSet, fs, io};

use ha_common::{abi::Mac, wire::nd::multicast_mac};

/// The IPv6 groups of the calling thread's network namespace, one a line: interface index and name,
/// address, users, flags, timer (`net/ipv6/mcast.c`).
const IGMP6: &str = "/proc/thread-self/net/igmp6";

/// Ethernet groups of the IPv6 groups that the host has joined on the interface `index`. Without
/// IPv6 there are none.
///
/// # Errors
/// If the kernel's list cannot be read.
pub(super) fn joined(index: u32) -> io::Result<BTreeSet<Mac>> {
    match fs::read_to_string(IGMP6) {
        Ok(list) => Ok(parse(&list, index)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

fn parse(list: &str, index: u32) -> BTreeSet<Mac> {
    let groups = list.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let of: u32 = words.next()?.parse().ok()?;
        let address = u128::from_str_radix(words.nth(1)?, 16).ok()?;
        (of == index).then(|| multicast_mac(address.to_be_bytes()))
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_one_interface() {
        let list = "1    lo              ff020000000000000000000000000001     1 0000000C 0\n\
                    2    eth0            ff0200000000000000000001ff010010     1 00000004 0\n\
                    2    eth0            ff020000000000000000000000000001     1 0000000C 0\n";
        let expected = [
            Mac([0x33, 0x33, 0, 0, 0, 1]),
            Mac([0x33, 0x33, 0xff, 0x01, 0x00, 0x10]),
        ];
        assert_eq!(parse(list, 2), expected.into());
        assert_eq!(parse(list, 3), BTreeSet::new());
    }
}
