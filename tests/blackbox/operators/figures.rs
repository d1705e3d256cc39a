//! What operators are told: SMS, the audit trail, and what activating would bring about; and the one thing that is done there.

use super::{ANNA, OLGA, Office, do_it};
use crate::harness::stack::Plan;

const FAR_AHEAD: &str = "4102444800000";

impl Office {
    /// A number prefix that newcomers get no codes at.
    pub(super) fn close_a_prefix(&self) {
        self.stack.sql(&format!(
            "INSERT INTO sms_blocks (prefix, digits, blocked_at, counted_from, judged, entered)
             VALUES ('0123', '3247012', 1795512600250, {FAR_AHEAD}, 20, 1)"
        ));
    }
}

#[tokio::test]
async fn the_sms_page_tells_what_sms_stats_tells_and_an_admin_opens_a_prefix() {
    let office = Office::open();
    let hugo = office.signed_in(&office.hugo).await;
    let empty = hugo.open("/sms?hours=720").await.expect(200).reads();
    assert!(empty.contains("Closed number prefixes") && empty.contains("None."), "{empty}");
    office.stack.signed_in(&office.anna).await;
    office.close_a_prefix();

    let told = hugo.open("/sms").await.expect(200);
    let stats: serde_json::Value =
        serde_json::from_str(&office.stack.command(&["sms", "stats", "--json"], "").done()).unwrap();
    let of = &stats["providers"][0];
    for number in [
        format!("{} codes were sent", stats["sent"]),
        format!("{} % {} of {}", of["entered_percent"], of["entered"], of["judged"]),
        "+3247012".to_owned(),
        "1 of 20".to_owned(),
        "Everybody".to_owned(),
    ] {
        assert!(told.reads().contains(&number), "{number} is not on the page: {}", told.reads());
    }
    assert!(!told.text().contains("/sms/open-prefix"), "the helpdesk has no link");
    hugo.open("/sms/open-prefix?prefix=3247012").await.expect(403);

    let olga = office.signed_in(&office.olga).await;
    let path = "/sms/open-prefix?prefix=3247012";
    assert!(olga.open("/sms").await.text().contains(path));
    do_it(&olga, path, &[("reason", " ")]).await.expect(422);
    let done = do_it(&olga, path, &[("reason", "the new office")]).await.expect(303);
    assert!(olga.follow_from(done).await.expect(200).reads().contains("get codes again"));
    assert_eq!(office.audited("sms_unblocked", "operator:olga"), 1);
    assert_eq!(office.stack.count("audit WHERE reason = '+3247012: the new office'"), 1);
    do_it(&olga, path, &[("reason", "twice")]).await.expect(409);
    olga.open("/sms/open-prefix?prefix=32").await.expect(404);
    office.age(&olga, 600);
    assert_eq!(
        olga.open(path).await.expect(303).location().as_deref(),
        Some("/sign-in-again?return_to=%2Fsms%2Fopen-prefix%3Fprefix%3D3247012")
    );
}

#[tokio::test]
async fn an_admin_reads_the_whole_trail_page_by_page_and_the_helpdesk_one_account_of_it() {
    let office = Office::open();
    for _ in 0..26 {
        office.stack.command(&["user", "disable", "anna", "--reason", "drill"], "").done();
        office.stack.command(&["user", "enable", "anna", "--reason", "drill over"], "").done();
    }
    let olga = office.signed_in(&office.olga).await;
    let (mut path, mut seen) = ("/audit?account=anna&event=account_disabled".to_owned(), 0);
    assert_eq!(
        olga.open(&path).await.expect(200).text().matches("<span class=\"quiet below\">drill</span>").count(),
        26
    );
    path = "/audit?account=anna".to_owned();
    for pages in 1.. {
        let page = olga.open(&path).await.expect(200).text();
        seen += page.matches("<th scope=\"row\">").count();
        assert_eq!(page.contains(">Newest</a>"), pages > 1);
        let Some(older) = page.split("href=\"").find(|link| link.contains("rel=\"next\"")) else { break };
        path = older.split('"').next().unwrap().replace("&amp;", "&");
        assert!(path.starts_with("/audit?account=anna&after="), "{path}");
    }
    let all = office
        .stack
        .count("audit WHERE actor = 'user:anna' OR account = (SELECT id FROM accounts WHERE user_name = 'anna')");
    assert_eq!(i64::try_from(seen).unwrap(), all, "every record once");
    assert!(all > 50);
    assert!(olga.open("/audit?actor=operator:olga").await.expect(200).reads().contains("There are no such records"));
    assert!(olga.open("/audit?from=2026-13-01").await.expect(422).reads().contains("is no day"));
    assert!(olga.open("/audit?from=2000-01-01&to=2000-01-01").await.expect(200).reads().contains("no such records"));

    let hugo = office.signed_in(&office.hugo).await;
    let asked = hugo.open("/audit").await.expect(200);
    assert!(!asked.text().contains("<table"), "nobody's records yet");
    hugo.open("/audit?event=signed_in").await.expect(422);
    assert!(hugo.open("/audit?account=anna").await.expect(200).reads().contains("account disabled"));
    hugo.open("/audit?account=olga").await.expect(403);
    hugo.open("/audit?account=hugo").await.expect(403);
    assert!(hugo.open("/audit?account=nobody").await.expect(422).reads().contains("There is no account nobody"));
    assert!(hugo.open("/accounts/anna").await.text().contains("/audit?account=anna"));
    assert!(!hugo.open("/accounts/olga").await.text().contains("/audit?account"));
}

#[tokio::test]
async fn before_the_switch_the_page_says_who_would_be_locked_out() {
    let office = Office::of(Plan::new().set("two_factor.activation", "staged"));
    office.stack.add_account("bert", "");
    office.stack.add_account("carla", OLGA);
    let olga = office.signed_in(&office.olga).await;
    let page = olga.open("/two-factor").await.expect(200).reads();
    for told in [
        "1 of 5 accounts could not sign in.",
        "Without a number, and may not give one: 1",
        "bert",
        "Numbers that several accounts share: 1",
        "carla, olga",
        "SMS a day to expect",
    ] {
        assert!(page.contains(told), "{told} is not on the page: {page}");
    }
    office.stack.command(&["user", "set-phone", "bert", ANNA, "--reason", "a telephone for two"], "").done();
    let page = olga.open("/two-factor").await.expect(200).reads();
    assert!(page.contains("All 5 accounts can sign in."), "{page}");
    do_it(&olga, "/two-factor/activate", &[("reason", "decided")]).await.expect(303);
    let page = olga.open("/two-factor").await.expect(200).reads();
    assert!(!page.contains("If it were activated now"), "{page}");
}
