//! The program dies (`kill -9`) behind every single effect of a sign-in, and a new one takes over: nobody is in by what was left
//! behind, nothing that was committed is lost, and the person can start again.

use crate::harness::children::wait_for;
use crate::harness::person::{Answer, Person};
use crate::harness::sms_vendor::Behaviour;
use crate::harness::stack::{Account, Plan, Stack};
use crate::harness::steps::{LOGIN, RESEND, not_this};
use futures_util::future::join_all;
use serde_json::json;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use vestibule::login::fail_point;

/// What a person does until the program dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    RightPassword,
    WrongPassword,
    /// More sign-ins at once than the program takes.
    Crowd,
    /// Before activation.
    PasswordAlone,
    /// A session from before activation is asked for its code.
    StepUp,
    GivesNumber,
    /// Everybody's messages of this minute are used up.
    NoMessagesLeft,
    VendorRefuses,
    RightCode,
    /// With a one-time password.
    RightCodeOneTime,
    WrongCode,
    SignOut,
}

/// Each fail-point with the way that leads there, and what SQL holds behind it.
fn journey(fail_point: &str) -> (Way, Kept) {
    let none = Kept::default();
    let sent = Kept { sends: "accepted", ..none };
    let tried = Kept { attempts: "charged", ..sent };
    let opened = Kept { attempts: "right", sessions: "open", ..sent };
    match fail_point {
        "network.failure_charged" | "network.failure_taken_back" => (Way::RightPassword, none),
        "password.failure_charged" => (Way::RightPassword, Kept { password_failures: "1", ..none }),
        "password.accepted" | "password.login_put" => (Way::RightPassword, none),
        "network.login_charged" | "send.code_chosen" => (Way::RightPassword, none),
        "send.charged" | "send.handed_over" | "send.answer_noted" => {
            (Way::RightPassword, Kept { sends: "charged", ..none })
        }
        "send.failure_noted" => (Way::VendorRefuses, Kept { sends: "charged", ..none }),
        "send.settled" => (Way::RightPassword, sent),
        "password.refusal_recorded" => (Way::WrongPassword, Kept { password_failures: "1", ..none }),
        "password.failure_taken_back" => (Way::Crowd, none),
        "password.session_opened" => (Way::PasswordAlone, Kept { sessions: "open", ..none }),
        "step_up.login_put" => (Way::StepUp, Kept { sessions: "open", ..none }),
        "phone.number_put" => (Way::GivesNumber, none),
        "send.refusal_recorded" => (Way::NoMessagesLeft, sent),
        "send.taken_back" => (Way::VendorRefuses, Kept { sends: "not_sent", ..none }),
        "code.attempt_spent" => (Way::RightCode, sent),
        "code.attempt_charged" => (Way::RightCode, tried),
        "code.password_owed" => (Way::RightCodeOneTime, tried),
        "code.session_opened" | "code.login_finished" | "network.login_taken_back" => (Way::RightCode, opened),
        "code.refusal_recorded" => (Way::WrongCode, tried),
        "sign_out.session_ended" => (Way::SignOut, Kept { sessions: "ended", ..opened }),
        other => panic!("no way leads to the fail-point {other}: add one"),
    }
}

/// What SQL must hold of the person after the crash; empty: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kept {
    password_failures: &'static str,
    attempts: &'static str,
    sends: &'static str,
    sessions: &'static str,
}

#[test]
fn behind_every_effect_the_program_may_die() {
    let next = AtomicUsize::new(0);
    // of the account page: `account`; of tickets: below; of notices: `notices`
    let is_here = |name: &&str| !["account.", "ticket.", "notice."].iter().any(|of| name.starts_with(of));
    let names: Vec<&str> = fail_point::ALL.iter().copied().filter(is_here).collect();
    let take = || names.get(next.fetch_add(1, Ordering::Relaxed)).copied();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    let mut failed = Vec::new();
                    while let Some(name) = take() {
                        let run = std::panic::AssertUnwindSafe(|| runtime.block_on(dies_and_comes_back(name)));
                        if std::panic::catch_unwind(run).is_err() {
                            failed.push(name);
                        }
                    }
                    failed
                })
            })
            .collect();
        let failed: Vec<&str> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        assert!(failed.is_empty(), "it went wrong at {failed:?}: see above");
    });
}

