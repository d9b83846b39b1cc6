//! Somebody else announces an address that a node has: counted, told, and logged with both MACs.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.

use std::{
    fs,
    net::IpAddr,
    thread::sleep,
    time::{Duration, Instant},
};

use ha_agent::{
    dataplane::{Maps, PinDir},
    net::frame::gratuitous_arp_reply,
};
use ha_common::{
    abi::{Mac, Vlan},
    reason::Reason,
};
use ha_lab::{
    cluster::{Cluster, PREFERRED, Service, System},
    station::Station,
    under_test,
};

const RIVAL: Mac = Mac([0x02, 0x66, 0, 0, 0, 0x66]);
/// The virtual MAC of router 51.
const OWN: &str = "00:00:5e:00:01:33";
const LIMIT: Duration = Duration::from_secs(5);

#[test]
fn a_second_owner_is_counted_and_logged_with_both_macs() {
    let service = Service::new(1, 0);
    let [IpAddr::V4(vip)] = service.vips[..] else {
        panic!("{service:?}");
    };
    let cluster = Cluster::start(&System::HaAgent(under_test::agent()), service).unwrap();
    let node = cluster.lab().node(PREFERRED);
    let maps = Maps::open(&PinDir::new(node.pins())).unwrap();
    let conflicts = || {
        let reasons = maps.tables.stats.reasons().unwrap();
        let of = reasons
            .iter()
            .find(|(reason, _)| *reason == Reason::ConflictingOwner);
        of.map_or(0, |(_, traffic)| traffic.packets)
    };
    assert_eq!(conflicts(), 0);

    let observer = Station::observer(cluster.lab()).unwrap();
    let claim = gratuitous_arp_reply(RIVAL, vip, Vlan::default());
    for _ in 0..3 {
        observer.send(&claim).unwrap();
    }
    let line = format!("{RIVAL} claims the virtual IP {vip}, which this node has with {OWN}");
    let log = || fs::read_to_string(node.dir().join("ha-agent.log")).unwrap();
    let begun = Instant::now();
    while !log().contains(&line) {
        assert!(begun.elapsed() < LIMIT, "not logged: {line}\n{}", log());
        sleep(Duration::from_millis(10));
    }
    assert_eq!(conflicts(), 3, "each one is counted");
    assert_eq!(log().matches(&line).count(), 1, "one in a second is told");
    assert_eq!(cluster.is_active(PREFERRED).unwrap(), Some(true));
}
