//! The netlink connection and its errors.

use std::{io, net::IpAddr, sync::Arc};

use futures_util::{StreamExt, TryStream, TryStreamExt, stream};
use rtnetlink::packet_route::AddressFamily;
use tokio::sync::Mutex;

/// A connection to rtnetlink in the network namespace of the thread that opened it. Clones share it.
#[derive(Clone, Debug)]
pub struct Netlink {
    pub(super) handle: rtnetlink::Handle,
    /// Held by who has the kernel list something.
    listing: Arc<Mutex<()>>,
}

/// Requests under way at once: enough to keep the kernel busy, few enough for the socket's buffer.
const PIPELINE: usize = 64;

/// A request to the kernel that failed.
#[derive(Debug, thiserror::Error)]
pub enum NetlinkError {
    /// The socket could not be opened.
    #[error("cannot open a netlink socket: {0}")]
    Open(io::Error),
    /// The kernel refused.
    #[error("cannot {action}: {source}")]
    Refused {
        /// What was tried, as "add the local route 192.0.2.10".
        action: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The connection broke.
    #[error("cannot {action}: the netlink connection failed: {detail}")]
    Broken {
        /// What was tried.
        action: String,
        /// What the library says.
        detail: String,
    },
}

impl NetlinkError {
    pub(super) fn new(action: impl Into<String>, error: &rtnetlink::Error) -> Self {
        let action = action.into();
        match errno(error) {
            Some(errno) => Self::Refused {
                action,
                source: io::Error::from_raw_os_error(errno),
            },
            None => Self::Broken {
                action,
                detail: error.to_string(),
            },
        }
    }
}

impl Netlink {
    /// Opens the connection, whose task runs on the current tokio runtime.
    ///
    /// # Errors
    /// [`NetlinkError::Open`] if the kernel gives no socket.
    pub fn connect() -> Result<Self, NetlinkError> {
        // Strict: the kernel filters dumps by what the request names, instead of sending everything.
        let (connection, handle, _) =
            rtnetlink::new_connection_with_strict_check().map_err(NetlinkError::Open)?;
        tokio::spawn(connection);
        Ok(Self {
            handle,
            listing: Arc::default(),
        })
    }

    /// All replies to a request that has the kernel list something. One after the other: it refuses another one on a
    /// socket on which it has not come to the end of one (EBUSY, `__netlink_dump_start` in `net/netlink/af_netlink.c`).
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub(super) async fn list<S>(
        &self,
        action: impl Into<String>,
        execute: impl FnOnce() -> S,
    ) -> Result<Vec<S::Ok>, NetlinkError>
    where
        S: TryStream<Error = rtnetlink::Error>,
    {
        let _alone = self.listing.lock().await;
        let replies = execute().try_collect().await;
        replies.map_err(|error| NetlinkError::new(action, &error))
    }
}

/// The kernel's error number in a reply, positive.
pub(super) fn errno(error: &rtnetlink::Error) -> Option<i32> {
    match error {
        rtnetlink::Error::NetlinkError(message) => Some(-message.raw_code()),
        _ => None,
    }
}

/// The family of an address.
pub(super) const fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

/// `result`, with a refusal for the reason `harmless` (an errno) taken for success.
pub(super) fn unless(
    harmless: &[i32],
    result: Result<(), rtnetlink::Error>,
) -> Result<(), rtnetlink::Error> {
    match result {
        Err(error) if errno(&error).is_some_and(|errno| harmless.contains(&errno)) => Ok(()),
        other => other,
    }
}

/// Runs `request` for each item, many at a time; stops at the first error.
pub(super) async fn pipelined<T, F>(
    items: impl IntoIterator<Item = T>,
    request: impl Fn(T) -> F,
) -> Result<(), NetlinkError>
where
    F: Future<Output = Result<(), NetlinkError>>,
{
    stream::iter(items)
        .map(request)
        .buffer_unordered(PIPELINE)
        .try_for_each(|()| async { Ok(()) })
        .await
}
