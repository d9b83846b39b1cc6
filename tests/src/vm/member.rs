//! A node that is a virtual machine, with the agent inside.

use std::{net::IpAddr, path::Path, time::Duration};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Cable, Image, Kernel, Machine, Network, Nic, Setup, example};
use crate::{
    address::{self, Station},
    agent::GROUP,
    cluster::NODES,
    command,
    node::{INTERFACE, Node},
};

/// Memory, MiB. The verifier takes most of it.
const MEMORY: u32 = 512;
/// How long a command in the machine may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Programs of Debian's that busybox has not, or not as much of.
const TOOLS: [&str; 2] = ["/bin/ip", "/usr/sbin/ethtool"];
/// What a NIC and the agent take of the kernel.
const MODULES: [&str; 4] = ["virtio_pci", "virtio_net", "sch_ingress", "cls_bpf"];
/// What the machine serves the virtual IPs with.
const SERVICE: &str = "vm_node";
/// Where the agent's configuration is in the machine.
const CONFIG: &str = "/etc/ha-agent.toml";
/// Where its log is.
const LOG: &str = "/tmp/agent.log";
/// Offloads that would have a NIC deliver what XDP cannot take; `mq` and its vectors as Debian's manual has them.
const PROPERTIES: &str =
    "guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,mq=on,vectors=10";
/// The bridge between a machine's cables and the lab's switch.
const BRIDGE: &str = "br0";

/// Times that suit machines without the processor's help, on a busy host. There an agent takes a second or two to start, and the
/// next one has to within the lease; it may be as long since the nodes probe each other.
const ADVERT_INTERVAL: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(6);
const LIVENESS: Duration = Duration::from_millis(200);

/// The machine.
#[derive(Debug)]
pub struct Member {
    machine: Machine,
    cables: Vec<(String, Cable)>,
    network: Network,
    addresses: Station,
    is_on: bool,
}

/// What the agent says.
#[derive(Clone, Debug, Deserialize)]
pub struct Standing {
    agent: Option<Running>,
    interfaces: Vec<Interface>,
    groups: Vec<Group>,
}

#[derive(Clone, Debug, Deserialize)]
struct Running {
    pid: u32,
}

#[derive(Clone, Debug, Deserialize)]
struct Interface {
    name: String,
    mode: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Group {
    role: String,
    epoch: u64,
    fenced: Option<String>,
}

impl Standing {
    /// Whether the node has the virtual IPs.
    #[must_use]
    pub fn is_active(&self) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.role == "active" && group.fenced.is_none())
    }

    /// Whether the node is ready to take them.
    #[must_use]
    pub fn is_backup(&self) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.role == "backup" && group.fenced.is_none())
    }

    /// How often the node has begun or ceased to have them.
    #[must_use]
    pub fn role_changes(&self) -> u64 {
        self.groups.iter().map(|group| group.epoch).sum()
    }

    /// The agent's process, if it runs.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.agent.as_ref().map(|agent| agent.pid)
    }

    /// How the program is attached to an interface: `native` or `generic`.
    #[must_use]
    pub fn mode(&self, interface: &str) -> Option<&str> {
        let mut interfaces = self.interfaces.iter();
        let found = interfaces.find(|found| found.name == interface)?;
        Some(&found.mode)
    }
}

impl Member {
    /// Begins to boot it at the place of a node of the lab, whose namespace becomes a bridge.
    ///
    /// # Errors
    ///
    /// When something of it cannot be made.
    pub fn start(
        node: &Node,
        agent: &Path,
        network: Network,
        priority: u8,
        vips: &[IpAddr],
    ) -> Result<Self> {
        become_bridge(node)?;
        let mut cables = Vec::new();
        let mut nics = Vec::new();
        for number in 0..network.nics() {
            let tap = format!("vnet{number}");
            let cable = Cable::lay(node.namespace(), &tap, node.dir(), network.marks())?;
            command::ip_batch(
                node.namespace().name(),
                &format!("link set dev {tap} master {BRIDGE} up\n"),
            )?;
            nics.push(Nic {
                mac: format!("52:54:00:00:{:02x}:{number:02x}", 1 + node.index()),
                backend: cable.backend(),
                properties: PROPERTIES.to_owned(),
            });
            cables.push((tap, cable));
        }
        let kernel = Kernel::at(&super::dir())?;
        let modules = [&MODULES[..], network.modules()].concat();
        let mut image = Image::new(&kernel, &modules)?;
        for tool in TOOLS {
            image.add_program(Path::new(tool))?;
        }
        image.add_program(&example(SERVICE))?;
        image.add_program(agent)?;
        image.add_file(CONFIG, config(node, network, priority, vips).as_bytes());
        let machine = Machine::start(Setup {
            kernel: &kernel,
            image,
            memory: MEMORY,
            nics,
            namespace: None,
            dir: node.dir(),
            name: node.name(),
        })?;
        Ok(Self {
            machine,
            cables,
            network,
            addresses: node.station(),
            is_on: true,
        })
    }

    /// Waits until it is up, connects it to its network, and starts its service and its agent.
    ///
    /// # Errors
    ///
    /// When it does not come up, or a command in it fails.
    pub fn set_up(&mut self, name: &str, vips: &[IpAddr]) -> Result<()> {
        self.machine.await_ready()?;
        for parameter in ["ipv6/conf/all/accept_dad", "ipv6/conf/default/accept_dad"] {
            self.run(&format!("echo 0 > /proc/sys/net/{parameter}"))?;
        }
        self.run("echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce")?;
        for line in self.network.commands(self.addresses) {
            self.run(&line)?;
        }
        let vips: Vec<String> = vips.iter().map(ToString::to_string).collect();
        let vips = vips.join(" ");
        self.run(&format!(
            "{SERVICE} {name} {vips} > /tmp/service.log 2>&1 &"
        ))?;
        self.run(&start_agent())?;
        Ok(())
    }

