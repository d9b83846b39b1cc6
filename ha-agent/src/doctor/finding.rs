//! What is said about one thing.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It is as it should be.
    Ok,
    /// Something may not work, or could not be looked at.
    Warning,
    /// Virtual IPs will not work as promised.
    Failure,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// What a check has judged, of whatever it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) level: Level,
    pub(super) seen: String,
    pub(super) meaning: String,
    pub(super) mend: String,
}

impl Verdict {
    /// All is well, and this was seen.
    pub(super) fn ok(seen: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            seen: seen.into(),
            meaning: String::new(),
            mend: String::new(),
        }
    }

    /// What was seen, what it means for virtual IPs, and the command or setting that mends it.
    pub(super) fn warning(
        seen: impl Into<String>,
        meaning: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            level: Level::Warning,
            seen: seen.into(),
            meaning: meaning.into(),
            mend: mend.into(),
        }
    }

    /// The same, and virtual IPs will not work as promised.
    pub(super) fn failure(
        seen: impl Into<String>,
        meaning: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            level: Level::Failure,
            ..Self::warning(seen, meaning, mend)
        }
    }

    pub(super) fn of(self, check: &'static str, subject: &str) -> Finding {
        let Self {
            level,
            seen,
            meaning,
            mend,
        } = self;
        Finding {
            check,
            subject: subject.to_owned(),
            level,
            seen,
            meaning,
            mend,
        }
    }
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Name of the check.
    pub check: &'static str,
    /// What it is about, as an interface; empty for the host as a whole.
    pub subject: String,
    /// How bad it is.
    pub level: Level,
    /// What was seen.
    pub seen: String,
    /// What it means for virtual IPs; empty if all is well.
    pub meaning: String,
    /// The command or setting that mends it; empty if all is well.
    pub mend: String,
}

impl Finding {
    /// All of it in one line, for a log.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self {
            seen,
            meaning,
            mend,
            ..
        } = self;
        format!("{seen}. {meaning} Mend: `{mend}`")
    }
}

/// How far lines that explain are indented: as far as what was seen.
const INDENT: &str = "         ";

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8} {}", self.level.name(), self.check)?;
        if !self.subject.is_empty() {
            write!(f, " {}", self.subject)?;
        }
        write!(f, ": {}", self.seen)?;
        if !self.meaning.is_empty() {
            write!(f, "\n{INDENT}{}", self.meaning)?;
        }
        if !self.mend.is_empty() {
            write!(f, "\n{INDENT}mend: {}", self.mend)?;
        }
        Ok(())
    }
}
