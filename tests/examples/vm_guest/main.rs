//! What a guest serves, as the first program of a virtual machine starts it.
//!
//! `vm_guest NAME ADDRESS…`

use std::{env, net::IpAddr, thread};

use anyhow::{Context, Result};
use ha_lab::guest::service::Service;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().context("vm_guest NAME ADDRESS…")?;
    let vips: Vec<IpAddr> = arguments
        .map(|address| Ok(address.parse()?))
        .collect::<Result<_>>()?;
    let _service = Service::start(&name, &vips)?;
    loop {
        thread::park();
    }
}
