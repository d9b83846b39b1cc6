//! `deliver` of groups and of virtual IPs: guests of this host.

use std::collections::BTreeMap;

use ha_common::abi::{Mac, Vlan};
use toml::Spanned;

use super::{
    super::{Delivery, Guest, error::Report, file, range},
    INTERFACE_NAME, group, optional,
};

/// To whom the virtual IPs of a group belong. Their addresses have been checked elsewhere.
pub(super) fn delivery(
    group: &file::Group,
    file: &file::File,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Delivery> {
    let guest = match &group.deliver {
        Some(deliver) => Some(guest(deliver, file, key, report)?),
        None => None,
    };
    let mut others = BTreeMap::new();
    for vip in group.vips.get_ref() {
        let Some(deliver) = &vip.get_ref().deliver else {
            continue;
        };
        let key = format!("{key}.vips");
        let guest = self::guest(deliver, file, &key, report)?;
        let range = range::parse(&vip.get_ref().address).ok()?;
        others.extend(range.into_iter().map(|vip| (vip, guest.clone())));
    }
    Some(Delivery { guest, others })
}

fn guest(
    deliver: &file::Deliver,
    file: &file::File,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Guest> {
    let key = format!("{key}.deliver");
    let interface = interface(&deliver.guest, file, &key, report);
    let mac = mac(deliver, &key, report);
    let vlan = optional(deliver.vlan.as_ref(), Vlan::default(), |vlan| {
        group::vlan(vlan, &key, report)
    });
    Some(Guest {
        interface: interface?,
        mac: mac?,
        vlan: vlan?,
    })
}

fn interface(
    written: &Spanned<String>,
    file: &file::File,
    key: &str,
    report: &mut Report<'_>,
) -> Option<String> {
    let name = written.get_ref();
    let fits = (1..=INTERFACE_NAME).contains(&name.len());
    let mut refuse = |what: String, mend: &str| {
        report.add(written.span(), format!("{key}.guest"), what, mend);
        None
    };
    if !fits || name.contains(['/', ' ', '\t']) {
        return refuse(
            format!("\"{name}\" cannot be the name of an interface"),
            "name the interface on this host that leads to the guest, as `ip link` shows it",
        );
    }
    if file.interface.iter().any(|i| i.name.get_ref() == name) {
        return refuse(
            format!("{name} is an interface on which virtual IPs are served, not a guest's"),
            "name the guest's tap, veth or macvtap on this host",
        );
    }
    Some(name.clone())
}

/// It cannot be learnt in time: the host does not see the other end of a tap or veth before the guest speaks.
fn mac(deliver: &file::Deliver, key: &str, report: &mut Report<'_>) -> Option<Mac> {
    let key = format!("{key}.mac");
    let Some(written) = &deliver.mac else {
        report.add(
            deliver.guest.span(),
            key,
            "the guest's MAC is missing",
            "write mac = \"52:54:00:00:00:01\", as `ip link` shows it in the guest",
        );
        return None;
    };
    let parsed = parse(written.get_ref()).filter(|mac| mac.is_station());
    if parsed.is_none() {
        report.add(
            written.span(),
            key,
            format!(
                "\"{}\" is not the MAC of a single station",
                written.get_ref()
            ),
            "write six octets, as \"52:54:00:00:00:01\"",
        );
    }
    parsed
}

fn parse(text: &str) -> Option<Mac> {
    let mut octets = [0; 6];
    let mut parts = text.split(':');
    for octet in &mut octets {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *octet = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(Mac(octets))
}
