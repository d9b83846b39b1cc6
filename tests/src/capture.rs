//! What went over a port of the switch, for the time when something fails.

use std::{path::Path, thread::sleep, time::Duration};

use anyhow::Result;

use crate::{daemon::Daemon, netns::NetNs};

/// The probes that only the client's stack sends are left out: at thousands a second they would hide
/// the protocols and cost the processor time that the nodes need.
const FILTER: &str = "not (udp port 7) and not (tcp port 7) and not icmp \
     and not (icmp6 and (ip6[40] = 128 or ip6[40] = 129))";

/// Starts recording what goes over a switch port to `<dir>/<port>.pcap`.
///
/// # Errors
///
/// When `tcpdump` cannot be started.
pub(crate) fn start(switch: &NetNs, port: &str, dir: &Path) -> Result<Daemon> {
    let file = dir.join(format!("{port}.pcap"));
    let mut tcpdump = switch.command("tcpdump")?;
    tcpdump
        .args(["-i", port, "-n", "-s", "256", "-B", "8192", "-Z", "root"])
        .arg("-w")
        .arg(&file)
        .arg(FILTER);
    let log = dir.join(format!("tcpdump-{port}.log"));
    let mut daemon = Daemon::start("tcpdump", tcpdump, &log)?;
    // It makes the file when it has begun to listen.
    while !file.exists() {
        daemon.expect_running()?;
        sleep(Duration::from_millis(2));
    }
    Ok(daemon)
}
