//! Interfaces that come and go while the agent runs.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Attach, Dataplane, Programs, attach, local};

/// What comes back from the thread that attaches: the programs, and whether it could.
type Extended = (Programs, Result<()>);

impl Dataplane {
    /// Attaches the data path to more interfaces, to all of them or to none. Some drivers take long, so it may run
    /// in a thread of its own; [`Dataplane::extended`] has to be told how it went. `None` while the programs of the
    /// agent before this one are still in place.
    pub fn extender(
        &mut self,
        interfaces: Vec<Attach>,
    ) -> Option<impl FnOnce() -> Extended + Send + use<>> {
        let mut programs = self.programs.take()?;
        let pins = self.pins.clone();
        Some(move || {
            for (place, interface) in interfaces.iter().enumerate() {
                let Err(error) = programs.extend(&pins, interface) else {
                    continue;
                };
                for before in &interfaces[..place] {
                    if let Err(error) = attach::remove(&pins, before.link.index) {
                        tracing::error!("{error:#}");
                    }
                }
                return (programs, Err(error));
            }
            (programs, Ok(()))
        })
    }

    /// Takes note of what [`Dataplane::extender`] has done.
    ///
    /// # Errors
    /// If it failed: then nothing has changed.
    pub fn extended(&mut self, (programs, done): Extended, interfaces: &[Attach]) -> Result<()> {
        self.programs = Some(programs);
        done?;
        for interface in interfaces {
            self.attached.add(interface);
        }
        Ok(())
    }

    /// The indices of the interfaces on which the data path is, or was, as it is pinned.
    ///
    /// # Errors
    /// If the pins cannot be listed.
    pub fn links(&self) -> Result<Vec<u32>> {
        Ok(self.pins.links()?)
    }

    /// Takes the data path off these interfaces.
    ///
    /// # Errors
    /// If a pin cannot be removed.
    pub fn withdraw(&mut self, indices: &BTreeSet<u32>) -> Result<()> {
        self.attached.remove(indices);
        for index in indices {
            local::give_back(&self.pins, *index)?;
            if self.pins.link(*index).exists() {
                attach::remove(&self.pins, *index)?;
            }
        }
        Ok(())
    }
}
