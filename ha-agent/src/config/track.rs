//! Checks, what they do to groups, and groups that move together.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ha_core::track::Effect;

/// `[[check]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// What it looks at.
    pub kind: Kind,
    /// Time from one look to the next, where nothing tells of a change.
    pub interval: Duration,
    /// How long a look may take.
    pub timeout: Duration,
    /// How many looks in a row must find it well before it is.
    pub rise: u32,
    /// How many looks in a row must not before it is not.
    pub fall: u32,
}

/// What a check looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An interface is up and has a carrier.
    Interface {
        /// Its name.
        interface: String,
    },
    /// A program exits with 0.
    Script {
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// A process runs.
    Process(Process),
    /// Something accepts TCP connections.
    Tcp {
        /// Where.
        address: SocketAddr,
    },
    /// A web server answers as it should.
    Http(Http),
    /// The number in a file, which is added to the priority after it was multiplied with the weight.
    File {
        /// The file.
        path: PathBuf,
    },
    /// A route is there.
    Route(Route),
    /// A BFD session is Up.
    Bfd {
        /// Its place in the configuration.
        session: usize,
    },
}

/// Which process is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Process {
    /// Any of this name, as `ps -o comm` shows it.
    Name(String),
    /// The one whose number is in this file.
    PidFile(PathBuf),
}

/// A request to a web server, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Name or address and port of the server, as `localhost:8080`.
    pub server: String,
    /// Path and query.
    pub path: String,
    /// The status that is expected; `None` for all from 200 to 399.
    pub status: Option<u16>,
    /// What the body has to contain.
    pub body: Option<String>,
}

/// A route of the main table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Network and length of its prefix.
    pub destination: (IpAddr, u8),
    /// The next hop, if it matters.
    pub via: Option<IpAddr>,
    /// Name of the interface, if it matters.
    pub interface: Option<String>,
}

/// An entry of `track` in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    /// Place of the check in the configuration.
    pub check: usize,
    /// What it does.
    pub effect: Effect,
}

/// `[[sync]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// Its name.
    pub name: String,
    /// Places of its groups in the configuration.
    pub groups: Vec<usize>,
}

impl Kind {
    /// The word in the configuration and in the status.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Interface { .. } => "interface",
            Self::Script { .. } => "script",
            Self::Process(_) => "process",
            Self::Tcp { .. } => "tcp",
            Self::Http(_) => "http",
            Self::File { .. } => "file",
            Self::Route(_) => "route",
            Self::Bfd { .. } => "bfd",
        }
    }
}