#[tokio::test]
async fn a_number_is_kept_exactly_when_its_session_was_committed() {
    for (name, kept) in [("code.attempt_charged", false), ("code.session_opened", true)] {
        let mut stack = armed(Plan::new().set("two_factor.phone_numbers", "self_registered"), name).start();
        let anna = stack.add_account("anna", "");
        let person = stack.person();
        let page = person.give_password("/inside", &anna).await.expect(200);
        let answer = person.give_number(&page, NUMBER).await.expect(303);
        let page = person.follow_from(answer).await.expect(200);
        let code = stack.vendor.newest_code(NUMBER);
        let _lost = person.try_submit(&page.form_with("code"), &page.asked, &[("code", &code)]).await;
        take_over(&mut stack, name);
        let person = person.copy();
        assert!(!person.is_in().await, "{name}");
        assert_eq!(stack.count("accounts WHERE phone IS NOT NULL"), i64::from(kept), "{name}");
        assert_eq!(stack.sessions_opened(), i64::from(kept), "{name}");
        let known = Account { phone: NUMBER.to_owned(), ..anna };
        if kept {
            person.give_code(&page, &code).await.expect(410);
            stack.signed_in(&known).await;
        } else {
            person.give_code(&page, &code).await.expect(303);
            assert!(person.is_in().await);
        }
    }
}

#[tokio::test]
async fn behind_every_effect_of_a_ticket_the_program_may_die() {
    for name in fail_point::ALL.iter().copied().filter(|name| name.starts_with("ticket.")) {
        let plan = Plan::new().set("two_factor.phone_numbers", "self_registered");
        let mut stack = armed(plan.set("two_factor.enrolment.ticket", "required"), name).start();
        let anna = stack.add_account("anna", "");
        let opened = stack.command(&["user", "open-enrolment", "anna", "--json"], "").done();
        let told: serde_json::Value = serde_json::from_str(&opened).unwrap();
        let right = told["ticket"].as_str().unwrap();
        let typed = if name == "ticket.refusal_recorded" { "aaaa-aaaa-aaaa-aaaa-aaaa" } else { right };
        let person = stack.person();
        let page = person.give_password("/inside", &anna).await.expect(200);
        let fields = [("phone", NUMBER), ("ticket", typed)];
        let _lost = person.try_submit(&page.form_with("phone"), &page.asked, &fields).await;
        take_over(&mut stack, name);
        let person = person.copy();
        assert!(!person.is_in().await, "{name}");
        assert_eq!(stack.sql("SELECT tries FROM enrolment_tickets").trim(), "1", "{name}: paid for, and not used up");
        let fields = [("phone", NUMBER), ("ticket", right)];
        let answer = person.submit(&page.form_with("phone"), &page.asked, &fields).await.expect(303);
        let page = person.follow_from(answer).await.expect(200);
        person.give_code(&page, &stack.vendor.newest_code(NUMBER)).await.expect(303);
        assert!(person.is_in().await, "{name}");
        assert_eq!(stack.count("enrolment_tickets"), 0, "{name}");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_cancels_nothing_between_two_effects() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", NUMBER);
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let form = page.form_with("code");
    let token = &form.fields.iter().find(|(name, _)| name == "csrf").unwrap().1;
    let body = format!("csrf={token}&code={code}");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nOrigin: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n",
        form.action,
        person.host(),
        person.cookie_header(&form.action).unwrap(),
        person.site(),
        body.len(),
    );
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", person.port())).unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    drop(stream);
    // It goes on to its end all the same: the code is used, the session written down, the pending login gone.
    stack.wait_for_sql("SELECT outcome FROM code_attempts", "right");
    wait_for("the pending login to go", || {
        let keys = stack.redis.as_ref().unwrap().keys();
        (!keys.iter().any(|key| key.starts_with("vestibule:login:"))).then_some(())
    });
    assert!(!person.is_in().await);
    person.give_code(&page, &code).await.expect(410);
    assert_eq!(stack.sessions_opened(), 1);
    stack.signed_in(&anna).await;
}

