//! A machine that runs.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{Image, Kernel, console::Console};
use crate::{netns::NetNs, sys};

/// How long a machine may take to boot, on a busy machine and without the processor's help.
const BOOT: Duration = Duration::from_secs(120);

/// What a machine is made of.
#[derive(Debug)]
pub struct Setup<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// Its first file system.
    pub image: Image,
    /// Memory, MiB.
    pub memory: u32,
    /// Its NICs: `eth0`, `eth1`, …
    pub nics: Vec<Nic>,
    /// The namespace in which its taps are; `None` if it has none.
    pub namespace: Option<&'a NetNs>,
    /// Where its log is written, and its image.
    pub dir: &'a Path,
    /// What its files there are called.
    pub name: &'a str,
}

/// A NIC of a machine: virtio-net.
#[derive(Clone, Debug)]
pub struct Nic {
    /// Its MAC.
    pub mac: String,
    /// Where it leads, as an argument of qemu's `-netdev` without the id: `tap,ifname=vnet1,…`, or
    /// `socket,listen=:1234`.
    pub backend: String,
    /// More properties of the device, as `guest_tso4=off,mq=on`; may be empty.
    pub properties: String,
}

impl Nic {
    /// Behind a tap that is there already.
    #[must_use]
    pub fn tap(interface: &str, mac: &str) -> Self {
        Self {
            mac: mac.to_owned(),
            backend: format!("tap,ifname={interface},script=no,downscript=no,vhost=off"),
            properties: String::new(),
        }
    }
}

/// A machine in qemu. Killed on drop.
#[derive(Debug)]
pub struct Machine {
    child: Child,
    console: Console,
}

impl Machine {
    /// Boots it and waits until commands can be run.
    ///
    /// # Errors
    ///
    /// When qemu cannot be started, or the machine does not come up.
    pub fn boot(setup: Setup<'_>) -> Result<Self> {
        let initrd = setup.dir.join(format!("{}.cpio", setup.name));
        fs::write(&initrd, setup.image.finish())
            .with_context(|| format!("writing {}", initrd.display()))?;
        let program = "qemu-system-x86_64";
        let mut command = match setup.namespace {
            Some(namespace) => namespace.command(program)?,
            None => {
                let mut command = Command::new(program);
                sys::die_with_parent(&mut command);
                command
            }
        };
        command
            .args(["-accel", "tcg", "-cpu", "max", "-nodefaults", "-no-reboot"])
            .args(["-m", &setup.memory.to_string()])
            .args(["-display", "none", "-monitor", "none", "-serial", "stdio"])
            .arg("-kernel")
            .arg(setup.kernel.image())
            .arg("-initrd")
            .arg(&initrd)
            .args(["-append", "console=ttyS0 quiet loglevel=3 panic=-1"]);
        for (number, nic) in setup.nics.iter().enumerate() {
            let Nic {
                mac,
                backend,
                properties,
            } = nic;
            let separator = if properties.is_empty() { "" } else { "," };
            command.args(["-netdev", &format!("{backend},id=n{number}")]);
            let device = format!(
                "virtio-net-pci,netdev=n{number},mac={mac},romfile={separator}{properties}"
            );
            command.args(["-device", &device]);
        }
        let log = setup.dir.join(format!("{}.log", setup.name));
        let errors = fs::File::create(setup.dir.join(format!("{}.err", setup.name)))?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| {
                format!("cannot start {program}: `cargo xtask setup` installs it (qemu-system-x86)")
            })?;
        let input = child.stdin.take().context("qemu has no input")?;
        let output = child.stdout.take().context("qemu has no output")?;
        let console = Console::start(input, output, &log)?;
        let machine = Self { child, console };
        machine
            .console
            .await_ready(BOOT)
            .with_context(|| format!("see {}", log.display()))?;
        Ok(machine)
    }

    /// Runs one line in its shell; what it printed.
    ///
    /// # Errors
    ///
    /// When it fails, or takes longer than `limit`.
    pub fn run(&mut self, line: &str, limit: Duration) -> Result<String> {
        self.console.run(line, limit)
    }

    /// Cuts its power.
    ///
    /// # Errors
    ///
    /// When it has ended before.
    pub fn power_off(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It fails only if it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
