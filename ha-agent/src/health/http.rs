//! Whether a web server answers as it should.

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Collected, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;

use super::{Look, connect::Connector};
use crate::config::track;

/// As much of a body as is looked through, octets.
const MAX_BODY: usize = 1 << 16;

pub(super) struct Http {
    wanted: track::Http,
    connector: Connector,
}

impl Http {
    pub(super) fn new(http: &track::Http, connector: Connector) -> Self {
        Self {
            wanted: http.clone(),
            connector,
        }
    }

    pub(super) async fn look(&mut self) -> Look {
        match self.ask().await {
            Ok((status, body)) => self.judge(status, &body),
            Err(error) => Look::fail(format!("{error:#}")),
        }
    }

    async fn ask(&self) -> Result<(StatusCode, Bytes)> {
        let track::Http { server, path, .. } = &self.wanted;
        let stream = self.connector.connect(server).await;
        let stream = stream.with_context(|| format!("cannot connect to {server}"))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let request = Request::get(path)
            .header(header::HOST, server)
            .header(
                header::USER_AGENT,
                concat!("ha-agent/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::<Bytes>::new())?;
        let answer = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_BODY).collect().await;
            // Of a longer body nothing is kept; its status still counts.
            anyhow::Ok((
                status,
                body.map_or_else(|_| Bytes::new(), Collected::to_bytes),
            ))
        };
        let answer = answer.await;
        driver.abort();
        answer
    }

    fn judge(&self, status: StatusCode, body: &[u8]) -> Look {
        let is_expected = match self.wanted.status {
            Some(expected) => status.as_u16() == expected,
            None => status.is_success() || status.is_redirection(),
        };
        if !is_expected {
            return Look::fail(format!("status {status}"));
        }
        match &self.wanted.body {
            Some(part) if !contains(body, part.as_bytes()) => {
                Look::fail(format!("status {status}, but no \"{part}\" in the body"))
            }
            Some(_) | None => Look::pass(format!("status {status}")),
        }
    }
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    part.is_empty() || body.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use ha_core::track::Observation;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::{Connector, Http, track};

    /// Asks a server that gives this answer once.
    async fn ask(answer: &'static str, status: Option<u16>, body: Option<&str>) -> Observation {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let mut http = Http::new(
            &track::Http {
                server,
                path: "/health".to_owned(),
                status,
                body: body.map(str::to_owned),
            },
            Connector::default(),
        );
        http.look().await.observation
    }

    const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nready";
    const MOVED: &str = "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n";
    const BROKEN: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

    #[tokio::test]
    async fn the_status_decides() {
        assert_eq!(ask(FINE, None, None).await, Observation::Pass);
        assert_eq!(ask(MOVED, None, None).await, Observation::Pass);
        assert_eq!(ask(BROKEN, None, None).await, Observation::Fail);
        assert_eq!(ask(BROKEN, Some(503), None).await, Observation::Pass);
        assert_eq!(ask(FINE, Some(204), None).await, Observation::Fail);
    }

    #[tokio::test]
    async fn the_body_has_to_contain_what_is_expected() {
        assert_eq!(ask(FINE, None, Some("ead")).await, Observation::Pass);
        assert_eq!(ask(FINE, None, Some("steady")).await, Observation::Fail);
    }

    #[tokio::test]
    async fn what_is_no_http_is_not_well() {
        assert_eq!(ask("SSH-2.0-x\r\n", None, None).await, Observation::Fail);
    }
}
