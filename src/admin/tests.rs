//! The operations over a directory in memory.

use std::sync::Arc;
use std::time::Duration;

use super::accounts::{AccountFilter, Newcomer, PasswordSource, PhoneFilter};
use super::activation::ExpectedSignIns;
use super::export::ExportSecrets;
use super::fake::{FakeDirectory, FakeHasher};
use super::import::{ImportMode, ImportOutcome, ImportReport};
use super::operations::{Act, Effect, EnrolmentPolicy, OperationError, Operations, Policy, Reason, Refusal, Rights};
use super::view::AccountView;
use crate::domain::account::AccountStatus;
use crate::domain::audit::AuditEvent;
use crate::domain::password::{Password, PasswordRules, Weakness};
use crate::domain::password_hash::{CostCap, HashProblem};
use crate::domain::phone::{Country, PhoneNumber};
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::ports::{PasswordVerdict, PasswordVerifier};
use crate::login::tickets::TicketPolicy;

const NOW: UnixMillis = UnixMillis(1_790_000_000_000);
const WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

struct Desk {
    operations: Operations,
    directory: Arc<FakeDirectory>,
    act: Act,
}

fn desk(enrolment: EnrolmentPolicy) -> Desk {
    let directory = Arc::new(FakeDirectory::default());
    let policy = Policy {
        countries: vec![Country::parse("BE").unwrap(), Country::parse("NL").unwrap()],
        unserved_countries: vec![Country::parse("NL").unwrap()],
        enrolment,
        accounts_per_number: 1,
        password_rules: PasswordRules::default(),
        cost_cap: CostCap::default(),
        site_names: vec!["marketing".to_owned(), "marketing.example.com".to_owned()],
        most_password_failures: 100,
        one_time_lifetime: 10 * WINDOW,
        operator_actions_per_hour: 60,
    };
    let operations = Operations::new(directory.clone(), directory.clone(), Arc::new(FakeHasher), policy);
    Desk {
        operations,
        directory,
        act: Act { actor: "cli:root".to_owned(), rights: Rights::Everything, source: None, request_id: None, now: NOW },
    }
}

fn self_registered() -> Desk {
    desk(EnrolmentPolicy::SelfRegistered { window: WINDOW, ticket: TicketPolicy::Off })
}

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn why() -> Reason {
    Reason::parse("ticket 12").unwrap()
}

fn newcomer(user_name: &str, phone: Option<&str>) -> Newcomer {
    Newcomer {
        user_name: name(user_name),
        name: None,
        email: None,
        phone: phone.map(str::to_owned),
        language: None,
        ticket: None,
    }
}

fn own(text: &str) -> PasswordSource {
    PasswordSource::Own(Password::typed(text).unwrap())
}

impl Desk {
    async fn add(&self, user_name: &str, phone: Option<&str>) -> Result<Option<Password>, OperationError> {
        self.operations.add(&self.act, newcomer(user_name, phone), own("zeventien fietsen"), None).await
    }

    async fn import(&self, csv: &str, mode: ImportMode) -> ImportOutcome {
        self.operations.import(&self.act, csv.as_bytes(), mode, None).await.unwrap()
    }

    async fn imported(&self, csv: &str) -> ImportReport {
        match self.import(csv, ImportMode::Apply).await {
            ImportOutcome::Done(report) => report,
            ImportOutcome::Refused(problems) => panic!("{problems:?}"),
        }
    }

    async fn names(&self, filter: AccountFilter) -> Vec<String> {
        let accounts = self.operations.list(&filter, NOW).await.unwrap();
        accounts.iter().map(|a| a.user_name.to_string()).collect()
    }
}

fn refusal<T>(result: Result<T, OperationError>) -> Option<Refusal> {
    match result {
        Err(OperationError::Refused(refusal)) => Some(refusal),
        Ok(_) | Err(OperationError::Unavailable(_)) => None,
    }
}

