//! What an operator tells the agent.

use anyhow::Result;

use super::{Agent, GROUP};

impl Agent {
    /// `ha-agent promote`.
    ///
    /// # Errors
    ///
    /// When the agent refuses or does not answer.
    pub fn promote(&self) -> Result<()> {
        self.command(&["promote", GROUP])?;
        Ok(())
    }

    /// `ha-agent release`.
    ///
    /// # Errors
    ///
    /// When the agent refuses or does not answer.
    pub fn release(&self) -> Result<()> {
        self.command(&["release", GROUP])?;
        Ok(())
    }

    /// `ha-agent switchover`.
    ///
    /// # Errors
    ///
    /// When the agent refuses, does not answer, or nobody takes over.
    pub fn switch_over(&self) -> Result<()> {
        self.command(&["switchover", GROUP])?;
        Ok(())
    }

    /// `ha-agent switchover --no-wait`.
    ///
    /// # Errors
    ///
    /// When the agent refuses or does not answer.
    pub fn begin_switch_over(&self) -> Result<()> {
        self.command(&["switchover", GROUP, "--no-wait"])?;
        Ok(())
    }

    /// `ha-agent maintenance on`, or `off`.
    ///
    /// # Errors
    ///
    /// As for [`Self::switch_over`].
    pub fn set_maintenance(&self, on: bool) -> Result<()> {
        self.command(&["maintenance", if on { "on" } else { "off" }])?;
        Ok(())
    }

    /// `ha-agent drain`.
    ///
    /// # Errors
    ///
    /// As for [`Self::switch_over`].
    pub fn drain(&self) -> Result<()> {
        self.command(&["drain"])?;
        Ok(())
    }

    /// `ha-agent undrain`.
    ///
    /// # Errors
    ///
    /// As for [`Self::switch_over`].
    pub fn undrain(&self) -> Result<()> {
        self.command(&["undrain"])?;
        Ok(())
    }
}
