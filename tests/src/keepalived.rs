//! keepalived on a node, as it is usually set up: the yardstick.

use std::{fmt::Write, fs, net::IpAddr, process::Command};

use anyhow::{Context, Result};

use crate::{
    application,
    cluster::Service,
    command,
    daemon::Daemon,
    node::{INTERFACE, Node},
};

/// Its configuration, in the node's directory.
const CONFIG: &str = "keepalived.conf";
/// An advertisement has room for this many addresses in keepalived's default packet; the others go
/// into `virtual_ipaddress_excluded`.
const ADVERTISED: usize = 20;

/// keepalived, running on a node.
#[derive(Debug)]
pub struct Keepalived {
    pub(crate) daemon: Daemon,
}

impl Keepalived {
    /// Starts it with this service's virtual IPs.
    ///
    /// # Errors
    ///
    /// When its files cannot be written or it cannot be started.
    pub fn start(node: &Node, service: &Service, priority: u8) -> Result<Self> {
        node.write("plan", "0")?;
        Self::start_with(node, &config(node, service, priority))
    }

    /// Starts it with this configuration.
    ///
    /// # Errors
    ///
    /// As for [`Self::start`].
    pub fn start_with(node: &Node, config: &str) -> Result<Self> {
        node.write(CONFIG, config)?;
        let daemon = run(node)?;
        Ok(Self { daemon })
    }

    /// Starts it again with the same file, after its process has ended.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start_again(&mut self, node: &Node) -> Result<()> {
        self.daemon = run(node)?;
        Ok(())
    }

    /// Whether the node has these virtual IPs on its interface; `None` if it has some of them.
    ///
    /// # Errors
    ///
    /// When `ip` fails.
    pub fn has_all(node: &Node, vips: &[IpAddr]) -> Result<Option<bool>> {
        let mut has = 0;
        for vip in vips {
            let mut ip = Command::new("ip");
            ip.args(["-n", node.namespace().name(), "-o"]).args([
                "addr",
                "show",
                "dev",
                INTERFACE,
                "to",
                &vip.to_string(),
            ]);
            has += usize::from(!command::run(&mut ip)?.trim().is_empty());
        }
        Ok(match has {
            0 => Some(false),
            all if all == vips.len() => Some(true),
            _ => None,
        })
    }

    /// How often it says that an instance has changed its state.
    ///
    /// # Errors
    ///
    /// When its log cannot be read.
    pub fn transitions(node: &Node) -> Result<u64> {
        let file = node.dir().join("keepalived.log");
        let log =
            fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        Ok(log.matches("Entering ").count() as u64)
    }

    /// Lowers or restores the node's priority, as is done for a planned switch.
    ///
    /// # Errors
    ///
    /// When the tracked file cannot be written.
    pub fn lower(node: &Node, lower: bool) -> Result<()> {
        let file = node.dir().join("plan");
        let weight = if lower { "-100" } else { "0" };
        fs::write(&file, weight).with_context(|| format!("writing {}", file.display()))
    }
}

fn run(node: &Node) -> Result<Daemon> {
    let mut command = node.namespace().command("keepalived")?;
    command
        .args(["-n", "-P", "-l", "-G", "-f"])
        .arg(node.dir().join(CONFIG))
        .arg("-p")
        .arg(node.dir().join("keepalived.pid"))
        .arg("-r")
        .arg(node.dir().join("vrrp.pid"));
    let log = node.dir().join("keepalived.log");
    Daemon::start("keepalived", command, &log)
}

fn config(node: &Node, service: &Service, priority: u8) -> String {
    let mut text = format!(
        "global_defs {{\n  router_id {}\n  vrrp_version 3\n  vrrp_garp_master_repeat 1\n}}\n\
         track_file plan {{\n  file {}\n  init_file 0\n}}\n",
        node.name(),
        node.dir().join("plan").display()
    );
    if service.has_application {
        let _ = write!(
            text,
            "vrrp_script application {{\n  script \"/usr/bin/pkill -0 -F {}\"\n  interval 1\n  \
             user root\n}}\n",
            application::pid_file(node).display()
        );
    }
    let family = |v4: bool| -> Vec<_> {
        let vips = service.vips.iter().copied();
        vips.filter(|vip| vip.is_ipv4() == v4).collect()
    };
    // keepalived insists that the first v6 address be link-local (RFC 9568 section 5.2.9).
    let link_local: &[IpAddr] = &["fe80::5100".parse().expect("an address")];
    let (v4, v6) = (family(true), family(false));
    let (advertised, excluded) = v4.split_at(ADVERTISED.min(v4.len()));
    let instances = [
        ("V4", advertised, excluded, v4.is_empty()),
        ("V6", link_local, v6.as_slice(), v6.is_empty()),
    ];
    let mut group = String::new();
    for (name, advertised, excluded, _) in instances.into_iter().filter(|(.., empty)| !empty) {
        let _ = write!(group, " {name}");
        let _ = write!(
            text,
            "vrrp_instance {name} {{\n  state BACKUP\n  interface {INTERFACE}\n  \
             virtual_router_id {}\n  priority {priority}\n  advert_int {}\n  \
             track_file {{\n    plan weight 1\n  }}\n",
            service.vrid,
            service.advert_interval.as_secs_f64()
        );
        if service.has_application {
            text.push_str("  track_script {\n    application\n  }\n");
        }
        for (block, vips) in [
            ("virtual_ipaddress", advertised),
            ("virtual_ipaddress_excluded", excluded),
        ] {
            let _ = writeln!(text, "  {block} {{");
            for vip in vips {
                let _ = writeln!(text, "    {vip}");
            }
            text.push_str("  }\n");
        }
        text.push_str("}\n");
    }
    let _ = writeln!(text, "vrrp_sync_group ALL {{\n  group {{{group} }}\n}}");
    text
}
