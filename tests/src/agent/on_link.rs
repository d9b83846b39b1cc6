//! What is on a node's interface, and what is pinned for it.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{
    command,
    node::{INTERFACE, Node},
};

/// The data path as the kernel has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnLink {
    /// Number of the program on the interface.
    pub program: u32,
    /// What it consists of, as the kernel sums it up.
    pub tag: String,
    /// Schemas of which something is pinned.
    pub schemas: BTreeSet<u32>,
}

impl OnLink {
    /// Looks at a node.
    ///
    /// # Errors
    ///
    /// When there is no program, or it cannot be asked.
    pub fn read(node: &Node) -> Result<Self> {
        let mut ip = node.namespace().command("ip")?;
        let printed = command::run(ip.args(["-d", "-j", "link", "show", "dev", INTERFACE]))?;
        let links: Vec<Link> = serde_json::from_str(&printed).context("reading what ip says")?;
        let link = links.into_iter().next().context("there is no interface")?;
        let xdp = link.xdp.context("there is no program on the interface")?;
        let mut schemas = BTreeSet::new();
        for entry in fs::read_dir(node.pins())? {
            let name = entry?.file_name();
            schemas.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
        }
        Ok(Self {
            program: xdp.prog.id,
            tag: xdp.prog.tag,
            schemas,
        })
    }
}

#[derive(Deserialize)]
struct Link {
    xdp: Option<Xdp>,
}

#[derive(Deserialize)]
struct Xdp {
    prog: Program,
}

#[derive(Deserialize)]
struct Program {
    id: u32,
    tag: String,
}
