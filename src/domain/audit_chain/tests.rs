//! A chain that is changed in every way that is possible without the key, and what is told of it. Floor: ground.

use super::*;
use crate::domain::audit::Link;
use crate::domain::secret::SecretBytes;

fn keys(seeds: &[u8]) -> Keys {
    Keys::new(&seeds.iter().map(|seed| SecretBytes::new(vec![*seed; 32])).collect::<Vec<_>>()).unwrap()
}

fn bare(row: i64, reason: &str) -> AuditLine {
    AuditLine {
        id: row,
        at: UnixMillis(1_800_000_000_000 + row),
        event: "account_disabled".to_owned(),
        account: Some("00ff".to_owned()),
        user_name: Some("anna".to_owned()),
        actor: "cli:root".to_owned(),
        site: None,
        source: None,
        reason: Some(reason.to_owned()),
        request_id: None,
        link: None,
    }
}

/// A row 60 with everything that can be made without the key.
fn forged_after(head: &ChainHead) -> AuditLine {
    let line = bare(60, "");
    let link = link(&keys(&[9]), head, &line);
    AuditLine { link: Some(Link { key_id: keys(&[1]).first_key_id(), ..link }), ..line }
}

/// Links the lines after `head`, as rows 10, 20, 30 and so on.
fn chain(keys: &Keys, mut head: ChainHead, count: i64) -> (Vec<AuditLine>, ChainHead) {
    let mut lines = Vec::new();
    for _ in 0..count {
        let number = head.number + 1;
        let mut line = bare(number * 10, &format!("reason {number}"));
        let link = link(keys, &head, &line);
        head = ChainHead { number, hash: link.hash.clone() };
        line.link = Some(link);
        lines.push(line);
    }
    (lines, head)
}

fn check(keys: &Keys, lines: &[AuditLine], head: &ChainHead, known: Option<&str>) -> ChainReport {
    let known = known.map(|text| KnownHead::parse(text).unwrap());
    let mut check = ChainCheck::begin(keys, &Checkpoint::default(), known.as_ref());
    lines.iter().for_each(|line| check.line(line));
    check.end(head)
}

fn faults(lines: &[AuditLine], head: &ChainHead) -> Vec<Fault> {
    check(&keys(&[1]), lines, head, None).faults
}

#[test]
fn what_was_written_is_sound() {
    let (lines, head) = chain(&keys(&[1]), ChainHead::default(), 5);
    let report = check(&keys(&[1]), &lines, &head, None);
    assert!(report.is_sound());
    assert_eq!((report.links, &report.head, report.begins_after), (5, &head, 0));
    assert!(check(&keys(&[1]), &[], &ChainHead::default(), None).is_sound());
}

#[test]
fn every_field_that_is_changed_is_seen_at_its_row() {
    let (lines, head) = chain(&keys(&[1]), ChainHead::default(), 3);
    let changes: [fn(&mut AuditLine); 12] = [
        |line| line.at.0 += 1,
        |line| line.event = "account_enabled".to_owned(),
        |line| line.account = None,
        |line| line.account = Some("00fe".to_owned()),
        |line| line.user_name = Some("bert".to_owned()),
        |line| line.actor = "cli:ann".to_owned(),
        |line| line.site = Some(String::new()),
        |line| line.source = Some("127.0.0.1".to_owned()),
        |line| line.reason = None,
        |line| line.request_id = Some("0123456789abcdef".to_owned()),
        // text moved from one field to the next
        |line| (line.user_name, line.account) = (Some("ffanna".to_owned()), Some("00".to_owned())),
        |line| (line.site, line.source) = (line.source.take(), Some(String::new())),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut lines = lines.clone();
        change(&mut lines[1]);
        assert_eq!(faults(&lines, &head), [Fault::Changed { row: 20, number: 2 }], "change {index}");
    }
}

#[test]
fn rows_that_are_missing_exchanged_or_added_are_named() {
    let (lines, head) = chain(&keys(&[1]), ChainHead::default(), 5);
    let mut without = lines.clone();
    without.drain(1..3);
    assert_eq!(faults(&without, &head), [Fault::Missing { first: 2, last: 3, before_row: 40 }]);
    assert_eq!(faults(&lines[..3], &head), [Fault::EndCutOff { first: 4, last: 5 }]);
    assert_eq!(faults(&lines[1..], &head), [Fault::Missing { first: 1, last: 1, before_row: 20 }]);

    let mut exchanged = lines.clone();
    (exchanged[1].id, exchanged[2].id) = (30, 20);
    assert_eq!(faults(&exchanged, &head), [Fault::OutOfPlace { row: 20, number: 3 }]);
    let mut texts = lines.clone();
    (texts[1].reason, texts[2].reason) = (lines[2].reason.clone(), lines[1].reason.clone());
    assert_eq!(faults(&texts, &head), [2, 3].map(|number| Fault::Changed { row: number * 10, number }));

    let mut forged = lines.clone();
    forged.push(forged_after(&head));
    let found = faults(&forged, &head);
    assert_eq!(found[0], Fault::Changed { row: 60, number: 6 });
    assert!(matches!(found[1], Fault::HeadChanged { .. }), "{found:?}");
    let twice = [lines.clone(), vec![lines[4].clone()]].concat();
    assert_eq!(faults(&twice, &head), [Fault::Twice { row: 50, number: 5 }]);
    let outside = [lines.clone(), vec![bare(55, "")]].concat();
    assert_eq!(faults(&outside, &head), [Fault::Outside { row: 55, event: "account_disabled".to_owned() }]);
}

