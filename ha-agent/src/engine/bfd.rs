//! Sessions with routers: what becomes of them is told, logged and shown. What a group makes of it is a check's.

use std::{collections::BTreeSet, net::IpAddr};

use anyhow::{Context, Result, ensure};
use ha_core::bfd::{Diagnostic, State};

use super::{Engine, history::seconds, port::Ground};
use crate::{
    api::types,
    bfd::{Bfd, News, Router, View},
    config::{self, Config},
    dataplane::Dataplane,
};

/// The routers of the configuration, with their interfaces.
pub(super) fn routers(config: &Config, grounds: &[Ground]) -> Result<Vec<Router>> {
    let routers = config.bfd.iter().map(|session| {
        let mut grounds = grounds.iter();
        let port = grounds.find(|port| port.link.name == session.interface);
        let port = port.with_context(|| format!("there is no interface {}", session.interface))?;
        let own = port.addresses;
        let own = [own.v4.map(IpAddr::V4), own.link_local.map(IpAddr::V6)];
        ensure!(
            !own.contains(&Some(session.address)),
            "BFD session {}: {} is this node's own address: write the router's",
            session.name,
            session.address
        );
        Ok(Router {
            session: session.clone(),
            ifindex: port.link.index,
        })
    });
    routers.collect()
}

/// Those whose echo packets the data path has to send back, as they are told that they may send some.
pub(super) fn looped(routers: &[Router]) -> BTreeSet<(IpAddr, u32)> {
    let looped = routers.iter().filter(|router| router.takes_echo());
    looped
        .map(|router| (router.session.address, router.ifindex))
        .collect()
}

/// Begins to speak with the routers of the configuration, once the data path loops their echo packets.
pub(super) fn start(config: &Config, grounds: &[Ground], dataplane: &mut Dataplane) -> Result<Bfd> {
    let routers = routers(config, grounds)?;
    dataplane.loop_echoes(&looped(&routers))?;
    let mut bfd = Bfd::new()?;
    let prepared = bfd.prepare(routers)?;
    bfd.set(prepared)?;
    Ok(bfd)
}

impl Engine {
    /// A session has changed its state.
    pub(super) fn session_changed(&mut self, news: News) {
        let Some(config::Bfd { name, address, .. }) = self.bfd.configured(news.session) else {
            return;
        };
        let (state, why) = (news.state.name(), news.why);
        let mut text = format!("BFD session {name} with {address}: {state}: {why}");
        match news.state {
            State::AdminDown | State::Down => {
                text.push_str(&format!(" ({})", news.diagnostic.name()));
            }
            State::Init | State::Up => {}
        }
        if why.is_failure() {
            tracing::warn!(session = %name, "{text}");
        } else {
            tracing::info!(session = %name, "{text}");
        }
        self.history.node("bfd", text);
    }

    /// The sessions, for the status.
    pub(super) fn bfd_status(&self) -> Vec<types::Bfd> {
        let sessions = self.bfd.views();
        sessions
            .map(|(config, view)| status(config, view))
            .collect()
    }
}

fn status(config: &config::Bfd, view: View) -> types::Bfd {
    let millis = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let remote = view.remote.as_ref();
    let since = seconds(view.since);
    types::Bfd {
        name: config.name.clone(),
        interface: config.interface.clone(),
        address: config.address,
        state: view.state.name().to_owned(),
        diagnostic: view.diagnostic.name().to_owned(),
        remote_state: remote.map(|remote| remote.state.name().to_owned()),
        remote_diagnostic: remote.map(|remote| {
            let name = remote.diagnostic.map_or("reserved", Diagnostic::name);
            name.to_owned()
        }),
        discriminator: view.discriminator.get(),
        remote_discriminator: remote.map(|remote| remote.my_discriminator.get()),
        transmit_interval_ms: millis(view.transmit_interval),
        detection_time_ms: view.detection_time.map(millis),
        up_since: (view.state == State::Up).then_some(since),
        since,
        ups: view.ups,
        packets_in: view.received,
        packets_out: view.sent,
        echo_active: view.has_echo,
        echoes_in: view.echoes_returned,
        echoes_out: view.echoes_sent,
        discards: view
            .discards
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count))
            .collect(),
    }
}