#[tokio::test]
async fn an_account_is_added_once_with_its_password_and_number() {
    let desk = self_registered();
    assert!(desk.add("ann", Some("+32 470 12 34 56")).await.unwrap().is_none());
    assert_eq!(refusal(desk.add("ann", None).await), Some(Refusal::NameTaken(name("ann"))));
    let account = desk.operations.account(&name("ann")).await.unwrap();
    assert_eq!(account.phone.unwrap().e164(), "+32470123456");
    assert_eq!(account.enrolment_until, None, "who has a number does not enrol");
    let audit = desk.directory.audit();
    assert_eq!((audit.len(), audit[0].event, audit[0].actor.as_str()), (1, AuditEvent::AccountAdded, "cli:root"));
}

#[tokio::test]
async fn enrolment_opens_with_a_new_account_only_where_users_enrol() {
    for (enrolment, until) in [
        (EnrolmentPolicy::SelfRegistered { window: WINDOW, ticket: TicketPolicy::Off }, Some(NOW.plus(WINDOW))),
        (EnrolmentPolicy::PreRegistered, None),
    ] {
        let desk = desk(enrolment);
        desk.add("ann", None).await.unwrap();
        assert_eq!(desk.operations.account(&name("ann")).await.unwrap().enrolment_until, until);
        let opened = desk.operations.open_enrolment(&desk.act, &name("ann"), None, None).await;
        assert_eq!(refusal(opened).is_some(), until.is_none());
    }
}

#[tokio::test]
async fn a_weak_password_and_a_landline_are_refused_with_the_reason() {
    let desk = self_registered();
    let added = desk.operations.add(&desk.act, newcomer("ann", None), own("marketing1"), None).await;
    assert_eq!(refusal(added), Some(Refusal::Password(Weakness::NamesUserOrSite)));
    assert!(matches!(refusal(desk.add("ann", Some("+32 2 555 12 12")).await), Some(Refusal::Phone(_))));
    assert!(desk.names(AccountFilter::default()).await.is_empty());
}

#[tokio::test]
async fn a_generated_password_is_given_back_once_and_works() {
    let desk = self_registered();
    desk.add("ann", None).await.unwrap();
    let (done, generated) =
        desk.operations.set_password(&desk.act, &name("ann"), PasswordSource::Generated, &why()).await.unwrap();
    assert!(matches!(done, Effect::Done(rows) if rows.len() == 1));
    let stored = desk.operations.account(&name("ann")).await.unwrap().password;
    let verdict = FakeHasher.verify(None, Some(&stored), &generated.unwrap()).await.unwrap();
    assert!(matches!(verdict, PasswordVerdict::Right { .. }));
}

#[tokio::test]
async fn replacing_a_number_needs_a_reason_and_setting_the_first_does_not() {
    let desk = self_registered();
    desk.add("ann", None).await.unwrap();
    let set = async |phone, why| desk.operations.set_phone(&desk.act, &name("ann"), phone, why).await;
    assert!(matches!(set("+32470123456", None).await, Ok(Effect::Done(_))));
    assert!(matches!(set("0032 470 12 34 56", None).await, Ok(Effect::Unchanged)));
    assert_eq!(refusal(set("+32470123457", None).await), Some(Refusal::ReasonMissing));
    assert!(matches!(set("+32470123457", Some(&why())).await, Ok(Effect::Done(_))));
    let opened = desk.operations.open_enrolment(&desk.act, &name("ann"), None, None).await;
    assert_eq!(refusal(opened), Some(Refusal::HasNumber));
    let cleared = desk.operations.clear_phone(&desk.act, &name("ann"), &why()).await;
    assert!(matches!(cleared, Ok(Effect::Done(_))));
    assert_eq!(desk.directory.audit().last().unwrap().reason.as_deref(), Some("ticket 12"));
}

#[tokio::test]
async fn what_is_done_to_nobody_says_so() {
    let desk = self_registered();
    let nobody = name("nobody");
    let missing = Some(Refusal::NoSuchAccount(nobody.clone()));
    assert_eq!(refusal(desk.operations.disable(&desk.act, &nobody, &why()).await), missing);
    assert_eq!(refusal(desk.operations.unlock(&desk.act, &nobody, None).await), missing);
    assert_eq!(refusal(desk.operations.sessions(Some(&nobody), NOW).await), missing);
}

