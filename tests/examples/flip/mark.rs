//! Marks that strace shows: one `write` each.

use std::io::{self, Write};

/// The marks around one flip, made beforehand so that nothing but the flip is between them.
pub(crate) struct Marks {
    begin: String,
    end: String,
}

/// The marks for a group of this size.
pub(crate) fn around(vips: u32) -> Marks {
    Marks {
        begin: format!("flip begins: {vips}\n"),
        end: format!("flip ends: {vips}\n"),
    }
}

impl Marks {
    /// Writes the first one.
    pub(crate) fn begin(&self) -> io::Result<()> {
        io::stderr().write_all(self.begin.as_bytes())
    }

    /// Writes the second one.
    pub(crate) fn end(&self) -> io::Result<()> {
        io::stderr().write_all(self.end.as_bytes())
    }
}
