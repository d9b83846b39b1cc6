//! `ha-agent load`: the data path alone, to look at it.

use std::{net::IpAddr, num::NonZeroU8, path::Path, time::Duration};

use anyhow::{Context, Result, anyhow, bail, ensure};
use ha_common::{
    abi::{GROUP_VIRTUAL_MAC, Role, Vlan, map},
    lease::{Operation, Reply, Request},
    wire::vrrp,
};
use ha_core::{
    plan::{self, Desired, DesiredVip, GroupFields, GroupName, VipKey},
    word,
};

use crate::{
    config::{Mode, range},
    dataplane::{Attach, Dataplane, PinDir, admitted},
    net::{Link, Netlink},
    privilege,
};

/// Name of the one group.
const GROUP: &str = "load";
/// Nobody renews the lease, so it is a long one.
const LEASE: Duration = Duration::from_secs(24 * 60 * 60);

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The interface to attach to
    #[arg(long)]
    interface: String,
    /// A virtual IP, or a range as first-last; can be given several times
    #[arg(long = "vip", value_name = "ADDRESS", required = true)]
    vips: Vec<String>,
    /// Answer with the virtual MACs of this virtual router id [default: with the interface's own MAC]
    #[arg(long)]
    vrid: Option<NonZeroU8>,
    /// Attach in generic mode, for drivers without XDP
    #[arg(long)]
    generic: bool,
}

/// Loads, attaches and pins the data path, Active for the given virtual IPs for a day.
///
/// # Errors
/// If something is pinned already, or the kernel refuses.
pub(super) async fn run(pin_dir: &Path, args: &Args) -> Result<()> {
    privilege::check()?;
    let vips = vips(&args.vips)?;
    let pins = PinDir::new(pin_dir);
    ensure!(
        !pins.exists(),
        "something is pinned in {} already: run `ha-agent unload` first",
        pins.path().display()
    );
    let netlink = Netlink::connect()?;
    let link = netlink
        .link(&args.interface)
        .await?
        .with_context(|| format!("there is no interface {}: see `ip link`", args.interface))?;
    let mode = if args.generic {
        Mode::Generic
    } else {
        Mode::Native
    };
    let attach = Attach {
        link: link.clone(),
        mode,
    };
    let mut dataplane = Dataplane::open(pin_dir, &[attach])?;
    write_maps(&mut dataplane, &link, args.vrid, &vips)?;
    for (index, macs) in admitted(&dataplane.actual()) {
        netlink.add_filters(index, macs).await?;
    }
    netlink.add_local_routes(vips.iter().copied()).await?;
    become_active(&dataplane)?;
    explain(&pins, &link, &vips);
    Ok(())
}

fn vips(texts: &[String]) -> Result<Vec<IpAddr>> {
    let mut vips = Vec::new();
    for text in texts {
        vips.extend(range::parse(text)?);
    }
    Ok(vips)
}

fn write_maps(
    dataplane: &mut Dataplane,
    link: &Link,
    vrid: Option<NonZeroU8>,
    vips: &[IpAddr],
) -> Result<()> {
    let group = GroupName::new(GROUP)?;
    let fields = GroupFields {
        ifindex: link.index,
        flags: vrid.map_or(0, |_| GROUP_VIRTUAL_MAC),
        vrid: vrid.map_or(0, NonZeroU8::get),
        mac4: vrid.map_or(link.mac, |vrid| vrrp::mac4(vrid.get())),
        mac6: vrid.map_or(link.mac, |vrid| vrrp::mac6(vrid.get())),
        nic: link.mac,
    };
    let vip = DesiredVip { group, deliver: 0 };
    let desired = Desired {
        groups: [(group, fields)].into(),
        vips: vips
            .iter()
            .map(|address| (VipKey::new(*address, Vlan::default()), vip))
            .collect(),
    };
    let plan = plan::plan(&desired, &dataplane.actual())?;
    dataplane.apply(&plan.writes)
}

fn become_active(dataplane: &Dataplane) -> Result<()> {
    let nanoseconds = u64::try_from(LEASE.as_nanos())?;
    let reply = dataplane.switch.run(Request {
        operation: Operation::Grant as u8,
        generation: 0,
        pad: [0; 6],
        length_ns: nanoseconds.to_le_bytes(),
    })?;
    match reply {
        Reply::Done => {}
        Reply::Lapsed | Reply::Invalid | Reply::NoTimer => {
            bail!("the kernel grants no lease: {reply:?}")
        }
    }
    let generation = dataplane.switch.node()?.lease.generation;
    let group = dataplane
        .actual()
        .groups
        .first()
        .copied()
        .ok_or_else(|| anyhow!("the group is not in the map"))?;
    let active = word::next(group.word, group.demoted, Role::Active, 0, generation)?;
    dataplane.groups.store(0, active);
    Ok(())
}

fn explain(pins: &PinDir, link: &Link, vips: &[IpAddr]) {
    println!(
        "{} answers for {} virtual IPs. No agent renews the lease: it ends in {} hours.\n\n\
         Look at it:",
        link.name,
        vips.len(),
        LEASE.as_secs() / 3600
    );
    println!("  bpftool net show dev {}", link.name);
    println!("  bpftool prog show name ha_xdp");
    for name in [map::GROUP, map::VIP4, map::VIP6, map::NODE, map::REASON] {
        println!("  bpftool map dump pinned {}", pins.map(name).display());
    }
    println!("\nRemove it:\n  ha-agent unload");
}
