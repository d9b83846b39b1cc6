//! Whether something accepts TCP connections.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::Look;

pub(super) struct Tcp(SocketAddr);

impl Tcp {
    pub(super) const fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    pub(super) async fn look(&mut self) -> Look {
        match TcpStream::connect(self.0).await {
            Ok(_) => Look::pass("accepts connections"),
            Err(error) => Look::fail(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ha_core::track::Observation;
    use tokio::net::TcpListener;

    use super::Tcp;

    #[tokio::test]
    async fn a_listener_is_well_and_a_closed_port_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut tcp = Tcp::new(listener.local_addr().unwrap());
        assert_eq!(tcp.look().await.observation, Observation::Pass);
        drop(listener);
        let look = tcp.look().await;
        assert_eq!(look.observation, Observation::Fail);
        assert!(look.note.contains("refused"), "{}", look.note);
    }
}
