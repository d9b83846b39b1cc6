//! A guest that is a virtual machine, behind a tap on a hypervisor's bridge.

use std::{net::IpAddr, path::Path, time::Duration};

use anyhow::Result;

use super::{BRIDGE, mac};
use crate::{
    address::{self, PREFIX4, PREFIX6},
    command,
    node::Node,
    vm::{self, Image, Kernel, Machine, Nic, Setup},
};

/// Memory, MiB.
const MEMORY: u32 = 256;
/// How long a command in the machine may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where Debian has it.
const ETHTOOL: &str = "/usr/sbin/ethtool";
/// What the machine runs.
const PROGRAM: &str = "vm_guest";

/// A virtual machine that has virtual IPs and answers on them.
#[derive(Debug)]
pub struct MachineGuest {
    machine: Machine,
    interface: String,
    mac: String,
}

impl MachineGuest {
    /// Boots guest number `number` of the lab on a hypervisor.
    ///
    /// # Errors
    ///
    /// When something of it cannot be made, or it does not come up.
    pub fn boot(node: &Node, number: u8, vips: &[IpAddr]) -> Result<Self> {
        let (interface, mac) = (format!("vnet{number}"), mac(number));
        command::ip_batch(
            node.namespace().name(),
            &format!(
                "tuntap add dev {interface} mode tap vnet_hdr\n\
                 link set dev {interface} master {BRIDGE} up\n"
            ),
        )?;
        let kernel = Kernel::at(&vm::dir())?;
        let mut image = Image::new(&kernel, &["virtio_pci", "virtio_net"])?;
        image.add_program(&vm::example(PROGRAM))?;
        image.add_program(Path::new(ETHTOOL))?;
        let name = format!("guest{number}");
        let mut machine = Machine::boot(Setup {
            kernel: &kernel,
            image,
            memory: MEMORY,
            nics: vec![Nic::tap(&interface, &mac)],
            namespace: Some(node.namespace()),
            dir: node.dir(),
            name: &name,
        })?;
        let mut run = |line: String| machine.run(&line, PATIENCE);
        run("echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad".to_owned())?;
        run("ip link set eth0 up".to_owned())?;
        let own = [
            address::guest4(number).into(),
            address::guest6(number).into(),
        ];
        for address in own.iter().chain(vips) {
            let prefix = match address {
                IpAddr::V4(_) => PREFIX4,
                IpAddr::V6(_) => PREFIX6,
            };
            run(format!("ip addr add {address}/{prefix} dev eth0"))?;
        }
        let vips: Vec<String> = vips.iter().map(ToString::to_string).collect();
        run(format!(
            "{PROGRAM} {name} {} > /dev/null 2>&1 &",
            vips.join(" ")
        ))?;
        Ok(Self {
            machine,
            interface,
            mac,
        })
    }

    /// The interface that leads to it, on the hypervisor.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// The value of `deliver` in the agent's configuration.
    #[must_use]
    pub fn deliver(&self) -> String {
        format!(
            "{{ guest = \"{}\", mac = \"{}\" }}",
            self.interface, self.mac
        )
    }

    /// Turns what its kernel leaves to its NIC on or off: checksums and segmentation.
    ///
    /// # Errors
    ///
    /// When a command in the machine fails.
    pub fn set_offloads(&mut self, on: bool) -> Result<()> {
        let state = if on { "on" } else { "off" };
        let line = format!("ethtool -K eth0 tx {state} tso {state} gso {state}");
        self.machine.run(&line, PATIENCE)?;
        Ok(())
    }

    /// Cuts its power.
    ///
    /// # Errors
    ///
    /// When it has ended before.
    pub fn power_off(&mut self) -> Result<()> {
        self.machine.power_off()
    }
}
