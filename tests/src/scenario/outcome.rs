//! What came of a scenario.

use std::path::PathBuf;

use serde::Serialize;

use super::Account;
use crate::{report::Report, timeline::Timeline};

/// What came of a scenario. Serialised, it is the entry of the JSON report.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The scenario's name.
    pub name: &'static str,
    /// How many virtual IPs the nodes shared.
    pub vips: usize,
    /// What the probes met.
    #[serde(flatten)]
    pub report: Report,
    /// What the programs say.
    #[serde(flatten)]
    pub account: Account,
    /// Frames that spoke as a virtual IP from the port of a node that had not the virtual IPs; `None` for other
    /// people's programs.
    pub backup_frames: Option<usize>,
    /// The same as a picture.
    #[serde(skip)]
    pub timeline: Timeline,
    /// The promises that were broken, a sentence each.
    #[serde(skip)]
    pub broken: Vec<String>,
    /// Where logs and captures are, if a promise was broken.
    #[serde(skip)]
    pub evidence: Option<PathBuf>,
}
