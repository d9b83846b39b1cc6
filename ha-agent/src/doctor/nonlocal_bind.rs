//! Whether applications may bind IPv6 virtual IPs.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
    sysctl,
};

/// ip-sysctl.rst.
const PARAMETER: &str = "ipv6/ip_nonlocal_bind";

#[derive(Debug)]
pub(super) struct NonlocalBind;

impl Check for NonlocalBind {
    const NAME: &'static str = "nonlocal_bind";
    const ABOUT: &'static str = "Whether applications may bind IPv6 virtual IPs, which no interface has: IPv6 looks at \
         addresses, and not at routes as IPv4 does.";
    const SHOWN: Shown = Shown::Lab;
    const AT_START: bool = true;
    /// Whether they may.
    type Facts = bool;

    async fn look(host: &Host) -> Result<Vec<(String, bool)>> {
        if !host.vips().any(|vip| vip.is_ipv6()) {
            return Ok(Vec::new());
        }
        Ok(vec![(String::new(), sysctl::read(PARAMETER)? > 0)])
    }

    fn judge(may: &bool) -> Vec<Verdict> {
        vec![if *may {
            Verdict::ok("1: applications may bind IPv6 virtual IPs")
        } else {
            Verdict::warning(
                "net.ipv6.ip_nonlocal_bind is 0",
                "An application that binds an IPv6 virtual IP, not [::], is refused, unless it has the socket option \
                 IPV6_FREEBIND.",
                "sysctl -w net.ipv6.ip_nonlocal_bind=1",
            )
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn off_is_told() {
        assert_eq!(NonlocalBind::judge(&true)[0].level, Level::Ok);
        assert_eq!(NonlocalBind::judge(&false)[0].level, Level::Warning);
    }
}
