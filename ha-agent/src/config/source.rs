//! Where the configuration comes from, so that it can be read again.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use super::{Config, Invalid};

/// The file, and what the command line says in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// The control socket.
    pub socket: Option<PathBuf>,
    /// The pin directory.
    pub pin_dir: Option<PathBuf>,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// By which its text is known.
    pub sum: Sum,
}

/// The checksum of a file that `cksum` prints for it (POSIX).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum(u32);

impl Source {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`Invalid`] with every fault that could be found.
    pub fn read(&self) -> Result<Loaded, Invalid> {
        let text = fs::read_to_string(&self.path);
        let text = text.map_err(|error| unreadable(&self.path, &error))?;
        let mut config = Config::parse(&text, &self.path)?;
        if let Some(socket) = &self.socket {
            config.control.socket.clone_from(socket);
        }
        if let Some(pin_dir) = &self.pin_dir {
            config.node.pin_dir.clone_from(pin_dir);
        }
        let sum = Sum::of(text.as_bytes());
        Ok(Loaded { config, sum })
    }
}

/// A file that cannot be read is one fault.
fn unreadable(path: &Path, error: &io::Error) -> Invalid {
    let mut report = super::error::Report::new("");
    report.add(
        0..0,
        "",
        format!("cannot read it: {error}"),
        "name the file with --config, or see docs/configuration.md for an example",
    );
    match report.finish::<()>(path, None) {
        Err(invalid) => invalid,
        Ok(()) => unreachable!("there is a fault"),
    }
}

impl Sum {
    /// Of these octets, which are followed by their number, as few octets as it takes, the least first.
    fn of(text: &[u8]) -> Self {
        let len = text.len().to_le_bytes();
        let digits = len.len() - len.iter().rev().take_while(|octet| **octet == 0).count();
        let octets = text.iter().chain(&len[..digits]);
        Self(!octets.fold(0, |sum, octet| step(sum, *octet)))
    }
}

/// CRC-32 by its generator polynomial, the highest bit first.
fn step(sum: u32, octet: u8) -> u32 {
    const POLYNOMIAL: u32 = 0x04c1_1db7;
    (0..8).fold(sum ^ u32::from(octet) << 24, |sum, _| {
        let carry = sum >> 31 == 1;
        sum << 1 ^ if carry { POLYNOMIAL } else { 0 }
    })
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;

    #[test]
    fn the_sum_is_that_of_cksum() {
        // printf 123456789 | cksum; printf '' | cksum
        assert_eq!(Sum::of(b"123456789").to_string(), "930766865");
        assert_eq!(Sum::of(b"").to_string(), "4294967295");
    }
}
