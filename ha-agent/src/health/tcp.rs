//! Whether something accepts TCP connections.

use std::net::SocketAddr;

use super::{Look, connect::Connector};

pub(super) struct Tcp {
    address: SocketAddr,
    connector: Connector,
}

impl Tcp {
    pub(super) const fn new(address: SocketAddr, connector: Connector) -> Self {
        Self { address, connector }
    }

    pub(super) async fn look(&mut self) -> Look {
        match self.connector.connect(self.address).await {
            Ok(_) => Look::pass("accepts connections"),
            Err(error) => Look::fail(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ha_core::track::Observation;
    use tokio::net::TcpListener;

    use super::{Connector, Tcp};

    #[tokio::test]
    async fn a_listener_is_well_and_a_closed_port_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut tcp = Tcp::new(listener.local_addr().unwrap(), Connector::default());
        assert_eq!(tcp.look().await.observation, Observation::Pass);
        drop(listener);
        let look = tcp.look().await;
        assert_eq!(look.observation, Observation::Fail);
        assert!(look.note.contains("refused"), "{}", look.note);
    }
}
