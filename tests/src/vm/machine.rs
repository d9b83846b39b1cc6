//! A machine that runs.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

use super::{Image, Kernel, console::Console};
use crate::{netns::NetNs, sys};

/// How long a machine may take to boot, on a busy machine and without the processor's help.
const BOOT: Duration = Duration::from_secs(120);

/// How much a machine goes before what else the host does: it is measured, and has but a part of the processor that it emulates.
const NICENESS: &str = "-15";

/// How long qemu's monitor may take to answer.
const MONITOR: Duration = Duration::from_secs(10);
/// What it says when it waits for a command.
const PROMPT: &str = "(qemu) ";

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
    monitor: PathBuf,
    log: PathBuf,
}

impl Machine {
    /// Boots it and waits until commands can be run.
    ///
    /// # Errors
    ///
    /// When qemu cannot be started, or the machine does not come up.
    pub fn boot(setup: Setup<'_>) -> Result<Self> {
        let machine = Self::start(setup)?;
        machine.await_ready()?;
        Ok(machine)
    }

    /// Begins to boot it.
    ///
    /// # Errors
    ///
    /// When qemu cannot be started.
    pub fn start(setup: Setup<'_>) -> Result<Self> {
        let monitor = setup.dir.join(format!("{}.monitor", setup.name));
        let initrd = setup.dir.join(format!("{}.cpio", setup.name));
        fs::write(&initrd, setup.image.finish())
            .with_context(|| format!("writing {}", initrd.display()))?;
        let program = "qemu-system-x86_64";
        let mut command = match setup.namespace {
            Some(namespace) => namespace.command("nice")?,
            None => {
                let mut command = Command::new("nice");
                sys::die_with_parent(&mut command);
                command
            }
        };
        command
            .args(["-n", NICENESS, program])
            .args(["-accel", "tcg", "-cpu", "max", "-nodefaults", "-no-reboot"])
            .args(["-m", &setup.memory.to_string()])
            .args(["-display", "none", "-serial", "stdio"])
            .arg("-monitor")
            .arg(format!("unix:{},server=on,wait=off", monitor.display()))
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
        Ok(Self {
            child,
            console,
            monitor,
            log,
        })
    }

    /// Waits until commands can be run in it.
    ///
    /// # Errors
    ///
    /// When it does not come up.
    pub fn await_ready(&self) -> Result<()> {
        self.console
            .await_ready(BOOT)
            .with_context(|| format!("see {}", self.log.display()))
    }

    /// Runs one line in its shell; what it printed.
    ///
    /// # Errors
    ///
    /// When it fails, or takes longer than `limit`.
    pub fn run(&mut self, line: &str, limit: Duration) -> Result<String> {
        self.console.run(line, limit)
    }

    /// Takes the carrier from a NIC, by its number, or gives it back.
    ///
    /// # Errors
    ///
    /// When qemu's monitor does not answer.
    pub fn set_link(&self, nic: usize, up: bool) -> Result<()> {
        let state = if up { "on" } else { "off" };
        let said = monitor(&self.monitor, &format!("set_link n{nic} {state}"))
            .with_context(|| format!("qemu's monitor, {}", self.monitor.display()))?;
        ensure!(!said.contains("Error"), "qemu's monitor: {said}");
        Ok(())
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

/// One command; what it printed.
fn monitor(path: &Path, command: &str) -> Result<String> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(MONITOR))?;
    until_prompt(&mut stream)?;
    writeln!(stream, "{command}")?;
    until_prompt(&mut stream)
}

fn until_prompt(stream: &mut UnixStream) -> Result<String> {
    let mut said = String::new();
    let mut buffer = [0; 256];
    while !said.ends_with(PROMPT) {
        match stream.read(&mut buffer)? {
            0 => bail!("it ended after {said:?}"),
            len => said.push_str(&String::from_utf8_lossy(&buffer[..len])),
        }
    }
    Ok(said)
}
