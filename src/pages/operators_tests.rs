//! Every operators' page is drawn, with what was typed escaped. Floor: pages.

use super::*;
use crate::domain::language::Language;
use crate::pages::look::LookSettings;

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
                facts: vec![fact],
                activate_href: Some("/two-factor/activate"),
                notice: None,
            }),
            ok,
        ),
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
