//! That the lab hears a node which speaks as a virtual IP that it has not: else its silence would mean nothing.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.

use std::{fs, thread::sleep, time::Duration};

use ha_agent::{dataplane::PinDir, net::frame::gratuitous_arp_reply};
use ha_common::{abi::Vlan, wire::vrrp};
use ha_lab::{
    address,
    cluster::{Cluster, PREFERRED, STANDBY, Service, System},
    node::INTERFACE,
    probe::Clock,
    silence::{Silence, Speech},
    station::Station,
    under_test,
};

/// Longer than a frame may be on its way, and than the thread may be held up.
const A_WHILE: Duration = Duration::from_millis(300);

#[test]
fn a_node_without_the_program_on_the_way_out_is_heard() {
    let service = Service::new(1, 1);
    let announcement =
        gratuitous_arp_reply(vrrp::mac4(service.vrid), address::vip4(0), Vlan::default());
    let cluster = Cluster::start(&System::HaAgent(under_test::agent()), service).unwrap();
    let lab = cluster.lab();
    let slips = || {
        let silence = Silence::begin(lab, Clock::start()).unwrap();
        sleep(A_WHILE);
        for node in [PREFERRED, STANDBY] {
            let station = Station::on(lab.node(node).namespace()).unwrap();
            // Whether the kernel tells the sender that it kept the frame is its own affair.
            let _ = station.send(&announcement);
        }
        sleep(A_WHILE);
        silence.end().unwrap()
    };
    assert_eq!(slips(), []);

    let standby = lab.node(STANDBY);
    let index = standby.namespace().ifindex(INTERFACE).unwrap();
    fs::remove_file(PinDir::new(standby.pins()).egress_link(index)).unwrap();
    let found = slips();
    let [slip] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((slip.node, slip.speech), (STANDBY, Speech::Owner));
}