#[tokio::test]
async fn a_list_is_filtered_by_what_operators_look_for() {
    let desk = self_registered();
    for (user, phone) in [("cleo", None), ("ann", Some("+32470123456")), ("bob", Some("+31612345678"))] {
        desk.add(user, phone).await.unwrap();
    }
    let _: Effect = desk.operations.disable(&desk.act, &name("bob"), &why()).await.unwrap();
    assert_eq!(desk.names(AccountFilter::default()).await, ["ann", "bob", "cleo"]);
    let phone = |phone| AccountFilter { phone: Some(phone), ..Default::default() };
    assert_eq!(desk.names(phone(PhoneFilter::Without)).await, ["cleo"]);
    assert_eq!(desk.names(phone(PhoneFilter::Enrolling)).await, ["cleo"]);
    assert_eq!(desk.names(phone(PhoneFilter::Of(Country::parse("NL").unwrap()))).await, ["bob"]);
    let disabled = AccountFilter { status: Some(AccountStatus::Disabled), ..Default::default() };
    assert_eq!(desk.names(disabled).await, ["bob"]);
    let matching = AccountFilter { matching: Some("LE".to_owned()), ..Default::default() };
    assert_eq!(desk.names(matching).await, ["cleo"]);
}

const PEOPLE: &str = "username;name;email;phone;language;password_hash\n\
    ann;Ann Smith;ann@acme.example;+32 470 12 34 56;nl;$2y$05$abcdefghijklmnopqrstuucIt5AlV2lPRHbSVNGRRcy/oatNcgHK.\n\
    Bob;;;;;\n";

#[tokio::test]
async fn importing_twice_changes_nothing() {
    let desk = self_registered();
    let first = desk.imported(PEOPLE).await;
    assert_eq!(first.added, [name("ann"), name("bob")]);
    assert_eq!(first.generated.len(), 1, "only who brings no hash gets a password");
    assert_eq!(first.generated[0].0, name("bob"));
    let audit = desk.directory.audit();
    assert_eq!(audit[0].reason.as_deref(), Some("import with an existing bcrypt hash"));
    let second = desk.imported(PEOPLE).await;
    assert_eq!((second.added.len(), second.changed.len(), second.unchanged), (0, 0, 2));
    assert!(second.generated.is_empty() && second.kept.is_empty());
    assert_eq!(desk.directory.audit().len(), audit.len());
}

#[tokio::test]
async fn a_long_list_finds_all_that_is_there_and_adds_the_rest() {
    let desk = self_registered();
    let hash = "$2y$05$abcdefghijklmnopqrstuucIt5AlV2lPRHbSVNGRRcy/oatNcgHK.";
    let list =
        |count: u32| (0..count).fold("username,password_hash\n".to_owned(), |l, n| l + &format!("u{n},{hash}\n"));
    for (lines, added) in [(3, 3), (1200, 1197), (1201, 1)] {
        let report = desk.imported(&list(lines)).await;
        assert_eq!((report.added.len() as u32, report.unchanged as u32), (added, lines - added));
    }
}

#[tokio::test]
async fn an_import_fills_in_and_never_replaces_a_number_or_a_password() {
    let desk = self_registered();
    desk.add("ann", None).await.unwrap();
    desk.add("bob", None).await.unwrap();
    let enrolled = PhoneNumber::from_stored("+32470999999").unwrap();
    desk.directory.enrol(&name("bob"), enrolled.clone());
    let before = desk.operations.account(&name("ann")).await.unwrap().password;
    let report = desk.imported(&format!("{PEOPLE}bob;;;+32470123456;;\n").replace("Bob;;;;;\n", "")).await;
    assert_eq!(report.changed, [name("ann")]);
    let ann = desk.operations.account(&name("ann")).await.unwrap();
    assert_eq!((ann.name.as_deref(), ann.phone.unwrap().e164()), (Some("Ann Smith"), "+32470123456"));
    assert_eq!(ann.password, before);
    assert_eq!(desk.operations.account(&name("bob")).await.unwrap().phone, Some(enrolled));
    assert_eq!(report.kept.len(), 1);
    assert!(report.kept[0].to_string().starts_with("line 3, phone: "), "{}", report.kept[0]);
}

