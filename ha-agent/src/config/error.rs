//! What is wrong with a configuration, and where.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

/// One fault: where it is, what it is, and the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key, as `group.web.election.vrid`; empty where the text itself is at fault.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it; empty where `what` says it.
    pub mend: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        if !self.mend.is_empty() {
            write!(f, ": {}", self.mend)?;
        }
        Ok(())
    }
}

/// A configuration that cannot be used, with all its faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The file.
    pub path: PathBuf,
    /// In the order of their places.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{problem}", self.path.display())?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// Collects faults while a text is checked.
#[derive(Debug)]
pub(super) struct Report<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Report<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            problems: Vec::new(),
        }
    }

    /// Notes a fault at the octets `span` of the text.
    pub(super) fn add(
        &mut self,
        span: Range<usize>,
        key: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let (line, column) = place(self.text, span.start);
        self.problems.push(Problem {
            line,
            column,
            key: key.into(),
            what: what.into(),
            mend: mend.into(),
        });
    }

    /// The line, from 1, of the octets `span` of the text.
    pub(super) fn line(&self, span: Range<usize>) -> usize {
        place(self.text, span.start).0
    }

    /// Notes what the parser did not accept.
    pub(super) fn add_syntax(&mut self, error: &toml::de::Error) {
        let span = error.span().unwrap_or_default();
        let key = key_at(self.text, span.start);
        self.add(span, key, error.message().replace('\n', ", "), "");
    }

    /// The faults, or `value` if there are none.
    pub(super) fn finish<T>(mut self, path: &Path, value: Option<T>) -> Result<T, Invalid> {
        self.problems.sort_by_key(|p| (p.line, p.column));
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            Some(_) | None => Err(Invalid {
                path: path.to_owned(),
                problems: self.problems,
            }),
        }
    }
}

/// Line and column, from 1, of an octet of the text.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// The key of the line around an octet of the text, if it has one.
fn key_at(text: &str, at: usize) -> String {
    let (line, _) = place(text, at);
    let line = text.lines().nth(line - 1).unwrap_or_default();
    match line.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() => key.trim().to_owned(),
        Some(_) | None => String::new(),
    }
}
