//! Pages of `docs/` that are made from the code, so that they cannot fall behind it.
//!
//! `HA_UPDATE_DOCS=1 cargo test -p ha-lab --test docs` writes them.

use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use ha_agent::doctor::{CHECKS, Shown};
use ha_common::reason::Reason;

#[test]
fn every_reason_has_its_row() {
    let mut page = String::from(
        "# How a frame for a virtual IP, or from one, can end\n\n\
         Each such frame is counted under exactly one of these, by packets and bytes: in the map\n\
         `ha_reason` at the index given, in `ha-agent status`, and by verdict and group in `ha_stat`.\n\
         An advertisement is counted only if the kernel demoted a group because of it; packets of seamless\n\
         BFD and echo packets of BFD, if this node has them as its own. What this host sends itself is\n\
         counted only if it is withheld. All other frames are for no virtual IP and are passed on\n\
         uncounted.\n\n\
         | index | reason | verdict | meaning |\n|---|---|---|---|\n",
    );
    for reason in Reason::ALL {
        let (index, label) = (*reason as u32, reason.label());
        let (verdict, help) = (reason.verdict().name(), reason.help().trim());
        writeln!(page, "| {index} | `{label}` | {verdict} | {help} |").unwrap();
    }
    is_up_to_date("reasons.md", &page);
}

#[test]
fn every_check_has_its_row() {
    let path = docs().join("doctor.md");
    let found = fs::read_to_string(path).unwrap_or_default();
    let before = found.split_once(TABLE).map_or("", |(before, _)| before);
    let mut page = format!("{before}{TABLE}\n\n| check | looks at | shown by |\n|---|---|---|\n");
    for check in &CHECKS {
        let shown = match check.shown {
            Shown::Lab => "a lab made wrong",
            Shown::Facts => "facts of such a host",
        };
        writeln!(page, "| `{}` | {} | {shown} |", check.name, check.about).unwrap();
    }
    is_up_to_date("doctor.md", &page);
}

/// Where the part of a page that is made from the code begins.
const TABLE: &str = "## The checks";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn is_up_to_date(name: &str, page: &str) {
    let path = docs().join(name);
    if env::var_os("HA_UPDATE_DOCS").is_some() {
        fs::write(&path, page).expect("docs/ can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/{name} has fallen behind: HA_UPDATE_DOCS=1 cargo test -p ha-lab --test docs"
    );
}