#[test]
fn a_cut_end_with_its_head_shows_only_to_who_knows_a_later_head() {
    let (lines, head) = chain(&keys(&[1]), ChainHead::default(), 5);
    let cut = ChainHead { number: 3, hash: lines[2].link.as_ref().unwrap().hash.clone() };
    assert!(check(&keys(&[1]), &lines[..3], &cut, None).is_sound());
    let report = check(&keys(&[1]), &lines[..3], &cut, Some(&head.to_string()));
    assert_eq!(report.faults, [Fault::OlderThanKnown { known: 5, last: 3 }]);
    let sound = check(&keys(&[1]), &lines, &head, Some(&cut.to_string()));
    assert_eq!((sound.known, sound.is_sound()), (Some(KnownOutcome::Found), true));
    let other = check(&keys(&[1]), &lines, &head, Some("3:00112233445566778899"));
    assert_eq!(other.faults, [Fault::NotAsKnown { number: 3 }]);
}

#[test]
fn a_link_under_the_present_key_proves_those_before_it_also_when_their_key_is_gone() {
    let (old, head) = chain(&keys(&[1]), ChainHead::default(), 2);
    let unproven = Fault::Unproven { number: 1, key_id: keys(&[1]).first_key_id() };
    assert_eq!(check(&keys(&[2]), &old, &head, None).faults, std::slice::from_ref(&unproven));
    let (more, head) = chain(&keys(&[2, 1]), head, 2);
    let lines = [old, more].concat();
    assert!(check(&keys(&[2, 1]), &lines, &head, None).is_sound());
    assert!(check(&keys(&[2]), &lines, &head, None).is_sound());
    // who changes a link of the old key and every hash after it cannot key them anew
    let (mut forged, mut last) = (lines.clone(), ChainHead::default());
    forged[0].reason = None;
    for line in &mut forged {
        let made = link(&keys(&[9]), &last, line);
        last = ChainHead { number: made.number, hash: made.hash.clone() };
        line.link = line.link.clone().map(|kept| Link { hash: made.hash, ..kept });
    }
    let found = check(&keys(&[2]), &forged, &last, None).faults;
    assert_eq!(
        found,
        [3, 4]
            .map(|number| Fault::Changed { row: number * 10, number })
            .into_iter()
            .chain([unproven])
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_checkpoint_is_where_a_chain_begins_and_nobody_else_can_make_one() {
    let keys = keys(&[1]);
    let (lines, head) = chain(&keys, ChainHead::default(), 5);
    let gone = ChainHead { number: 3, hash: lines[2].link.as_ref().unwrap().hash.clone() };
    let checkpoint = Checkpoint::seal(&keys, gone, UnixMillis(7));
    let run = |checkpoint: &Checkpoint, known: Option<&KnownHead>| {
        let mut check = ChainCheck::begin(&keys, checkpoint, known);
        lines[3..].iter().for_each(|line| check.line(line));
        check.end(&head)
    };
    let report = run(&checkpoint, None);
    assert_eq!((report.begins_after, report.tidied_at, report.is_sound()), (3, Some(UnixMillis(7)), true));
    let known = KnownHead::parse("2:00112233445566778899").unwrap();
    assert_eq!(run(&checkpoint, Some(&known)).known, Some(KnownOutcome::TakenAway));
    for forged in
        [Checkpoint { at: UnixMillis(8), ..checkpoint.clone() }, Checkpoint { seal: vec![0; 32], ..checkpoint.clone() }]
    {
        assert_eq!(run(&forged, None).faults, [Fault::CheckpointChanged { number: 3 }], "{forged:?}");
    }
    let of_a_key_that_is_gone = Checkpoint { key_id: "00000000".to_owned(), ..checkpoint.clone() };
    assert!(run(&of_a_key_that_is_gone, None).is_sound(), "the links after it prove it");
    let empty = run(&Checkpoint::default(), None);
    assert_eq!(empty.faults, [Fault::Missing { first: 1, last: 3, before_row: 40 }]);
}

#[test]
fn a_known_head_is_a_number_and_sixteen_digits() {
    for wrong in
        ["", "5", "5:", "5:00", "0:0011223344556677", "-1:0011223344556677", "x:0011223344556677", "5:zz11223344556677"]
    {
        assert_eq!(KnownHead::parse(wrong), None, "{wrong}");
    }
    assert!(KnownHead::parse(" 5:0011223344556677\n").is_some());
}
