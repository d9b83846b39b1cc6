//! FRR on a node: zebra, and a daemon that it serves.

pub mod bfd;

use std::{
    fs,
    net::IpAddr,
    path::PathBuf,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    command,
    daemon::Daemon,
    node::{INTERFACE, Node},
};

/// Where Debian has FRR's daemons.
const PROGRAMS: &str = "/usr/lib/frr";
/// What zebra may take to open its socket.
const PATIENCE: Duration = Duration::from_secs(5);

/// A daemon of FRR and the zebra that it needs.
#[derive(Debug)]
pub struct Frr {
    daemon: Daemon,
    zebra: Daemon,
    /// Where its daemons listen for commands.
    vty: PathBuf,
}

/// A virtual router as `vrrpd` is told.
#[derive(Clone, Debug)]
pub struct Router {
    /// Version of VRRP.
    pub version: u8,
    /// Virtual router id.
    pub vrid: u8,
    /// Priority.
    pub priority: u8,
    /// Time between advertisements.
    pub interval: Duration,
    /// The virtual IPs, all of one family; over IPv6 the first one is link-local.
    pub vips: Vec<IpAddr>,
}

impl Frr {
    /// Starts `vrrpd`.
    ///
    /// # Errors
    ///
    /// When a daemon does not start, or the interface for the virtual MAC cannot be made.
    pub fn vrrp(node: &Node, router: &Router) -> Result<Self> {
        make_interface(node, router)?;
        let mut config = format!(
            "interface {INTERFACE}\n vrrp {vrid} version {}\n vrrp {vrid} priority {}\n \
             vrrp {vrid} advertisement-interval {}\n",
            router.version,
            router.priority,
            router.interval.as_millis(),
            vrid = router.vrid,
        );
        for vip in &router.vips {
            let family = if vip.is_ipv4() { "ip" } else { "ipv6" };
            config.push_str(&format!(" vrrp {} {family} {vip}\n", router.vrid));
        }
        Self::start(node, "vrrpd", &config)
    }

    /// Starts zebra and this daemon with this configuration.
    fn start(node: &Node, name: &str, config: &str) -> Result<Self> {
        for dir in ["frr-run", "frr-etc"] {
            let dir = node.dir().join(dir);
            fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
        }
        // Left by one that was killed; the next one would take it for a sign of life.
        let socket = node.dir().join("frr-run/zserv.api");
        if socket.exists() {
            fs::remove_file(&socket)?;
        }
        let mut zebra = spawn(node, "zebra", "")?;
        let begun = Instant::now();
        while !socket.exists() {
            zebra.expect_running()?;
            if begun.elapsed() > PATIENCE {
                bail!("zebra did not open its socket: {}", zebra.last_words());
            }
            sleep(Duration::from_millis(5));
        }
        let daemon = spawn(node, name, config)?;
        Ok(Self {
            daemon,
            zebra,
            vty: node.dir().join("frr-run"),
        })
    }

    /// Types these lines into its command line, one after the other. Returns what it printed.
    ///
    /// # Errors
    ///
    /// When it does not answer, or does not understand one.
    pub fn vtysh(&self, lines: &[&str]) -> Result<String> {
        let mut vtysh = Command::new("vtysh");
        vtysh.arg("--vty_socket").arg(&self.vty);
        for line in lines {
            vtysh.args(["-c", line]);
        }
        let printed = command::run_within(&mut vtysh, PATIENCE)?;
        if let Some(complaint) = printed.lines().find(|line| line.starts_with('%')) {
            bail!("vtysh says {complaint:?} to {lines:?}");
        }
        Ok(printed)
    }

    /// Ends it cleanly.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub fn stop(&mut self) -> Result<()> {
        self.daemon.stop(PATIENCE)?;
        self.zebra.stop(PATIENCE)
    }

    /// The daemon beside zebra.
    pub fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }
}

/// Starts one of FRR's daemons with directories of its own in the places that are compiled in. It stays
/// root, for which that has to be in the group of the command lines: who gives up rights also loses the
/// wish to die with the lab.
fn spawn(node: &Node, name: &str, config: &str) -> Result<Daemon> {
    let file = format!("frr-etc/{name}.conf");
    node.write(&file, config)?;
    let dir = node.dir().display();
    let script = format!(
        "mount -t tmpfs none /run && mkdir /run/frr && mount --bind {dir}/frr-run /run/frr \
         && sed 's/^frrvty:.*/&,root/' /etc/group > {dir}/group && mount --bind {dir}/group /etc/group \
         && exec {PROGRAMS}/{name} -u root -g root --log stdout -f {dir}/{file} \
         -i {dir}/frr-run/{name}.pid --vty_socket {dir}/frr-run"
    );
    let mut command = node.namespace().command("unshare")?;
    command.args(["--mount", "sh", "-c", &script]);
    Daemon::start(name, command, &node.dir().join(format!("{name}.log")))
}

/// The interface with the virtual MAC and the virtual IPs, which `vrrpd` takes up and down.
fn make_interface(node: &Node, router: &Router) -> Result<()> {
    let v4 = router.vips.iter().all(IpAddr::is_ipv4);
    let (family, prefix) = if v4 { (1, 32) } else { (2, 128) };
    let name = format!("vrrp{}-{}", if v4 { 4 } else { 6 }, router.vrid);
    // Made once: it stays when the daemon is stopped.
    if node.namespace().ifindex(&name).is_ok() {
        return Ok(());
    }
    let mut commands = format!(
        "link add {name} link {INTERFACE} type macvlan mode bridge\n\
         link set dev {name} address 00:00:5e:00:0{family}:{:02x}\n",
        router.vrid
    );
    if !v4 {
        commands.push_str(&format!("link set dev {name} addrgenmode none\n"));
    }
    // Until `vrrpd` decides otherwise: the kernel would answer for the addresses at once.
    commands.push_str(&format!("link set dev {name} protodown on\n"));
    for vip in &router.vips {
        let nodad = if vip.is_ipv6() { " nodad" } else { "" };
        commands.push_str(&format!("addr add {vip}/{prefix} dev {name}{nodad}\n"));
    }
    commands.push_str(&format!("link set dev {name} up\n"));
    for parameter in ["ignore_routes_with_linkdown", "arp_ignore"] {
        node.namespace()
            .set(&format!("ipv4/conf/all/{parameter}"), "1")?;
    }
    node.namespace()
        .set("ipv6/conf/all/ignore_routes_with_linkdown", "1")?;
    command::ip_batch(node.namespace().name(), &commands)
}
