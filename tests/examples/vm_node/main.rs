//! The service behind the virtual IPs, on a node that is a virtual machine.
//!
//! `vm_node NAME ADDRESS…`

use std::{env, net::IpAddr, thread};

use anyhow::{Context, Result};
use ha_lab::echo::Echo;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().context("vm_node NAME ADDRESS…")?;
    let vips: Vec<IpAddr> = arguments
        .map(|address| Ok(address.parse()?))
        .collect::<Result<_>>()?;
    let _echo = Echo::start_here(&name, &vips)?;
    loop {
        thread::park();
    }
}