#[tokio::test]
async fn one_bad_cell_stops_all_and_every_bad_cell_is_named() {
    let desk = self_registered();
    let csv = "username,phone,email,language,password_hash\n\
        ann,3.247E+10,ann,xx,hunter2-secret\n\
        ,+32470123456,,,\n\
        bob,+32470123456,,,\n\
        bob,,,,\n\
        mıke,+43 664 1234567,,,5f4dcc3b5aa765d61d8327deb882cf99\n";
    let ImportOutcome::Refused(problems) = desk.import(csv, ImportMode::Apply).await else {
        panic!("refused");
    };
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for (at, start) in [
        "line 2, email: ",
        "line 2, phone: a spreadsheet has mangled",
        "line 2, language: ",
        "line 2, password_hash: ",
        "line 3, username: is empty",
        "line 5, username: is on line 4 already",
        "line 6, username: the user name contains \"ı\" (U+0131)",
        "line 6, phone: numbers of AT are not allowed",
        "line 6, password_hash: ",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(told[at].starts_with(start), "{start} is not {}", told[at]);
    }
    assert_eq!(told.len(), 9, "{told:#?}");
    assert!(!told.concat().contains("hunter2"), "a cell may be a password");
    assert!(desk.names(AccountFilter::default()).await.is_empty());
    assert!(
        told[8]
            .contains(&HashProblem::Weak { form: "a plain digest (MD5, SHA-1 or SHA-2 in hexadecimal)" }.to_string())
    );
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_does_nothing() {
    let desk = self_registered();
    let ImportOutcome::Done(report) = desk.import(PEOPLE, ImportMode::DryRun).await else {
        panic!("in order");
    };
    assert_eq!(report.added.len(), 2);
    assert!(report.generated.is_empty());
    assert!(desk.names(AccountFilter::default()).await.is_empty());
}

#[tokio::test]
async fn an_export_with_secrets_is_an_import_elsewhere() {
    let here = self_registered();
    let _ = here.imported(PEOPLE).await;
    let csv = here.operations.export(ExportSecrets::With, NOW).await.unwrap();
    let there = self_registered();
    let report = there.imported(&csv).await;
    let generated: Vec<&str> = report.generated.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(generated, ["bob"], "a one-time password is not moved: another one is made");
    assert_eq!(there.operations.export(ExportSecrets::With, NOW).await.unwrap(), csv);
    let without = here.operations.export(ExportSecrets::Without, NOW).await.unwrap();
    assert!(!without.contains("470") && !without.contains('$'), "{without}");
}

#[tokio::test]
async fn a_view_shows_no_number_and_no_hash() {
    let desk = self_registered();
    let _ = desk.imported(PEOPLE).await;
    let account = desk.operations.account(&name("ann")).await.unwrap();
    let shown = serde_json::to_string(&AccountView::of(&account, desk.operations.policy(), NOW)).unwrap();
    assert!(shown.contains("+32 … 56") && shown.contains("bcrypt"), "{shown}");
    assert!(!shown.contains("470") && !shown.contains("$2y$"), "{shown}");
}

#[tokio::test]
async fn activation_happens_once_and_opens_enrolment_for_those_without_a_number() {
    let desk = self_registered();
    desk.add("ann", None).await.unwrap();
    let later = Act { now: NOW.plus(Duration::from_secs(60)), ..desk.act.clone() };
    let first = desk.operations.activate_two_factor(&desk.act, &why()).await.unwrap();
    let second = desk.operations.activate_two_factor(&later, &why()).await.unwrap();
    assert!(first.by_this_call && !second.by_this_call && second.at == NOW);
    assert_eq!(desk.operations.two_factor_status(NOW).await.unwrap().activated_at, Some(NOW));
}

#[tokio::test]
async fn an_import_says_which_numbers_several_accounts_have_then() {
    let desk = self_registered();
    desk.add("anna", Some("+32470123456")).await.unwrap();
    let csv = "username,phone\nbert,+32470123456\ncarla,+32470123457\ndora,+32470123457\nemma,+32470123458\n";
    let ImportOutcome::Done(tried) = desk.import(csv, ImportMode::DryRun).await else { panic!("it can be done") };
    let lines: Vec<u64> = tried.shared.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 4], "{:?}", tried.shared);
    let report = desk.imported(csv).await;
    assert_eq!((report.added.len(), report.shared.len()), (4, 2));
    assert!(report.shared[0].problem.contains("the number of 2 accounts"), "{:?}", report.shared);
    assert_eq!(desk.operations.number_beyond_limit(&name("dora")).await.unwrap(), Some(2));
    assert_eq!(desk.operations.number_beyond_limit(&name("emma")).await.unwrap(), None);
    assert!(desk.imported(csv).await.shared.is_empty(), "nothing new the second time");
}

