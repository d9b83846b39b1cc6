//! Delivery to guests.

use ha_common::abi::{Mac, Vlan};

use super::{parse, with};
use crate::config::Guest;

const VIPS: &str = "vips = [\"192.0.2.10\", \"2001:db8::10\"]";

fn vips(text: &str) -> String {
    with(&[(VIPS, text)])
}

#[test]
fn a_group_and_single_virtual_ips_can_be_guests() {
    let text = vips(
        r#"deliver = { guest = "tap0", mac = "52:54:00:00:00:01" }
vips = [
    "192.0.2.10",
    { address = "192.0.2.11-192.0.2.12", deliver = { guest = "vnet1", mac = "52:54:00:00:00:02", vlan = [7] } },
    { address = "2001:db8::10" },
]"#,
    );
    let group = parse(&text).unwrap().groups.remove(0);
    assert_eq!(group.vips.len(), 5, "with the implied link-local one");
    let guest = |vip: &str| group.delivery.of(vip.parse().unwrap()).unwrap();
    let first = Guest {
        interface: "tap0".to_owned(),
        mac: Mac([0x52, 0x54, 0, 0, 0, 1]),
        vlan: Vlan::default(),
    };
    assert_eq!(guest("192.0.2.10"), &first);
    assert_eq!(guest("2001:db8::10"), &first);
    for vip in ["192.0.2.11", "192.0.2.12"] {
        assert_eq!(guest(vip).interface, "vnet1");
        assert_eq!(guest(vip).mac, Mac([0x52, 0x54, 0, 0, 0, 2]));
        assert_eq!(guest(vip).vlan, Vlan { outer: 7, inner: 0 });
    }
}

#[test]
fn without_deliver_it_is_this_host() {
    let config = parse(&vips(r#"vips = ["192.0.2.10"]"#)).unwrap();
    let vip = config.groups[0].vips[0];
    assert_eq!(config.groups[0].delivery.of(vip), None);
}

#[test]
fn faults_of_guests_have_their_mends() {
    let cases = [
        (
            r#"deliver = { guest = "tap0" }"#,
            "ha.toml:10:21: group.web.deliver.mac: the guest's MAC is missing: write mac = ",
        ),
        (
            r#"deliver = { guest = "tap0", mac = "52:54:00:00:01" }"#,
            "ha.toml:10:35: group.web.deliver.mac: \"52:54:00:00:01\" is not the MAC of a single station: ",
        ),
        (
            r#"deliver = { guest = "tap0", mac = "33:33:00:00:00:01" }"#,
            "ha.toml:10:35: group.web.deliver.mac: ",
        ),
        (
            r#"deliver = { guest = "eth0", mac = "52:54:00:00:00:01" }"#,
            "ha.toml:10:21: group.web.deliver.guest: eth0 is an interface on which virtual IPs are served",
        ),
        (
            r#"deliver = { guest = "a b", mac = "52:54:00:00:00:01" }"#,
            "ha.toml:10:21: group.web.deliver.guest: \"a b\" cannot be the name of an interface: ",
        ),
        (
            r#"deliver = { guest = "tap0", mac = "52:54:00:00:00:01", vlan = [5000] }"#,
            "ha.toml:10:64: group.web.deliver.vlan: 5000 is out of range",
        ),
        (r#"deliver = { host = "tap0" }"#, "unknown field `host`"),
    ];
    for (line, expected) in cases {
        let fault = parse(&vips(&format!("{line}\n{VIPS}"))).unwrap_err();
        assert!(fault.contains(expected), "{line}: {fault}");
    }
    let of_one = r#"vips = [{ address = "192.0.2.10", deliver = { guest = "tap0" } }]"#;
    let fault = parse(&vips(of_one)).unwrap_err();
    assert!(fault.contains("group.web.vips.deliver.mac"), "{fault}");
}