    /// Runs one line in its shell; what it printed.
    ///
    /// # Errors
    ///
    /// When it fails.
    pub fn run(&mut self, line: &str) -> Result<String> {
        self.machine.run(line, PATIENCE)
    }

    /// What the agent says.
    ///
    /// # Errors
    ///
    /// When it does not answer, as while it is starting, and the kernel has nothing either.
    pub fn standing(&mut self) -> Result<Standing> {
        let printed = self.run("ha-agent status --json 2>&1")?;
        serde_json::from_str(&printed).with_context(|| format!("the status: {printed}"))
    }

    /// Ends the agent by a signal, and starts the next one.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn restart(&mut self, signal: &str) -> Result<()> {
        let next = start_agent();
        self.run(&format!(
            "kill -{signal} $AGENT && {{ wait $AGENT; {next} }}"
        ))?;
        Ok(())
    }

    /// Has the agent hand its virtual IPs over.
    ///
    /// # Errors
    ///
    /// When it refuses, or nobody takes over.
    pub fn switch_over(&mut self) -> Result<()> {
        self.run(&format!("ha-agent switchover {GROUP} 2>&1"))?;
        Ok(())
    }

    /// The NIC that its bond uses, by number.
    ///
    /// # Errors
    ///
    /// When it has no bond, or the bond uses none.
    pub fn bond_uses(&mut self) -> Result<usize> {
        let path = format!(
            "/sys/class/net/{}/bonding/active_slave",
            self.network.interface()
        );
        let name = self.run(&format!("cat {path}"))?;
        let number = name.trim().strip_prefix("eth");
        let number = number.with_context(|| format!("the bond uses {name:?}"))?;
        Ok(number.parse()?)
    }

    /// Puts another NIC in the place of one of the bond's, by number: one of the same name and MAC, with another index.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn replace_nic(&mut self, nic: usize) -> Result<()> {
        let driver = "/sys/bus/virtio/drivers/virtio_net";
        self.run(&format!(
            "NIC=$(basename $(readlink /sys/class/net/eth{nic}/device)) && echo $NIC > {driver}/unbind && \
             echo $NIC > {driver}/bind"
        ))?;
        self.run(&Network::join(nic))?;
        Ok(())
    }

    /// Pulls the cable of a NIC, which both ends notice, or puts it back.
    ///
    /// # Errors
    ///
    /// When `ip` or qemu refuses.
    pub fn set_cable(&self, node: &Node, nic: usize, plugged: bool) -> Result<()> {
        let (tap, _) = self.cables.get(nic).context("there is no such NIC")?;
        let state = if plugged { "up" } else { "down" };
        command::ip_batch(
            node.namespace().name(),
            &format!("link set dev {tap} {state}\n"),
        )?;
        self.machine.set_link(nic, plugged)
    }

    /// What the agent has logged.
    ///
    /// # Errors
    ///
    /// When the machine does not answer.
    pub fn log(&mut self) -> Result<String> {
        self.run(&format!("cat {LOG}"))
    }

    /// Cuts its power.
    ///
    /// # Errors
    ///
    /// When it has ended before.
    pub fn power_off(&mut self) -> Result<()> {
        self.is_on = false;
        self.machine.power_off()
    }

    /// Whether it has power.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.is_on
    }
}

/// The shell of the machine knows it by `$AGENT` then.
fn start_agent() -> String {
    format!("NO_COLOR=1 ha-agent run --config {CONFIG} >> {LOG} 2>&1 & AGENT=$!;")
}

fn become_bridge(node: &Node) -> Result<()> {
    let namespace = node.namespace();
    namespace.set("ipv6/conf/all/disable_ipv6", "1")?;
    namespace.set("ipv6/conf/default/disable_ipv6", "1")?;
    command::ip_batch(
        namespace.name(),
        &format!(
            "addr flush dev {INTERFACE}\n\
             link add name {BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n\
             link set dev {INTERFACE} master {BRIDGE}\n\
             link set dev {BRIDGE} up\n"
        ),
    )
}

fn config(node: &Node, network: Network, priority: u8, vips: &[IpAddr]) -> String {
    let vips: Vec<String> = vips.iter().map(|vip| format!("\"{vip}\"")).collect();
    let peer = network.own(address::node(1 - node.index()));
    format!(
        r#"[node]
name = "{name}"
lease = "{lease}ms"

[[interface]]
name = "{interface}"
mode = "{mode}"

[[peer]]
name = "{peer_name}"
interval = "{liveness}ms"
paths = [{{ interface = "{interface}", address = "{peer}" }}]

[[group]]
name = "{GROUP}"
interface = "{interface}"
vlan = {tags:?}
vips = [{vips}]

[group.election]
type = "vrrp"
vrid = 51
priority = {priority}
advert_interval = "{advert_interval}ms"
"#,
        name = node.name(),
        peer_name = NODES[usize::from(1 - node.index())],
        lease = LEASE.as_millis(),
        interface = network.interface(),
        mode = network.mode(),
        liveness = LIVENESS.as_millis(),
        tags = network.tags(),
        vips = vips.join(", "),
        advert_interval = ADVERT_INTERVAL.as_millis(),
    )
}
