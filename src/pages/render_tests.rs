//! Every page in every language: nothing is missing, everything is escaped, every form can be sent and every mistake is tied to its field.

use std::time::Duration;

use super::*;
use crate::domain::phone::{Country, PhoneProblem};
use crate::pages::accent::Rgb;
use crate::pages::circle::{CircleCause, CirclePage};
use crate::pages::enrolment::{PhonePage, TicketField};
use crate::pages::look::{LookSettings, SiteLook};
use crate::pages::page::*;
use crate::pages::render_tests_own::{self as own_pages, code_page};

const EVIL: &str = "\"><script>alert('x')</script>&amp;";

fn look(name: &str, support: Option<&str>) -> SiteLook {
    SiteLook::new(LookSettings {
        name: name.to_owned(),
        languages: Language::ALL.to_vec(),
        support: support.map(str::to_owned),
        password_help: Some("https://app.example.com/forgot".to_owned()),
        accent: None::<Rgb>,
        logo: None,
    })
}

fn chrome(site: &SiteLook, language: Language) -> Chrome<'_> {
    Chrome {
        site,
        language,
        csrf: "the-token",
        request_id: "0123456789abcdef",
        here: Some("/.vestibule/login?return_to=%2Fa%3Fb&lang=en"),
    }
}

/// Every page, with a name for a file; every variant of every enum is there.
fn every_page(text: &str) -> Vec<(String, Page)> {
    let mut pages: Vec<(String, Page)> = Vec::new();
    let mut add = |name: &str, page: Page| pages.push((name.to_owned(), page));
    let login = LoginPage {
        user_name: UserNameField::Open(text.into()),
        return_to: format!("/a?{text}"),
        ..LoginPage::default()
    };
    add("login", Page::Login(LoginPage { return_to: "/".into(), ..LoginPage::default() }));
    let announced = crate::domain::time::Day::parse("2027-01-31");
    add("login-announced", Page::Login(LoginPage { announced, ..login.clone() }));
    for notice in [LoginNotice::FormExpired, LoginNotice::CookieMissing, LoginNotice::SessionEnded] {
        add(&format!("login-{notice:?}"), Page::Login(LoginPage { notice: Some(notice), ..login.clone() }));
    }
    for problem in [LoginProblem::UserNameMissing, LoginProblem::PasswordMissing, LoginProblem::NotCorrect] {
        add(&format!("login-{problem:?}"), Page::Login(LoginPage { problem: Some(problem), ..login.clone() }));
    }
    let fixed =
        LoginPage { user_name: UserNameField::Fixed(text.into()), notice: Some(LoginNotice::TwoFactorNeeded), ..login };
    add(
        "login-fixed-wrong",
        Page::Login(LoginPage { problem: Some(LoginProblem::NotCorrect), notice: None, ..fixed.clone() }),
    );
    add("login-TwoFactorNeeded", Page::Login(fixed));

    let phone = PhonePage {
        phone: String::new(),
        example: "+32 470 12 34 56".into(),
        calling_codes: vec![32, 31, 33, 49],
        ticket: TicketField::NotAsked,
        form: FormAge::Fresh,
        problem: None,
    };
    for ticket in [TicketField::Asked, TicketField::Missing, TicketField::NotRight] {
        add(&format!("phone-ticket-{ticket:?}"), Page::Phone(PhonePage { ticket, ..phone.clone() }));
    }
    add("phone", Page::Phone(phone.clone()));
    add("phone-FormExpired", Page::Phone(PhonePage { form: FormAge::Expired, ..phone.clone() }));
    add("code-FormExpired", Page::Code(CodePage { notice: Some(CodeNotice::FormExpired), ..code_page() }));
    let country = Country::parse("US").unwrap();
    for (name, problem) in [
        ("empty", PhoneProblem::Empty),
        ("short", PhoneProblem::TooShort),
        ("country", PhoneProblem::CountryNotAllowed { country }),
        ("fixed-line", PhoneProblem::NotMobile),
    ] {
        add(
            &format!("phone-{name}"),
            Page::Phone(PhonePage { phone: text.into(), problem: Some(problem), ..phone.clone() }),
        );
    }

    add("code", Page::Code(code_page()));
    add(
        "code-enrolling",
        Page::Code(CodePage { number: ShownNumber::Whole("+32 470 12 34 56".into()), ..code_page() }),
    );
    add(
        "code-unsent",
        Page::Code(CodePage {
            state: CodeState::NotSent,
            notice: Some(CodeNotice::NotSent),
            wait: Duration::ZERO,
            ..code_page()
        }),
    );
    let refused = CodePage {
        state: CodeState::NotSent,
        notice: Some(CodeNotice::NumberRefused),
        wait: Duration::ZERO,
        ..code_page()
    };
    add("code-refused", Page::Code(refused.clone()));
    add(
        "code-enrolling-refused",
        Page::Code(CodePage { number: ShownNumber::Whole("+32 470 12 34 56".into()), ..refused }),
    );
    for notice in [
        CodeNotice::SentAgain,
        CodeNotice::MaybeSent,
        CodeNotice::TooEarly,
        CodeNotice::TooOften(Duration::from_secs(1700)),
        CodeNotice::NoneLeft,
    ] {
        let sends_left = if notice == CodeNotice::NoneLeft { 0 } else { 2 };
        add(
            &format!("code-{notice:?}").replace(['(', ')'], "-"),
            Page::Code(CodePage { notice: Some(notice), sends_left, ..code_page() }),
        );
    }
    for problem in [
        CodeProblem::Missing,
        CodeProblem::NotDigits,
        CodeProblem::Wrong { attempts_left: 4 },
        CodeProblem::Wrong { attempts_left: 1 },
    ] {
        let name = format!("code-{problem:?}").replace([' ', '{', '}', ':'], "");
        add(&name, Page::Code(CodePage { problem: Some(problem), wait: Duration::ZERO, ..code_page() }));
    }
    let expired = CodePage { state: CodeState::Expired, wait: Duration::ZERO, ..code_page() };
    add("code-expired-view", Page::Code(expired.clone()));
    add("code-expired", Page::Code(CodePage { problem: Some(CodeProblem::Expired), ..expired }));

    let new_password = NewPasswordPage { user_name: text.into(), min_length: 8, form: FormAge::Fresh, problem: None };
    add("new-password", Page::NewPassword(new_password.clone()));
    let expired = NewPasswordPage { form: FormAge::Expired, ..new_password.clone() };
    add("new-password-FormExpired", Page::NewPassword(expired));
    for problem in [
        NewPasswordProblem::Missing,
        NewPasswordProblem::Differs,
        NewPasswordProblem::TooShort,
        NewPasswordProblem::TooLong,
        NewPasswordProblem::Common,
        NewPasswordProblem::Named,
        NewPasswordProblem::Guessable,
        NewPasswordProblem::Same,
    ] {
        let page = NewPasswordPage { problem: Some(problem), ..new_password.clone() };
        add(&format!("new-password-{problem:?}"), Page::NewPassword(page));
    }

    add("step-up", Page::StepUp(StepUpPage { return_to: format!("/{text}"), user_name: text.into() }));
    add("logout", Page::Logout { user_name: text.into(), stay_href: "/".into() });
    add("signed-out", Page::SignedOut);
    own_pages::add_to(text, &mut add);
    add("no-number", Page::NoNumber(NoNumberReason::NotRegistered));
    add("no-number-closed", Page::NoNumber(NoNumberReason::EnrolmentClosed));
    for reason in [OverReason::AttemptsUsed, OverReason::Gone, OverReason::NumberTaken] {
        add(&format!("over-{reason:?}"), Page::Over(reason));
    }
    add("codes-paused", Page::CodesPaused { wait: None });
    add("codes-paused-wait", Page::CodesPaused { wait: Some(Duration::from_secs(1200)) });
    add("too-many", Page::TooManyTries { wait: Duration::from_secs(42) });
    add("waiting", Page::Waiting { wait: Duration::from_secs(5) });
    for cause in CircleCause::ALL {
        add(&format!("circle-{cause:?}"), Page::Circle(CirclePage { cause, again_href: "/app".into() }));
    }
    for what in [Interrupted::Opening, Interrupted::Sending] {
        add(&format!("interrupted-{what:?}"), Page::Interrupted { what, sign_in_href: "/.vestibule/login".into() });
    }
    add("in-frame", Page::InFrame { sign_in_href: "/.vestibule/login".into() });
    add("not-sent", Page::NotSent { sign_in_href: "/.vestibule/login?return_to=%2Fa".into() });
    for kind in MessageKind::ALL {
        add(&format!("message-{kind:?}"), Page::Message(Message { kind, again_href: Some("/app".into()) }));
    }
    pages
}

