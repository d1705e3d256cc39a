//! Every operators' page is drawn, with what was typed escaped. Floor: pages.

use super::*;
use crate::domain::language::Language;
use crate::pages::look::LookSettings;
use crate::pages::operators_figures::{
    AuditTyped, CapLine, EventChoice, PrefixLine, ProviderLine, RehearsalGroup, RehearsalLine, SpanLink, TrailLine,
};

const TYPED: &str = "<b>\"x\"&";

fn drawn(page: &OperatorsPage) -> (StatusCode, String) {
    let look = SiteLook::new(LookSettings {
        name: "Operators".to_owned(),
        languages: vec![Language::En],
        support: None,
        password_help: None,
        accent: None,
        logo: None,
    });
    let chrome = OperatorsChrome { site: &look, operator: Some(("olga", "admin")), csrf: "token", request_id: "0123" };
    let response = answer(page, &chrome);
    assert_eq!(response.headers()["cache-control"], "no-store");
    (response.status(), String::from_utf8(response.into_body().to_vec()).unwrap())
}

fn line() -> AccountLine {
    AccountLine {
        href: "/accounts/anna".to_owned(),
        user_name: "anna".to_owned(),
        name: TYPED.to_owned(),
        number: "+32 … 56".to_owned(),
        state: "locked".to_owned(),
        last_sign_in: "never".to_owned(),
        role: String::new(),
    }
}

fn deed(problem: Option<DeedProblem>, notice: Option<DeedNotice>) -> OperatorsPage {
    let field = |name, choices| DeedField {
        name,
        label: "Label",
        hint: "A hint".to_owned(),
        value: TYPED.to_owned(),
        choices,
        required: true,
    };
    OperatorsPage::Deed(DeedPage {
        title: "Set the number: anna".to_owned(),
        paragraphs: vec!["Codes go there.".to_owned()],
        action: "/accounts/anna/set-phone".to_owned(),
        back: "/accounts/anna".to_owned(),
        fields: vec![field("phone", Vec::new()), field("role", vec!["helpdesk", "admin"])],
        reason: TYPED.to_owned(),
        button: "Set",
        problem,
        notice,
    })
}

fn rehearsal() -> RehearsalReport {
    let line = |href| RehearsalLine { name: "bert".to_owned(), href, detail: TYPED.to_owned() };
    RehearsalReport {
        verdict: "1 of 2 accounts could not sign in.".to_owned(),
        is_clear: false,
        groups: vec![RehearsalGroup {
            title: "1 without a number".to_owned(),
            text: "They could not sign in.",
            lines: vec![line(None), line(Some("/accounts/bert".to_owned()))],
            more: 3,
        }],
        facts: vec![Fact { label: "SMS a day to expect", value: TYPED.to_owned() }],
    }
}

fn sms() -> OperatorsPage {
    OperatorsPage::Sms(SmsPage {
        span: "a day",
        spans: vec![SpanLink { href: "/sms?hours=24".to_owned(), text: "a day", is_shown: true }],
        sent: 1,
        to_newcomers: 0,
        providers: vec![ProviderLine {
            provider: TYPED.to_owned(),
            country: "BE".to_owned(),
            rate: Some("75 %".to_owned()),
            entered: 3,
            judged: 4,
            asked: 5,
            accepted: 4,
            maybe_sent: 0,
            failed: 1,
            recipient_refused: 0,
        }],
        caps: vec![CapLine {
            whose: "Everybody",
            window: "a minute".to_owned(),
            counted: 1,
            most: 60,
            percent: 1,
            only_observed: true,
        }],
        prefixes: vec![PrefixLine {
            prefix: "+3247012".to_owned(),
            since: "today".to_owned(),
            until: "tomorrow".to_owned(),
            entered: 0,
            judged: 20,
            open_href: Some("/sms/open-prefix?prefix=3247012".to_owned()),
        }],
        notice: Some(TYPED.to_owned()),
    })
}

fn trail_line() -> TrailLine {
    TrailLine {
        time: "today".to_owned(),
        moment: "2026-11-24T09:30:00.250Z".to_owned(),
        event: "signed in".to_owned(),
        account: "anna".to_owned(),
        account_href: Some("/accounts/anna".to_owned()),
        actor: "user:anna".to_owned(),
        source: "127.0.0.1".to_owned(),
        site: "marketing".to_owned(),
        reason: TYPED.to_owned(),
        request_id: "0123".to_owned(),
    }
}

