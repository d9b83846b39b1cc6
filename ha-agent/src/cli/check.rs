//! `ha-agent check`.

use std::path::Path;

use crate::config::Config;

/// Says what a configuration without faults says. One with faults was refused when it was read.
pub(super) fn run(config: &Config, path: &Path) {
    let vips: usize = config.groups.iter().map(|group| group.vips.len()).sum();
    println!(
        "{}: no faults; node {}, {} groups with {vips} virtual IPs, lease {:?}",
        path.display(),
        config.node.name,
        config.groups.len(),
        config.node.lease
    );
}