const NUMBER: &str = "+32470123456";

async fn dies_and_comes_back(name: &'static str) {
    let (way, kept) = journey(name);
    let mut stack = armed(plan(way), name).start();
    let anna = match way {
        Way::RightCodeOneTime => stack.add_account_with_one_time_password("anna", NUMBER),
        Way::GivesNumber => stack.add_account("anna", ""),
        _ => stack.add_account("anna", NUMBER),
    };
    let (person, page_and_code) = walk(&mut stack, way, &anna).await;
    take_over(&mut stack, name);
    // The same cookies over a new connection.
    let person = person.copy();
    assert!(!person.is_in().await, "{name}: somebody is in by what was left behind");
    if way != Way::Crowd {
        let found = [
            ("password failures", "SELECT failures FROM password_failures", kept.password_failures),
            ("attempts", "SELECT outcome FROM code_attempts", kept.attempts),
            ("sends", "SELECT outcome FROM sms_sends", kept.sends),
            ("sessions", "SELECT CASE WHEN ended_at IS NULL THEN 'open' ELSE 'ended' END FROM sessions", kept.sessions),
        ];
        for (what, statement, wanted) in found {
            assert_eq!(stack.sql(statement).trim(), wanted, "{name}: {what}");
        }
    }
    assert_eq!(stack.count("accounts WHERE phone IS NULL"), i64::from(way == Way::GivesNumber), "{name}");

    // With the code that is at hand: once, and not when it has opened its session already.
    if let Some((page, code)) = page_and_code {
        let status = person.give_code(&page, &code).await.status;
        let is_used = kept.sessions == "open";
        assert_eq!(status, if is_used { 410 } else { 303 }, "{name}");
        assert_eq!(stack.sessions_opened(), 1, "{name}");
        assert_eq!(person.is_in().await, !is_used, "{name}");
    }
    // And from the start.
    start_again(&stack, way, &anna).await;
}

fn plan(way: Way) -> Plan {
    match way {
        Way::PasswordAlone | Way::StepUp => Plan::new().set("two_factor.activation", "staged"),
        Way::GivesNumber => Plan::new().set("two_factor.phone_numbers", "self_registered"),
        Way::NoMessagesLeft => Plan::new().set("limits.sms.total_minute", 1),
        Way::Crowd => Plan::new()
            .set("passwords", json!({ "threads": 1, "queue": 1, "queue_wait": "1s" }))
            .set("limits.network.failures_minute", 10_000),
        Way::RightPassword
        | Way::WrongPassword
        | Way::VendorRefuses
        | Way::RightCode
        | Way::RightCodeOneTime
        | Way::WrongCode
        | Way::SignOut => Plan::new(),
    }
}

fn armed(plan: Plan, fail_point: &str) -> Plan {
    plan.environment("VESTIBULE_FAILPOINT", fail_point)
}