fn audit(problem: Option<String>, lines: Option<Vec<TrailLine>>) -> OperatorsPage {
    OperatorsPage::Audit(AuditPage {
        typed: AuditTyped {
            account: TYPED.to_owned(),
            event: "signed_in".to_owned(),
            actor: String::new(),
            from: String::new(),
            to: String::new(),
        },
        events: vec![EventChoice { name: "signed_in", text: "signed in".to_owned(), is_chosen: true }],
        needs_account: true,
        problem_field: if problem.is_some() { "account" } else { "" },
        problem,
        lines,
        newest_href: Some("/audit".to_owned()),
        older_href: Some("/audit?after=7".to_owned()),
    })
}

#[test]
fn every_page_is_drawn_and_escapes_what_was_typed() {
    let fact = Fact { label: "Name", value: TYPED.to_owned() };
    let session = SessionLine {
        site: "marketing".to_owned(),
        with: "password",
        opened: "today".to_owned(),
        ends: "later".to_owned(),
        from: "127.0.0.1".to_owned(),
        device: TYPED.to_owned(),
        end_href: Some("/accounts/anna/end-session?session=00".to_owned()),
    };
    let wrong = |field| DeedProblem { field, text: TYPED.to_owned(), status: StatusCode::UNPROCESSABLE_ENTITY };
    let (ok, unprocessable, forbidden) = (StatusCode::OK, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::FORBIDDEN);
    for (page, status) in [
        (
            OperatorsPage::Search(SearchPage {
                query: TYPED.to_owned(),
                found: vec![line()],
                more: true,
                notice: Some(TYPED.to_owned()),
                may_add: true,
            }),
            ok,
        ),
        (
            OperatorsPage::Account(AccountPage {
                user_name: "anna".to_owned(),
                notice: Some(TYPED.to_owned()),
                warnings: vec![TYPED.to_owned()],
                facts: vec![fact.clone()],
                sessions: vec![session],
                trail_href: Some("/audit?account=anna".to_owned()),
                deeds: vec![DeedLink { href: "/accounts/anna/unlock".to_owned(), label: "Unlock" }],
                not_allowed: Some(TYPED.to_owned()),
            }),
            ok,
        ),
        (deed(None, None), ok),
        (deed(None, Some(DeedNotice::NotFresh)), forbidden),
        (deed(None, Some(DeedNotice::FormExpired)), forbidden),
        (deed(Some(wrong("phone")), None), unprocessable),
        (deed(Some(wrong("reason")), None), unprocessable),
        (deed(Some(wrong("")), None), unprocessable),
        (
            OperatorsPage::OneTimePassword(OneTimePasswordPage {
                user_name: "anna".to_owned(),
                password: TYPED.to_owned(),
                until: "tomorrow".to_owned(),
                back: "/accounts/anna".to_owned(),
            }),
            ok,
        ),
        (OperatorsPage::Operators { operators: vec![line()] }, ok),
        (
            OperatorsPage::TwoFactor(TwoFactorPage {
                active_since: None,
                facts: vec![fact.clone()],
                rehearsal: Some(rehearsal()),
                activate_href: Some("/two-factor/activate"),
                notice: None,
            }),
            ok,
        ),
        (sms(), ok),
        (audit(None, Some(vec![trail_line()])), ok),
        (audit(Some(TYPED.to_owned()), None), unprocessable),
        (OperatorsPage::SignInAgain { return_to: format!("/{TYPED}") }, ok),
        (
            OperatorsPage::Message(MessagePage {
                status: forbidden,
                title: "Not allowed",
                text: TYPED.to_owned(),
                href: "/".to_owned(),
                link: "Back",
            }),
            forbidden,
        ),
    ] {
        let (found, html) = drawn(&page);
        assert_eq!(found, status, "{page:?}");
        assert!(html.contains("&lt;b&gt;&quot;x&quot;&amp;") && !html.contains(TYPED), "{html}");
        assert!(html.contains("<html lang=\"en\"") && html.contains("olga (admin)"), "{html}");
        assert_eq!(html.contains("Reference: 0123"), status != ok, "{html}");
    }
}
