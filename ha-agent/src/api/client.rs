//! The command line's end of the control socket.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::UnixStream, time::timeout};

use super::types::{Done, Error, Reload, Reloaded, SetDuty, Status, Switchover, Vips};

/// How long the agent may take to do what is asked.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a planned move may take. The agent gives one up by itself, by its advertisement interval.
const MOVE_PATIENCE: Duration = Duration::from_secs(600);
/// How long it may take to show itself: one that takes longer is stopped or hung.
const STATUS_PATIENCE: Duration = Duration::from_secs(2);

/// The agent's configuration file is wrong: its faults, a line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongFile(String);

/// A client of the agent behind one control socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// A client; it connects with each request.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// Whether an agent answers at all.
    pub async fn is_served(&self) -> bool {
        UnixStream::connect(&self.socket).await.is_ok()
    }

    /// Everything there is to see.
    ///
    /// # Errors
    /// If the agent does not run, does not answer or refuses.
    pub async fn status(&self) -> Result<Status> {
        let status = self.exchange(Method::GET, "/v1/status", None::<&()>);
        within(STATUS_PATIENCE, status).await
    }

    /// Makes the agent's node Active for `group`.
    ///
    /// # Errors
    /// As for [`Client::status`].
    pub async fn promote(&self, group: &str) -> Result<Done> {
        self.request(Method::POST, &path(group, "promote"), None::<&()>)
            .await
    }

    /// Has the agent let go of `group`.
    ///
    /// # Errors
    /// As for [`Client::status`].
    pub async fn release(&self, group: &str) -> Result<Done> {
        self.request(Method::POST, &path(group, "release"), None::<&()>)
            .await
    }

    /// Has another node take over `group`.
    ///
    /// # Errors
    /// As for [`Client::status`], or if nobody takes over.
    pub async fn switch_over(&self, group: &str, body: &Switchover) -> Result<Done> {
        let path = path(group, "switchover");
        let exchange = self.exchange(Method::POST, &path, Some(body));
        within(MOVE_PATIENCE, exchange).await
    }

    /// Has the agent read its configuration again.
    ///
    /// # Errors
    /// As for [`Client::status`], or [`WrongFile`].
    pub async fn reload(&self, body: &Reload) -> Result<Reloaded> {
        let exchange = self.exchange(Method::POST, "/v1/reload", Some(body));
        within(MOVE_PATIENCE, exchange).await
    }

    /// Lets the agent's node do this from now on.
    ///
    /// # Errors
    /// As for [`Client::status`].
    pub async fn set_duty(&self, body: &SetDuty) -> Result<Done> {
        let exchange = self.exchange(Method::POST, "/v1/node/duty", Some(body));
        within(MOVE_PATIENCE, exchange).await
    }

    /// Adds virtual IPs to `group`.
    ///
    /// # Errors
    /// As for [`Client::status`].
    pub async fn add_vips(&self, group: &str, vips: Vec<IpAddr>) -> Result<Done> {
        self.request(Method::POST, &path(group, "vips"), Some(&Vips { vips }))
            .await
    }

    /// Takes virtual IPs from `group`.
    ///
    /// # Errors
    /// As for [`Client::status`].
    pub async fn del_vips(&self, group: &str, vips: Vec<IpAddr>) -> Result<Done> {
        self.request(Method::DELETE, &path(group, "vips"), Some(&Vips { vips }))
            .await
    }

    async fn request<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T> {
        within(PATIENCE, self.exchange(method, path, body)).await
    }

    async fn exchange<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T> {
        let stream = UnixStream::connect(&self.socket).await.with_context(|| {
            format!(
                "no agent answers on {}: is it running?",
                self.socket.display()
            )
        })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let octets = body
            .map(serde_json::to_vec)
            .transpose()?
            .unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(octets)))?;
        let response = sender
            .send_request(request)
            .await
            .context("the agent hung up")?;
        let code = response.status();
        let octets = response.into_body().collect().await?.to_bytes();
        driver.abort();
        if code.is_success() {
            return serde_json::from_slice(&octets).context("the agent's answer is not understood");
        }
        match serde_json::from_slice::<Error>(&octets) {
            Ok(Error { error }) if code == StatusCode::FAILED_DEPENDENCY => bail!(WrongFile(error)),
            Ok(Error { error }) => bail!(error),
            Err(_) => bail!(
                "the agent answers {code}: {}",
                String::from_utf8_lossy(&octets)
            ),
        }
    }
}

async fn within<T>(patience: Duration, answer: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(patience, answer)
        .await
        .with_context(|| format!("the agent did not answer within {patience:?}"))?
}

/// Group names are words of letters, digits, `-`, `_` and `.`; anything else is escaped.
fn path(group: &str, action: &str) -> String {
    let mut escaped = String::new();
    for octet in group.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                escaped.push(char::from(octet));
            }
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    format!("/v1/groups/{escaped}/{action}")
}

#[cfg(test)]
mod tests {
    use nix::unistd::Gid;
    use tokio::sync::mpsc;

    use super::{
        super::{Call, Listener, Refused, Request, Response, Writers, serve},
        *,
    };

    /// An engine that knows the group `web` and says what it was asked.
    async fn engine(mut calls: mpsc::Receiver<Call>) {
        while let Some(Call { request, reply }) = calls.recv().await {
            let answer = if request
                == (Request::Promote {
                    group: "no/such group".to_owned(),
                }) {
                let name = "no/such group".to_owned();
                Err(Refused::NoSuchGroup {
                    name,
                    known: "\"web\"".to_owned(),
                })
            } else {
                Ok(Response::Done(format!("{request:?}")))
            };
            let _ = reply.send(answer);
        }
    }

    async fn with_server<T>(name: &str, use_client: impl AsyncFnOnce(Client) -> T) -> T {
        let dir = std::env::temp_dir().join(format!("ha-api-{}-{name}", std::process::id()));
        let socket = dir.join("control.sock");
        let (sender, calls) = mpsc::channel(1);
        let listener = Listener::bind(&socket).unwrap();
        let writers = Writers {
            group: Some(Gid::current()),
        };
        let server = tokio::spawn(serve(listener, writers, sender));
        let engine = tokio::spawn(engine(calls));
        let result = use_client(Client::new(&socket)).await;
        server.abort();
        engine.abort();
        let _ = server.await;
        std::fs::remove_dir_all(&dir).unwrap();
        result
    }

    #[tokio::test]
    async fn a_request_reaches_the_engine_and_its_answer_comes_back() {
        with_server("answer", async |client| {
            let done = client.promote("web").await.unwrap();
            assert_eq!(done.done, r#"Promote { group: "web" }"#);
            let vips = vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
            let done = client.del_vips("web", vips).await.unwrap();
            assert_eq!(
                done.done,
                r#"DelVips { group: "web", vips: [192.0.2.1, 2001:db8::1] }"#
            );
        })
        .await;
    }

    #[tokio::test]
    async fn a_refusal_is_the_error() {
        with_server("refusal", async |client| {
            let error = client
                .promote("no/such group")
                .await
                .unwrap_err()
                .to_string();
            assert_eq!(
                error,
                r#"there is no group "no/such group"; this node has "web""#
            );
        })
        .await;
    }

    #[tokio::test]
    async fn without_an_agent_the_socket_is_named() {
        let client = Client::new(Path::new("/nonexistent/control.sock"));
        assert!(!client.is_served().await);
        let error = client.status().await.unwrap_err().to_string();
        assert_eq!(
            error,
            "no agent answers on /nonexistent/control.sock: is it running?"
        );
    }
}