fn tag_with<'a>(html: &'a str, attribute: &str) -> Option<&'a str> {
    let at = html.find(attribute)?;
    let begin = html[..at].rfind('<')?;
    Some(&html[begin..at + html[at..].find('>')?])
}

#[test]
fn every_page_is_complete_in_every_language() {
    for support in [None, Some("helpdesk@example.com"), Some("Call Anna"), Some("https://help.example.com/")] {
        let site = look("Acme", support);
        for language in Language::ALL {
            for (name, page) in every_page("jan") {
                let html =
                    try_render(&page, &chrome(&site, language)).unwrap_or_else(|error| panic!("{name}: {error:#}"));
                assert!(!html.contains("[["), "{name} in {language:?} lacks a text: {html}");
                assert!(html.contains(&format!("<html lang=\"{}\"", language.tag())), "{name}");
                assert!(html.contains("– Acme</title>"), "{name}");
                assert_eq!(html.matches("<h1>").count(), 1, "{name}");
                assert!(!html.contains('\u{e000}') && !html.contains('\u{e001}'), "{name}");
                assert!(
                    support.is_none()
                        || html.contains(site.support.as_ref().and_then(|s| s.href.as_deref()).unwrap_or("Call Anna")),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn what_comes_from_outside_is_escaped() {
    let site = look(EVIL, Some(EVIL));
    for (name, page) in every_page(EVIL) {
        let html = render(&page, &Chrome { csrf: EVIL, request_id: EVIL, ..chrome(&site, Language::En) });
        assert!(!html.contains("<script>"), "{name}: {html}");
        assert_eq!(html.matches("<script").count(), 1, "{name}");
    }
}

#[test]
fn nothing_is_inline() {
    let site = look("Acme", None);
    for (name, page) in every_page("jan") {
        let html = render(&page, &chrome(&site, Language::En));
        for inline in [" style=", " onclick", " onsubmit", "<style", "javascript:"] {
            assert!(!html.contains(inline), "{inline} in {name}");
        }
    }
}

#[test]
fn every_form_is_a_post_to_us_with_a_token() {
    let site = look("Acme", None);
    for (name, page) in every_page("jan") {
        let html = render(&page, &chrome(&site, Language::En));
        for form in html.split("<form ").skip(1) {
            assert!(form.starts_with("method=\"post\" action=\"/.vestibule/"), "{name}: {form}");
            let form = &form[..form.find("</form>").unwrap()];
            assert!(form.contains("name=\"csrf\" value=\"the-token\""), "{name}");
            assert!(form.contains("type=\"submit\""), "{name}");
        }
    }
}

#[test]
fn a_mistake_is_announced_and_tied_to_its_field() {
    let site = look("Acme", None);
    for (name, page) in every_page("jan") {
        let html = render(&page, &chrome(&site, Language::En));
        let wrong = page.status() == StatusCode::UNPROCESSABLE_ENTITY;
        assert_eq!(html.contains("<title>Error: "), wrong, "{name}");
        assert_eq!(html.contains("aria-labelledby=\"problem-heading\""), wrong, "{name}");
        if !wrong {
            continue;
        }
        let (_, link) = html.split_once("<a href=\"#").unwrap();
        let field = &link[..link.find('"').unwrap()];
        let tag = tag_with(&html, &format!("id=\"{field}\"")).unwrap_or_else(|| panic!("{name}: no {field}"));
        if !tag.starts_with("<input") {
            continue; // an expired code: the way on is a button
        }
        assert!(tag.contains("aria-invalid=\"true\""), "{name}: {tag}");
        let (_, ids) = tag.split_once("aria-describedby=\"").unwrap_or_else(|| panic!("{name}: {tag}"));
        for id in ids[..ids.find('"').unwrap()].split(' ') {
            assert!(html.contains(&format!("id=\"{id}\"")), "{name}: no {id}");
        }
    }
}

#[test]
fn the_fields_are_those_that_browsers_fill_in() {
    let site = look("Acme", None);
    let html = |page: &Page| render(page, &chrome(&site, Language::En));
    let pages = every_page("jan");
    let page = |name: &str| html(&pages.iter().find(|(found, _)| found == name).unwrap().1);
    for (page, attribute, expected) in [
        (page("login"), "id=\"username\"", "autocomplete=\"username\""),
        (page("login"), "id=\"password\"", "autocomplete=\"current-password\""),
        (page("phone"), "id=\"phone\"", "autocomplete=\"tel\""),
        (page("new-password"), "id=\"new_password\"", "autocomplete=\"new-password\""),
        (page("code"), "id=\"code\"", "autocomplete=\"one-time-code\""),
        (page("code"), "id=\"code\"", "inputmode=\"numeric\""),
        (page("login-NotCorrect"), "id=\"username\"", "value=\"jan\""),
        (page("login-TwoFactorNeeded"), "id=\"username\"", "readonly"),
    ] {
        let tag = tag_with(&page, attribute).unwrap();
        assert!(tag.contains(expected), "{tag}");
        assert!(!tag.contains("maxlength") && !tag.contains("placeholder"), "{tag}");
    }
    assert!(!page("login-NotCorrect").contains("hunter2"));
}

#[test]
fn a_refusal_shows_the_reference_of_its_request() {
    let site = look("Acme", None);
    for (name, page) in every_page("jan") {
        let html = render(&page, &chrome(&site, Language::En));
        let refusal = page.status().is_client_error() || page.status().is_server_error();
        assert!(!refusal || html.contains("Reference: 0123456789abcdef"), "{name}");
    }
    assert!(!render(&every_page("jan")[0].1, &chrome(&site, Language::En)).contains("Reference"));
}

#[test]
fn a_language_link_leads_to_the_same_page() {
    let site = look("Acme", None);
    let html = render(&Page::SignedOut, &chrome(&site, Language::Nl));
    assert!(html.contains("href=\"/.vestibule/login?return_to=%2Fa%3Fb&amp;lang=fr\""), "{html}");
    assert!(html.contains("<span lang=\"nl\" aria-current=\"true\">Nederlands</span>"));
    let without = render(&Page::SignedOut, &Chrome { here: None, ..chrome(&site, Language::Nl) });
    assert!(!without.contains("<nav"));
}

#[test]
fn an_answer_of_no_site_refers_to_no_files() {
    let site = SiteLook::of_no_site();
    let html = render(
        &Page::Message(Message { kind: MessageKind::Misdirected, again_href: None }),
        &Chrome { here: None, ..chrome(&site, Language::En) },
    );
    assert!(html.contains("<title>Nothing is here under this name</title>"), "{html}");
    for file in ["stylesheet", "<script", "rel=\"icon\"", "<header"] {
        assert!(!html.contains(file), "{file}");
    }
}

#[test]
fn an_answer_carries_its_language_and_when_to_come_back() {
    let site = look("Acme", None);
    let page = Page::TooManyTries { wait: Duration::from_millis(41_500) };
    let answer = answer(&page, &chrome(&site, Language::Fr));
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "42");
    assert_eq!(answer.headers()["content-language"], "fr");
    assert_eq!(answer.headers()["vary"], "Accept-Language, Cookie");
    assert_eq!(answer.headers()["cache-control"], "no-store");
}

/// `VESTIBULE_GALLERY=DIR cargo test gallery -- --ignored`, then serve DIR on loopback and look.
#[test]
#[ignore = "writes every page and its files to a folder, to be looked at in a browser"]
fn gallery() {
    let root =
        std::path::PathBuf::from(std::env::var_os("VESTIBULE_GALLERY").expect("VESTIBULE_GALLERY names a folder"));
    let site = look("Acme Marketing", Some("helpdesk@example.com"));
    let files = site.files.clone().unwrap();
    std::fs::create_dir_all(root.join(".vestibule/assets")).unwrap();
    for asset in [&files.style, &files.colours, &files.script, &files.icon] {
        std::fs::write(root.join(".vestibule/assets").join(asset.name()), asset.bytes()).unwrap();
    }
    for language in Language::ALL {
        for (name, page) in every_page("jan.peeters") {
            std::fs::write(
                root.join(format!("{name}.{}.html", language.tag())),
                render(&page, &chrome(&site, language)),
            )
            .unwrap();
        }
    }
}
