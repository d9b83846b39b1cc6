//! The control socket: HTTP and JSON over a Unix socket.
//!
//! ```text
//! GET    /v1/status
//! POST   /v1/groups/{group}/promote
//! POST   /v1/groups/{group}/release
//! POST   /v1/groups/{group}/switchover {"to": "b", "wait": true}
//! POST   /v1/reload                    {"dry_run": true}
//! POST   /v1/node/duty                 {"duty": "drained", "wait": true}
//! POST   /v1/groups/{group}/vips       {"vips": ["192.0.2.10"]}
//! DELETE /v1/groups/{group}/vips       {"vips": ["192.0.2.10"]}
//! ```
//!
//! [`server`] turns a request into a [`Call`] to the engine, [`client`] is what the command line uses,
//! and [`types`] is what both put into JSON.

pub mod client;
mod permission;
pub mod server;
mod socket;
pub mod types;

use std::net::IpAddr;

use ha_core::election::Duty;
use tokio::sync::oneshot;

pub use self::{client::Client, permission::Writers, server::serve, socket::Listener};

/// What a client asks of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Everything there is to see.
    Status,
    /// Make this node Active for the group.
    Promote {
        /// The group's name.
        group: String,
    },
    /// Let go of the group.
    Release {
        /// The group's name.
        group: String,
    },
    /// Have another node take the group over, and serve until it does.
    Switchover {
        /// The group's name.
        group: String,
        /// Which node: a name or an address.
        to: Option<String>,
        /// Whether to answer only when it is over.
        wait: bool,
    },
    /// Let this node do this from now on.
    SetDuty {
        /// What it may do.
        duty: Duty,
        /// Whether to answer only when others have taken over.
        wait: bool,
    },
    /// Read the configuration again, and change what differs.
    Reload {
        /// Whether only to say what would be done.
        dry_run: bool,
    },
    /// Add virtual IPs to the group until the agent stops.
    AddVips {
        /// The group's name.
        group: String,
        /// The addresses.
        vips: Vec<IpAddr>,
    },
    /// Take virtual IPs from the group until the agent stops.
    DelVips {
        /// The group's name.
        group: String,
        /// The addresses.
        vips: Vec<IpAddr>,
    },
}

/// What the engine answers when it did what was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// To [`Request::Status`].
    Status(Box<types::Status>),
    /// To [`Request::Reload`].
    Reloaded(types::Reloaded),
    /// To the others: what has changed, as a sentence.
    Done(String),
}

/// Why the engine did not do what was asked; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such group.
    #[error("there is no group {name:?}; this node has {known}")]
    NoSuchGroup {
        /// What was asked for.
        name: String,
        /// The names there are, for the message.
        known: String,
    },
    /// The request is understood and cannot be granted as things are.
    #[error("{0}")]
    Conflict(String),
    /// The request names something impossible.
    #[error("{0}")]
    Invalid(String),
    /// The configuration file is wrong.
    #[error("{0}")]
    WrongFile(String),
    /// The kernel refused.
    #[error("{0}")]
    Failed(String),
}

/// A request on its way to the engine.
#[derive(Debug)]
pub struct Call {
    /// What is asked.
    pub request: Request,
    /// Where the answer goes. The client may have gone meanwhile.
    pub reply: oneshot::Sender<Result<Response, Refused>>,
}
