//! The user's own page: sessions seen and ended, the password changed; on every node, in a real browser, and when the program dies.

use crate::browser::{as_far_as_the_code, give_code};
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::evidence::SecretKind;
use crate::harness::person::{Answer, Person};
use crate::harness::stack::{Account, Accounts, Plan, Stack};
use futures_util::future::join_all;
use std::time::{Duration, Instant};
use vestibule::login::fail_point;

const PHONE: &str = "+32470111222";
const ACCOUNT: &str = "/.vestibule/account";
const END: &str = "/.vestibule/account/end";
const PASSWORD: &str = "/.vestibule/account/password";
const NEW: &str = "zeventien fietsen in de regen";
const END_OTHERS: &str = "/.vestibule/account/end-others";
/// The longest that any node may go on with a session that was ended (design §5, revocation).
const BOUND: Duration = Duration::from_secs(1);

/// Presses the button of the form that goes to `path`; the first one, if there are several.
async fn press(person: &Person, page: &Answer, path: &str) -> Answer {
    person.submit(&page.form_to(path), &page.asked, &[]).await
}

async fn is_out_within_the_bound(person: &Person, ended: Instant) {
    let person = person.copy();
    loop {
        let answer = person.fetch("/").await;
        if answer.status == 401 {
            return;
        }
        assert!(ended.elapsed() < BOUND, "still in at port {}", person.port());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_ended_on_every_node() {
    for accounts in [Accounts::Sqlite, Accounts::Postgres] {
        let stack = Plan::new().accounts(accounts).nodes(2).start();
        let (ada, bob) = (stack.add_account("ada", PHONE), stack.add_account("bob", "+32470111333"));
        let here = stack.signed_in(&ada).await;
        let stranger = stack.signed_in(&bob).await;
        let firefox = "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0";
        let there = stack.signed_in_with(&ada, firefox).await;
        let elsewhere = stack.at_node(&there, 1);
        elsewhere.fetch("/").await.expect(200);

        let page = here.open(ACCOUNT).await.expect(200);
        let text = page.reads();
        for expected in
            ["signed in as ada", "ending in 22", "Firefox on Windows", "Unknown browser", "127.0.0.1", "this one"]
        {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        let id = stranger.fetch("/.vestibule/session").await.json()["session"].as_str().unwrap().to_owned();
        let forged = here.submit(&page.form_to(END), &page.asked, &[("session", &id)]).await.expect(303);
        assert!(forged.location().unwrap().ends_with("?said=no-such-session"));
        stranger.fetch("/").await.expect(200);

        let answer = press(&here, &page, END).await.expect(303);
        let ended = Instant::now();
        assert!(here.follow_from(answer).await.reads().contains("That session has ended."));
        there.copy().fetch("/").await.expect(401);
        is_out_within_the_bound(&elsewhere, ended).await;

        let (third, fourth) = (stack.signed_in(&ada).await, stack.at_node(&stack.signed_in(&ada).await, 1));
        fourth.fetch("/").await.expect(200);
        let page = here.open(ACCOUNT).await.expect(200);
        press(&here, &page, END_OTHERS).await.expect(303);
        let ended = Instant::now();
        third.copy().fetch("/").await.expect(401);
        is_out_within_the_bound(&fourth, ended).await;
        for person in [&here, &stack.at_node(&here, 1), &stranger] {
            person.fetch("/").await.expect(200);
        }
        assert_eq!(
            stack.count("audit WHERE event = 'sessions_ended' AND actor = 'user:ada' AND source = '127.0.0.1'"),
            2
        );
    }
}

#[tokio::test]
async fn a_person_ends_sessions_in_a_browser() {
    for script in [JavaScript::On, JavaScript::Off] {
        let stack = Stack::start();
        let ada = stack.add_account("ada", PHONE);
        let others = [stack.signed_in(&ada).await, stack.signed_in(&ada).await];
        let browser = Browser::start(script).await;
        // asked for by somebody who is not signed in: after the code, it is there
        let code = as_far_as_the_code(&browser, &stack, &ada, ACCOUNT).await;
        give_code(&browser, &code).await;
        browser.wait_for_text("Where you are signed in").await;
        assert!(browser.url().await.ends_with(ACCOUNT), "{}", browser.url().await);
        assert!(browser.text().await.contains("Chrome on Linux"), "{}", browser.text().await);
        look(&browser, &format!("account-{script:?}")).await;
        browser.leave_by("button.second").await;
        browser.wait_for_text("That session has ended.").await;
        browser.leave_by("button.main").await;
        browser.wait_for_text("All other sessions have ended.").await;
        for other in others {
            other.copy().fetch("/").await.expect(401);
        }
        // from the page that asks whether to sign out, and back to the application
        browser.open(&format!("{}/.vestibule/logout", stack.site())).await;
        browser.leave_by("a[href='/.vestibule/account']").await;
        browser.leave_by("a[href='/']").await;
        browser.wait_for_url("the application", |url| !url.contains("/.vestibule/")).await;
        assert!(browser.complaints().await.is_empty(), "{:?}", browser.complaints().await);
        browser.close().await;
    }
}

/// Changes the password on the page for it; the answer is not followed.
async fn change_password(person: &Person, present: &str, chosen: &str) -> Answer {
    let page = person.open(PASSWORD).await.expect(200);
    let typed = [("password", present), ("new_password", chosen), ("repeated", chosen)];
    person.submit(&page.form_to(PASSWORD), &page.asked, &typed).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_ends_what_the_old_one_opened_but_not_the_session_that_changed_it() {
    for accounts in [Accounts::Sqlite, Accounts::Postgres] {
        let stack = Plan::new().accounts(accounts).nodes(2).start();
        stack.evidence().keep(SecretKind::Password, NEW);
        let ada = stack.add_account("ada", PHONE);
        let here = stack.signed_in(&ada).await;
        let there = stack.at_node(&stack.signed_in(&ada).await, 1);
        there.fetch("/").await.expect(200);
        // the old password is right, and its code is owed
        let (late, page, code) = stack.owing_a_code(&ada).await;
        let copy = here.copy();
        let answer = change_password(&here, &ada.password, NEW).await.expect(303);
        let changed = Instant::now();
        assert!(here.follow_from(answer).await.reads().contains("Your password has been changed."));
        is_out_within_the_bound(&there, changed).await;
        copy.fetch("/").await.expect(401);
        for person in [&here, &stack.at_node(&here, 1)] {
            person.fetch("/").await.expect(200);
        }
        late.give_code(&page, &code).await.expect(410);
        assert!(!late.is_in().await);
        let person = stack.person();
        let page = person.follow("/inside").await;
        person.type_password(&page, &ada.name, &ada.password).await.expect(422);
        assert_eq!(stack.count("audit WHERE event = 'password_changed' AND actor = 'user:ada'"), 1);
        // and once more, in the epoch that the first change began
        change_password(&here, NEW, &ada.password).await.expect(303);
        here.fetch("/").await.expect(200);
    }
}

#[tokio::test]
async fn a_present_password_is_counted_and_paced_as_at_a_sign_in() {
    let stack = Stack::start();
    stack.evidence().keep(SecretKind::Password, NEW);
    let ada = stack.add_account("ada", PHONE);
    let here = stack.signed_in(&ada).await;
    for _ in 0..5 {
        let began = Instant::now();
        change_password(&here, "not the password", NEW).await.expect(422);
        assert!(began.elapsed() >= Duration::from_millis(250), "not before the first tick");
    }
    // the wait of the fifth failure holds here and at the sign-in
    let page = change_password(&here, &ada.password, NEW).await.expect(422);
    assert!(page.reads().contains("not looked at for now"), "{}", page.reads());
    let person = stack.person();
    let page = person.follow("/inside").await;
    person.type_password(&page, &ada.name, &ada.password).await.expect(422);
    assert_eq!(stack.count("audit WHERE event = 'password_refused' AND reason = 'wrong_password'"), 5);
    assert_eq!(stack.count("audit WHERE event = 'password_refused' AND reason = 'waiting_after_failures'"), 2);
    here.fetch("/").await.expect(200);
}

#[tokio::test]
async fn two_changes_at_once_leave_one_session_and_one_password() {
    let stack = Plan::new().accounts(Accounts::Postgres).nodes(2).start();
    stack.evidence().keep(SecretKind::Password, NEW);
    let ada = stack.add_account("ada", PHONE);
    let people = [stack.signed_in(&ada).await, stack.at_node(&stack.signed_in(&ada).await, 1)];
    let both = join_all(people.iter().map(|person| change_password(person, &ada.password, NEW))).await;
    let won: Vec<bool> =
        both.iter().map(|answer| answer.location().is_some_and(|to| to.ends_with("changed"))).collect();
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    for (person, won) in people.iter().zip(won) {
        let status = person.open_until("/.vestibule/session", |answer| (answer.status == 200) == won).await.status;
        assert_eq!(status, if won { 200 } else { 401 });
    }
    assert_eq!(stack.count("audit WHERE event = 'password_changed'"), 1);
}

#[tokio::test]
async fn a_person_changes_the_password_in_a_browser() {
    let stack = Stack::start();
    stack.evidence().keep(SecretKind::Password, NEW);
    let ada = stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::On).await;
    let code = as_far_as_the_code(&browser, &stack, &ada, "/inside").await;
    give_code(&browser, &code).await;
    browser.open(&format!("{}{ACCOUNT}", stack.site())).await;
    browser.leave_by("a[href='/.vestibule/account/password']").await;
    look(&browser, "account-password").await;
    for (present, chosen, said) in
        [("not it", NEW, "The present password is not correct"), (ada.password.as_str(), "password1", "tried first")]
    {
        browser.fill("password", present).await;
        browser.fill("new_password", chosen).await;
        browser.fill("repeated", chosen).await;
        browser.leave_by("button.main").await;
        browser.wait_for_text(said).await;
    }
    look(&browser, "account-password-mistake").await;
    browser.fill("password", &ada.password).await;
    browser.fill("new_password", NEW).await;
    browser.fill("repeated", NEW).await;
    browser.leave_by("button.main").await;
    browser.wait_for_text("Your password has been changed.").await;
    look(&browser, "account-password-changed").await;
    browser.close().await;
}

/// Behind every effect of the page the program may die: what was committed is so, and nobody is in who should not be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_may_die_behind_every_effect() {
    let of_numbers = |name: &str| name.contains("number") || name.ends_with("_put"); // `account_number`, `staged_enrolment`
    for name in fail_point::ALL.iter().filter(|name| name.starts_with("account.") && !of_numbers(name)) {
        let mut stack = Plan::new().environment("VESTIBULE_FAILPOINT", name).start();
        stack.evidence().keep(SecretKind::Password, NEW);
        let ada = stack.add_account("ada", PHONE);
        let (here, there) = (stack.signed_in(&ada).await, stack.signed_in(&ada).await);
        let goes_on = match *name {
            "account.session_ended" | "account.others_ended" => {
                let page = here.open(ACCOUNT).await.expect(200);
                let to = if *name == "account.session_ended" { END } else { END_OTHERS };
                let _lost = here.try_submit(&page.form_to(to), &page.asked, &[]).await;
                true
            }
            "account.password_changed" => {
                let page = here.open(PASSWORD).await.expect(200);
                let typed = [("password", ada.password.as_str()), ("new_password", NEW), ("repeated", NEW)];
                let _lost = here.try_submit(&page.form_to(PASSWORD), &page.asked, &typed).await;
                false // its new cookie was lost with the answer
            }
            other => panic!("no way leads to the fail-point {other}: add one"),
        };
        stack.node().process().wait();
        stack.node().start_again(&[]);
        let status = |goes_on| if goes_on { 200 } else { 401 };
        here.copy().fetch("/").await.expect(status(goes_on));
        there.copy().fetch("/").await.expect(401);
        let ada = Account { password: if goes_on { ada.password } else { NEW.to_owned() }, ..ada };
        assert!(stack.signed_in(&ada).await.is_in().await, "{name}");
    }
}

/// Looks at the page that is open, in every kind of window.
pub(crate) async fn look(browser: &Browser, name: &str) {
    for (window, width, dark) in [("wide", 1024, false), ("narrow", 320, false), ("dark", 480, true)] {
        browser.set_width(width).await;
        browser.set_dark(dark).await;
        browser.picture(&format!("{name}-{window}")).await;
        let wide = browser.run("return document.documentElement.scrollWidth").await.as_u64().unwrap();
        assert!(wide <= u64::from(width), "{name} is {wide} wide in a window of {width}");
    }
}