#[tokio::test]
async fn a_rehearsal_says_who_would_be_locked_out() {
    for (enrolment, locked_out) in [
        (EnrolmentPolicy::PreRegistered, vec!["carla", "bert", "dora"]),
        (EnrolmentPolicy::SelfRegistered { window: WINDOW, ticket: TicketPolicy::Off }, vec!["bert", "dora"]),
    ] {
        let desk = desk(enrolment);
        desk.add("anna", Some("+32470123456")).await.unwrap();
        desk.add("bert", None).await.unwrap();
        desk.add("carla", None).await.unwrap();
        desk.add("dora", Some("+31612345678")).await.unwrap();
        desk.add("emma", Some("+32470123456")).await.unwrap();
        desk.add("finn", None).await.unwrap();
        desk.operations.disable(&desk.act, &name("finn"), &why()).await.map(drop).unwrap();
        // a number from before the country left the list
        desk.directory.enrol(&name("bert"), PhoneNumber::from_stored("+447400123456").unwrap());
        let rehearsal = desk.operations.rehearse_two_factor(NOW).await.unwrap();
        assert_eq!(rehearsal.active_accounts, 5);
        let names = rehearsal.locked_out().map(UserName::as_str).collect::<Vec<_>>();
        assert_eq!(names, locked_out, "{enrolment:?}");
        let faults: Vec<_> = rehearsal.bad_numbers.iter().map(|bad| bad.why.to_string()).collect();
        assert_eq!(
            faults,
            ["numbers of GB are not allowed here (sms.countries)", "no provider of sms.providers serves NL"]
        );
        assert_eq!(rehearsal.shared_numbers, [[name("anna"), name("emma")]]);
        assert_eq!(rehearsal.without_number.len(), 1);
        // once it is active, nothing opens a window again
        desk.operations.activate_two_factor(&desk.act, &why()).await.unwrap();
        let later = desk.operations.rehearse_two_factor(NOW.plus(2 * WINDOW)).await.unwrap();
        assert_eq!(later.locked_out().map(UserName::as_str).collect::<Vec<_>>(), ["carla", "bert", "dora"]);
    }
}

#[test]
fn sms_are_expected_by_the_days_that_were_recorded() {
    let hours = |hours: u64| NOW.minus(Duration::from_secs(hours * 3600));
    let expected = |first_at| ExpectedSignIns { last_7_days: 70, last_30_days: 90, first_at: Some(first_at), now: NOW };
    let a_day = |expected: ExpectedSignIns| (expected.a_day_by_last_7(), expected.a_day_by_last_30());
    assert_eq!(a_day(expected(hours(1))), (70, 90));
    assert_eq!(a_day(expected(hours(40))), (35, 45));
    assert_eq!(a_day(expected(hours(29 * 24 + 1))), (10, 3));
}