/// Goes the way; the last step gets no answer, because the program dies in it. Gives back the page that asks for the code, and the
/// code, when the way led there.
async fn walk(stack: &mut Stack, way: Way, anna: &Account) -> (Person, Option<(Answer, String)>) {
    let person = stack.person();
    match way {
        Way::RightPassword => type_password(&person, &anna.name, &anna.password).await,
        Way::WrongPassword => type_password(&person, &anna.name, "not-the-password").await,
        Way::PasswordAlone => type_password(&person, &anna.name, &anna.password).await,
        Way::Crowd => {
            let page = person.follow("/inside").await.expect(200);
            let form = page.form_with("password");
            let names: Vec<String> = (0..30).map(|number| format!("guess{number}")).collect();
            let typed: Vec<_> =
                names.iter().map(|name| [("username", name.as_str()), ("password", "made-up")]).collect();
            let _lost = join_all(typed.iter().map(|typed| person.try_submit(&form, &page.asked, typed))).await;
        }
        Way::StepUp => {
            person.give_password("/inside", anna).await.expect(200);
            stack.command(&["two-factor", "activate", "--reason", "going live"], "").done();
            person.open_until("/inside", |page| page.status == 303).await;
            let page = person.follow("/inside").await.expect(200);
            let _lost = person.try_submit(&page.form_to(RESEND), &page.asked, &[]).await;
        }
        Way::GivesNumber => {
            let page = person.give_password("/inside", anna).await.expect(200);
            let _lost = person.try_submit(&page.form_with("phone"), &page.asked, &[("phone", NUMBER)]).await;
        }
        Way::NoMessagesLeft => {
            let (first, page, code) = stack.owing_a_code(anna).await;
            assert!(!first.is_in().await);
            type_password(&person, &anna.name, &anna.password).await;
            return (first, Some((page, code)));
        }
        Way::VendorRefuses => {
            stack.vendor.behave(Behaviour { status: Some(500), ..Behaviour::default() });
            type_password(&person, &anna.name, &anna.password).await;
            stack.vendor.behave(Behaviour::default());
        }
        Way::RightCodeOneTime => {
            let (person, page, code) = stack.owing_a_code(anna).await;
            let _lost = person.try_submit(&page.form_with("code"), &page.asked, &[("code", &code)]).await;
            return (person, None);
        }
        Way::RightCode | Way::WrongCode => {
            let (person, page, code) = stack.owing_a_code(anna).await;
            let typed = if way == Way::RightCode { code.clone() } else { not_this(&code, 1) };
            let _lost = person.try_submit(&page.form_with("code"), &page.asked, &[("code", &typed)]).await;
            return (person, Some((page, code)));
        }
        Way::SignOut => {
            let person = stack.signed_in(anna).await;
            let page = person.open("/.vestibule/logout").await.expect(200);
            let _lost = person.try_submit(&page.form_to("/.vestibule/logout"), &page.asked, &[]).await;
            return (person, None);
        }
    }
    (person, None)
}

async fn type_password(person: &Person, name: &str, password: &str) {
    let page = person.open(LOGIN).await.expect(200);
    let typed = [("username", name), ("password", password)];
    let _lost = person.try_submit(&page.form_with("password"), &page.asked, &typed).await;
}

/// The program has died at the fail-point, and another one serves in its place.
fn take_over(stack: &mut Stack, name: &str) {
    stack.node().process().wait();
    assert!(stack.node().process().was_killed(), "{name}: it ended otherwise");
    assert!(stack.nodes[0].log().contains("this process dies at a fail-point"), "{name}");
    stack.settings.set("limits.sms.total_minute", 60).set("passwords", json!({ "queue_wait": "30s" }));
    if !stack.sql("SELECT value FROM installation WHERE key = 'two_factor_activated_at'").is_empty() {
        stack.settings.set("two_factor.activation", "active");
    }
    stack.rewrite_config(0);
    stack.node().start_again(&[]);
}

async fn start_again(stack: &Stack, way: Way, anna: &Account) {
    match way {
        Way::PasswordAlone => {
            let person = stack.person();
            person.give_password("/inside", anna).await.expect(200);
            assert!(person.is_in().await);
        }
        Way::RightCodeOneTime => {
            let (person, page, code) = stack.owing_a_code(anna).await;
            let answer = person.give_code(&page, &code).await.expect(303);
            let page = person.follow_from(answer).await.expect(200);
            person.choose_password(&page, "zeventien fietsen in de regen").await.expect(303);
            assert!(person.is_in().await);
        }
        Way::GivesNumber => {
            let person = stack.person();
            let page = person.give_password("/inside", anna).await.expect(200);
            let answer = person.give_number(&page, NUMBER).await.expect(303);
            let page = person.follow_from(answer).await.expect(200);
            let code = stack.vendor.newest_code(NUMBER);
            person.give_code(&page, &code).await.expect(303);
            assert!(person.is_in().await);
        }
        Way::RightPassword
        | Way::WrongPassword
        | Way::Crowd
        | Way::StepUp
        | Way::NoMessagesLeft
        | Way::VendorRefuses
        | Way::RightCode
        | Way::WrongCode
        | Way::SignOut => assert!(stack.signed_in(anna).await.is_in().await),
    }
}
