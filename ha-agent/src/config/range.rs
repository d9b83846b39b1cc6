//! Virtual IPs as they are written: an address, or a first and a last one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ha_common::{
    abi::MAX_VIPS,
    wire::{ipv4, ipv6},
};

/// Why a text is not a virtual IP or a range of them: what is wrong, and the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {mend}")]
pub struct NotVips {
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

/// The addresses of `192.0.2.10` or of `192.0.2.20-192.0.2.50`, in their order.
///
/// # Errors
/// [`NotVips`] if the text is something else, or an address in it cannot be a virtual IP.
pub fn parse(text: &str) -> Result<Vec<IpAddr>, NotVips> {
    let Some((first, last)) = text.split_once('-') else {
        let address = address(text)?;
        return check(address).map(|()| vec![address]);
    };
    let (first, last) = (address(first)?, address(last)?);
    let addresses = expand(text, first, last)?;
    addresses.iter().try_for_each(|address| check(*address))?;
    Ok(addresses)
}

fn address(text: &str) -> Result<IpAddr, NotVips> {
    let text = text.trim();
    text.parse().map_err(|_| match text.split_once('/') {
        Some((address, _)) if address.parse::<IpAddr>().is_ok() => fault(
            format!("\"{text}\" has a prefix length, and a virtual IP is a single address"),
            format!("write \"{address}\", or a range as \"first-last\""),
        ),
        Some(_) | None => fault(
            format!("\"{text}\" is not an IP address"),
            "write it as \"192.0.2.10\", \"192.0.2.20-192.0.2.50\" or \"2001:db8::10\"",
        ),
    })
}

fn expand(text: &str, first: IpAddr, last: IpAddr) -> Result<Vec<IpAddr>, NotVips> {
    let span = match (first, last) {
        (IpAddr::V4(a), IpAddr::V4(z)) => u128::from(z.to_bits()).checked_sub(a.to_bits().into()),
        (IpAddr::V6(a), IpAddr::V6(z)) => z.to_bits().checked_sub(a.to_bits()),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {
            return Err(fault(
                format!("the range \"{text}\" begins in one address family and ends in the other"),
                "write one range for each family",
            ));
        }
    };
    let Some(span) = span else {
        return Err(fault(
            format!("the range \"{text}\" ends before it begins"),
            format!("write \"{last}-{first}\""),
        ));
    };
    if span >= u128::from(MAX_VIPS) {
        return Err(fault(
            format!("the range \"{text}\" has more than {MAX_VIPS} addresses"),
            "a node holds no more of one family: make the range smaller",
        ));
    }
    Ok(match (first, last) {
        (IpAddr::V4(a), IpAddr::V4(z)) => (a.to_bits()..=z.to_bits())
            .map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
            .collect(),
        (IpAddr::V6(a), IpAddr::V6(z)) => (a.to_bits()..=z.to_bits())
            .map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))
            .collect(),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Vec::new(),
    })
}

fn check(address: IpAddr) -> Result<(), NotVips> {
    let (is_host, kinds) = match address {
        IpAddr::V4(v4) => (
            ipv4::is_host(v4.octets()),
            "not 0.0.0.0/8, loopback, multicast, reserved or broadcast",
        ),
        IpAddr::V6(v6) => (
            ipv6::is_host(v6.octets()) && v6.to_ipv4_mapped().is_none(),
            "not unspecified, loopback, multicast or IPv4-mapped",
        ),
    };
    if is_host {
        return Ok(());
    }
    Err(fault(
        format!("{address} cannot be a host's address"),
        format!("use a unicast address, {kinds}"),
    ))
}

fn fault(what: impl Into<String>, mend: impl Into<String>) -> NotVips {
    NotVips {
        what: what.into(),
        mend: mend.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::parse;

    fn texts(addresses: &[IpAddr]) -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn addresses_and_ranges() {
        let cases: [(&str, &[&str]); 5] = [
            ("192.0.2.10", &["192.0.2.10"]),
            ("2001:db8::10", &["2001:db8::10"]),
            (
                "192.0.2.254-192.0.3.1",
                &["192.0.2.254", "192.0.2.255", "192.0.3.0", "192.0.3.1"],
            ),
            (
                " 2001:db8::f - 2001:db8::10 ",
                &["2001:db8::f", "2001:db8::10"],
            ),
            ("192.0.2.1-192.0.2.1", &["192.0.2.1"]),
        ];
        for (text, expected) in cases {
            assert_eq!(texts(&parse(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn faults_say_their_mend() {
        let cases = [
            (
                "vip",
                "\"vip\" is not an IP address: write it as \"192.0.2.10\", \
                 \"192.0.2.20-192.0.2.50\" or \"2001:db8::10\"",
            ),
            (
                "192.0.2.10/24",
                "\"192.0.2.10/24\" has a prefix length, and a virtual IP is a single address: \
                 write \"192.0.2.10\", or a range as \"first-last\"",
            ),
            (
                "192.0.2.9-192.0.2.1",
                "the range \"192.0.2.9-192.0.2.1\" ends before it begins: \
                 write \"192.0.2.1-192.0.2.9\"",
            ),
            (
                "192.0.2.9-2001:db8::1",
                "the range \"192.0.2.9-2001:db8::1\" begins in one address family and ends in the \
                 other: write one range for each family",
            ),
            (
                "2001:db8::-2001:db8::2:0",
                "the range \"2001:db8::-2001:db8::2:0\" has more than 131072 addresses: \
                 a node holds no more of one family: make the range smaller",
            ),
            (
                "224.0.0.18",
                "224.0.0.18 cannot be a host's address: use a unicast address, \
                 not 0.0.0.0/8, loopback, multicast, reserved or broadcast",
            ),
            (
                "::ffff:192.0.2.1",
                "::ffff:192.0.2.1 cannot be a host's address: use a unicast address, \
                 not unspecified, loopback, multicast or IPv4-mapped",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
        }
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "::1",
            "ff02::1",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
