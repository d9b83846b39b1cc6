//! Where the data path is to be, and where it is.

use std::collections::BTreeSet;

use super::Attach;

/// The interfaces that it is wanted on, and those of them on which it works.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) wanted: Vec<Attach>,
    /// Indices of the interfaces on which it works over the maps that are in force.
    serving: BTreeSet<u32>,
}

impl Attached {
    pub(super) fn new(wanted: &[Attach], serving: BTreeSet<u32>) -> Self {
        let wanted = wanted.to_vec();
        Self { wanted, serving }
    }

    pub(super) fn is_serving(&self, index: u32) -> bool {
        self.serving.contains(&index)
    }

    pub(super) fn serve_all(&mut self) {
        self.serving = self.wanted.iter().map(|attach| attach.link.index).collect();
    }

    pub(super) fn add(&mut self, attach: &Attach) {
        // One that was made anew may have the index of the one before.
        let is_other = |before: &Attach| before.link.index != attach.link.index;
        self.wanted.retain(is_other);
        self.wanted.push(attach.clone());
        self.serving.insert(attach.link.index);
    }

    pub(super) fn remove(&mut self, indices: &BTreeSet<u32>) {
        self.wanted
            .retain(|attach| !indices.contains(&attach.link.index));
        self.serving.retain(|index| !indices.contains(index));
    }
}
