//! A macvtap on a node's NIC.

use std::{fs::File, path::PathBuf, process::Command};

use anyhow::{Context, Result};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use super::relay::Relay;
use crate::{
    command,
    netns::NetNs,
    node::{INTERFACE, Node},
};

/// Makes it, and connects it with the guest.
pub(super) fn start(node: &Node, guest: &NetNs, host: &str, mac: &str) -> Result<Relay> {
    command::ip_batch(
        node.namespace().name(),
        &format!(
            "link add link {INTERFACE} name {host} address {mac} type macvtap mode bridge\n\
             link set dev {host} up\n"
        ),
    )?;
    Relay::start(guest, open(node, host)?, mac)
}

/// Its device is known to the sysfs of its namespace; udev is not there to make it.
fn open(node: &Node, host: &str) -> Result<File> {
    let mut cat: Command = node.namespace().command("unshare")?;
    let script = format!("mount -t sysfs sysfs /sys && cat /sys/class/net/{host}/tap*/dev");
    let shown = command::run(cat.args(["--mount", "sh", "-c", &script]))?;
    let (major, minor) = shown
        .trim()
        .split_once(':')
        .with_context(|| format!("the device of {host} is {shown:?}"))?;
    let device: PathBuf = node.dir().join(host);
    let number = makedev(major.parse()?, minor.parse()?);
    mknod(
        &device,
        SFlag::S_IFCHR,
        Mode::S_IRUSR | Mode::S_IWUSR,
        number,
    )
    .with_context(|| format!("making {}", device.display()))?;
    File::options()
        .read(true)
        .write(true)
        .open(&device)
        .with_context(|| format!("opening {}", device.display()))
}
