//! `ha-agent detach --all`.

use std::path::Path;

use anyhow::Result;

use crate::{
    dataplane::{Admitted, PinDir, admitted, egress, everywhere, local, pinned_contents},
    net::Netlink,
};

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Everything, on all interfaces; there is no less
    #[arg(long, required = true)]
    all: bool,
}

/// Removes everything from the host.
///
/// # Errors
/// If an agent runs, or something cannot be removed.
pub(super) async fn run(pin_dir: &Path, args: &Args) -> Result<()> {
    let Args { all: true } = args else {
        return Ok(());
    };
    everything(pin_dir).await
}

/// Removes routes, filters, programs and maps, in this order: the program keeps the host silent as
/// long as there is a route for which the kernel would answer.
///
/// # Errors
/// If an agent runs, or something cannot be removed.
pub(super) async fn everything(pin_dir: &Path) -> Result<()> {
    let pins = PinDir::new(pin_dir);
    let netlink = Netlink::connect()?;
    let lock = if pins.exists() {
        Some(pins.lock()?)
    } else {
        None
    };

    let clients = netlink.client_routes().await?;
    netlink.del_client_routes(clients).await?;
    let routes = netlink.local_routes().await?;
    netlink.del_local_routes(routes.iter().copied()).await?;
    println!("removed {} local routes", routes.len());
    if lock.is_none() {
        println!("nothing is pinned in {}", pin_dir.display());
        return Ok(());
    }
    let links = pins.links()?;
    // Pins of which some are missing or damaged must not be in the way.
    for contents in pinned_contents(&pins)? {
        match contents {
            Ok(actual) => {
                let all = everywhere(&admitted(&actual), links.iter().copied());
                remove_filters(&netlink, all).await?;
            }
            Err(error) => eprintln!("the NIC filters stay as they are: {error:#}"),
        }
    }
    local::remove(&pins)?;
    for index in &links {
        egress::remove(&pins, *index)?;
    }
    pins.remove()?;
    println!(
        "took the program off {} interfaces and removed {}",
        links.len(),
        pin_dir.display()
    );
    Ok(())
}

async fn remove_filters(netlink: &Netlink, filters: Admitted) -> Result<()> {
    for (index, macs) in filters {
        // With the interface its filters went.
        let Some(link) = netlink.link_at(index).await? else {
            continue;
        };
        let found = netlink.filters(index).await?;
        let macs: Vec<_> = macs.intersection(&found).copied().collect();
        println!(
            "removed {} MACs from the filter of {}",
            macs.len(),
            link.name
        );
        netlink.del_filters(index, macs).await?;
    }
    Ok(())
}
