use super::{super::Level, *};

const UNICAST: Mac = vrrp::mac4(51);
const GROUP: Mac = Mac([0x33, 0x33, 0xff, 1, 0, 0x10]);

fn facts(mac: Mac, change: impl Fn(&mut Needed)) -> Facts {
    let mut needed = Needed {
        mac,
        listed: true,
        active: true,
        arrives: Some(true),
    };
    change(&mut needed);
    Facts {
        name: "eth0".to_owned(),
        prepared: true,
        macs: vec![needed],
        asked: Some(Asked {
            host: Ipv4Addr::new(192, 0, 2, 1),
            groups: true,
        }),
    }
}

fn level(facts: &Facts) -> Level {
    let verdicts = Filter::judge(facts);
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
    verdicts[0].level
}

#[test]
fn what_arrives_is_well() {
    assert_eq!(level(&facts(UNICAST, |_| ())), Level::Ok);
    let mut none = facts(UNICAST, |_| ());
    none.macs.clear();
    assert_eq!(level(&none), Level::Ok);
}

#[test]
fn what_does_not_is_judged_by_who_should_have_got_it() {
    let lost = |needed: &mut Needed| needed.arrives = Some(false);
    assert_eq!(level(&facts(UNICAST, lost)), Level::Failure);
    let elsewhere = |needed: &mut Needed| {
        needed.arrives = Some(false);
        needed.active = false;
    };
    assert_eq!(level(&facts(UNICAST, elsewhere)), Level::Warning);
    assert_eq!(
        level(&facts(GROUP, elsewhere)),
        Level::Failure,
        "everybody gets it"
    );
    let early = Facts {
        prepared: false,
        ..facts(UNICAST, lost)
    };
    assert_eq!(level(&early), Level::Warning);
}

#[test]
fn a_hole_in_the_list_is_told_once() {
    let unlisted = |needed: &mut Needed| {
        needed.listed = false;
        needed.arrives = Some(false);
    };
    let verdicts = Filter::judge(&facts(UNICAST, unlisted));
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0].level, Level::Failure);
    assert_eq!(
        verdicts[0].mend,
        "bridge fdb add 00:00:5e:00:01:33 dev eth0 self permanent"
    );
    let early = Facts {
        prepared: false,
        ..facts(UNICAST, |needed| needed.listed = false)
    };
    assert_eq!(level(&early), Level::Ok, "it arrives all the same");
}

#[test]
fn not_everybody_answers_to_groups() {
    let mut facts = facts(GROUP, |needed| needed.arrives = None);
    facts.asked = facts.asked.map(|asked| Asked {
        groups: false,
        ..asked
    });
    assert_eq!(level(&facts), Level::Warning);
    facts.macs[0].mac = UNICAST;
    facts.macs[0].arrives = Some(true);
    assert_eq!(level(&facts), Level::Ok);
}

#[test]
fn what_nobody_was_asked_to_send_is_not_known() {
    let unasked = Facts {
        asked: None,
        ..facts(GROUP, |needed| needed.arrives = None)
    };
    assert_eq!(level(&unasked), Level::Warning);
    assert!(
        Filter::judge(&unasked)[0]
            .mend
            .starts_with("tcpdump -pni eth0 ether dst 33:33:ff:01:00:10")
    );
}
