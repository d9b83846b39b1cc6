//! An agent that does not run any more, and a lease that has not ended yet: an advertisement that
//! outranks the node silences it all the same.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU8,
    time::Duration,
};

use ha_agent::{
    dataplane::{Maps, PinDir},
    net::frame::{self, Destination},
};
use ha_common::{
    abi::{Mac, RoleWord, Vlan},
    fence::{Fence, Standing, standing},
};
use ha_core::vrrp::{Addresses, Advertisement, Carrier, Centiseconds, ChecksumV4, Version};
use ha_lab::{
    address,
    cluster::{Cluster, PREFERRED, STANDBY, Service, System},
    station::Station,
    under_test, waiting,
};

/// Long, so that the lease outlasts the test's look at a node whose agent is stopped.
const INTERVAL: Duration = Duration::from_secs(2);
const LEASE: Duration = Duration::from_millis(3_800);
/// For how long an answer is waited for.
const PATIENCE: Duration = Duration::from_millis(300);
/// Priorities below and above those of the nodes.
const WORSE: u8 = 10;
const BETTER: u8 = 250;
/// Who advertises: an address that nobody has.
const RIVAL: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 200);

/// Octets of a frame: the TTL, and the checksum of the message.
const TTL: usize = 14 + 8;
const CHECKSUM: usize = 14 + 20 + 6;

#[test]
fn an_advertisement_that_wins_silences_a_node_whose_agent_is_stopped() {
    let service = Service {
        advert_interval: INTERVAL,
        lease: LEASE,
        ..Service::new(1, 0)
    };
    let [IpAddr::V4(vip)] = service.vips[..] else {
        panic!("{service:?}");
    };
    let mut cluster = Cluster::start(&System::HaAgent(under_test::agent()), service).unwrap();
    let observer = Station::observer(cluster.lab()).unwrap();
    let answers = || observer.is_answered(vip, PATIENCE).unwrap();
    assert!(answers());

    cluster.daemon(PREFERRED).freeze().unwrap();
    let better = advertisement(vip, BETTER);
    for (what, frame) in [
        ("came through a router", changed(&better, TTL, &[254])),
        ("is damaged", changed(&better, CHECKSUM, &[0, 0])),
        ("has a lower priority", advertisement(vip, WORSE)),
    ] {
        observer.send(&frame).unwrap();
        assert!(answers(), "silenced by an advertisement that {what}");
    }
    assert_eq!(look(&cluster).0, Standing::Active);

    observer.send(&better).unwrap();
    assert!(!answers(), "not silenced by a better advertisement");
    let (fenced, word) = look(&cluster);
    // The lease has not ended: what silenced the node was the advertisement.
    assert_eq!(fenced, Standing::Fenced(Fence::Demoted));

    cluster.daemon(PREFERRED).thaw().unwrap();
    until("node a is Backup", || look(&cluster).0 == Standing::Backup);
    assert!(!answers(), "node a answers as a Backup");
    // Nobody hears of the rival again, so the better of the two takes over.
    until("node a is Active", || {
        cluster.is_active(PREFERRED).unwrap() == Some(true)
    });
    assert_eq!(cluster.is_active(STANDBY).unwrap(), Some(false));
    assert!(answers());
    let (_, after) = look(&cluster);
    assert!(after.epoch > word.epoch, "{after:?} after {word:?}");
}

/// What node a is, as its kernel has it, and its role word.
fn look(cluster: &Cluster) -> (Standing, RoleWord) {
    let maps = Maps::open(&PinDir::new(cluster.lab().node(PREFERRED).pins())).unwrap();
    let group = maps.groups.group(0);
    let lease = maps.node.read().unwrap().lease;
    (standing(group.word, group.demoted, lease), group.word)
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    waiting::until(INTERVAL * 15, what, is_so);
}

/// The rival's, to all.
fn advertisement(vip: Ipv4Addr, priority: u8) -> Vec<u8> {
    let carrier = Carrier::V4 {
        source: RIVAL,
        destination: Ipv4Addr::new(224, 0, 0, 18),
    };
    let advert = Advertisement {
        version: Version::V3,
        vrid: NonZeroU8::new(51).unwrap(),
        priority,
        max_advert_interval: Centiseconds::new(200).unwrap(),
        addresses: Addresses::V4(vec![vip]),
    };
    let message = advert.encode(carrier, ChecksumV4::Message).unwrap();
    let source = Mac(address::OBSERVER_MAC);
    frame::advertisement(
        source,
        Destination::Group,
        Vlan::default(),
        carrier,
        &message,
    )
    .to_vec()
}

/// The frame with these octets at this offset.
fn changed(frame: &[u8], offset: usize, octets: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[offset..offset + octets.len()].copy_from_slice(octets);
    frame
}
