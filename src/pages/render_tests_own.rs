//! The pages of people's own accounts, for the tests of every page. Floor: pages.

use std::time::Duration;

use crate::domain::phone::PhoneProblem;
use crate::domain::time::UnixMillis;
use crate::pages::own::*;
use crate::pages::page::*;
use crate::web::device::Device;

pub(super) fn add_to(text: &str, add: &mut impl FnMut(&str, Page)) {
    let session = |browser, system| ShownSession {
        id: "00112233445566778899aabbccddeeff".into(),
        is_this: false,
        device: Device { browser, system },
        elsewhere: Some(text.into()),
        opened_at: UnixMillis(1_795_512_600_250),
        source: Some("192.0.2.7".into()),
    };
    let this = ShownSession { is_this: true, elsewhere: None, ..session(Some("Firefox"), Some("Linux")) };
    let account = AccountPage {
        user_name: text.into(),
        number: OwnNumber::Ending("56".into()),
        sessions: vec![
            this.clone(),
            session(Some("curl"), None),
            session(None, Some("Android")),
            ShownSession { source: None, ..session(None, None) },
        ],
        form: FormAge::Fresh,
        notice: None,
    };
    let password = ChangePasswordPage { user_name: text.into(), min_length: 8, form: FormAge::Fresh, problem: None };
    add("account-password", Page::Own(OwnPage::Password(password.clone())));
    let expired = ChangePasswordPage { form: FormAge::Expired, ..password.clone() };
    add("account-password-FormExpired", Page::Own(OwnPage::Password(expired)));
    for problem in [
        ChangePasswordProblem::PresentMissing,
        ChangePasswordProblem::PresentNotCorrect,
        ChangePasswordProblem::New(NewPasswordProblem::Same),
        ChangePasswordProblem::New(NewPasswordProblem::Common),
        ChangePasswordProblem::New(NewPasswordProblem::Differs),
    ] {
        let page = ChangePasswordPage { problem: Some(problem), ..password.clone() };
        add(&format!("account-password-{problem:?}").replace(['(', ')'], "-"), Page::Own(OwnPage::Password(page)));
    }
    for owed_for in [CodeFor::OldNumber, CodeFor::NewNumber] {
        let number = match owed_for {
            CodeFor::NewNumber => ShownNumber::Whole("+32 470 12 34 56".into()),
            CodeFor::OldNumber | CodeFor::SignIn => ShownNumber::Ending("56".into()),
        };
        let page = CodePage { owed_for, number, ..code_page() };
        add(&format!("account-code-{owed_for:?}"), Page::Code(page.clone()));
        let wrong = CodePage { problem: Some(CodeProblem::Missing), wait: Duration::ZERO, ..page };
        add(&format!("account-code-{owed_for:?}-wrong"), Page::Code(wrong));
    }
    let password =
        NumberPasswordPage { number: NumberIs::Another, user_name: text.into(), form: FormAge::Fresh, problem: None };
    let number = NewNumberPage {
        phone: text.into(),
        example: "+32 470 12 34 56".into(),
        calling_codes: vec![32, 31],
        form: FormAge::Fresh,
        problem: None,
    };
    for (name, page) in [
        ("password", OwnPage::NumberPassword(password.clone())),
        ("first", OwnPage::NumberPassword(NumberPasswordPage { number: NumberIs::First, ..password.clone() })),
        (
            "password-FormExpired",
            OwnPage::NumberPassword(NumberPasswordPage { form: FormAge::Expired, ..password.clone() }),
        ),
        (
            "password-missing",
            OwnPage::NumberPassword(NumberPasswordPage {
                problem: Some(NumberPasswordProblem::Missing),
                ..password.clone()
            }),
        ),
        (
            "password-wrong",
            OwnPage::NumberPassword(NumberPasswordPage {
                problem: Some(NumberPasswordProblem::NotCorrect),
                ..password
            }),
        ),
        ("new", OwnPage::NewNumber(number.clone())),
        ("new-FormExpired", OwnPage::NewNumber(NewNumberPage { form: FormAge::Expired, ..number.clone() })),
        ("new-same", OwnPage::NewNumber(NewNumberPage { problem: Some(NewNumberProblem::Same), ..number.clone() })),
        (
            "new-short",
            OwnPage::NewNumber(NewNumberPage {
                problem: Some(NewNumberProblem::Unusable(PhoneProblem::TooShort)),
                ..number
            }),
        ),
    ] {
        add(&format!("account-number-{name}"), Page::Own(page));
    }
    let mut add = |name: &str, page: AccountPage| add(name, Page::Own(OwnPage::Account(page)));
    add("account", account.clone());
    add("account-first-number", AccountPage { number: OwnNumber::NoneYet, ..account.clone() });
    add("account-own-number", AccountPage { number: OwnNumber::EndingOwn("56".into()), ..account.clone() });
    add("account-alone", AccountPage { number: OwnNumber::None, sessions: vec![this], ..account.clone() });
    add("account-FormExpired", AccountPage { form: FormAge::Expired, ..account.clone() });
    for notice in [
        AccountNotice::SessionEnded,
        AccountNotice::NoSuchSession,
        AccountNotice::OthersEnded,
        AccountNotice::PasswordChanged,
        AccountNotice::NumberChanged,
        AccountNotice::NumberNotChanged,
        AccountNotice::NumberTaken,
    ] {
        add(&format!("account-{notice:?}"), AccountPage { notice: Some(notice), ..account.clone() });
    }
}

pub(super) fn code_page() -> CodePage {
    CodePage {
        owed_for: CodeFor::SignIn,
        number: ShownNumber::Ending("56".into()),
        length: 6,
        lifetime: Duration::from_secs(300),
        sends_left: 3,
        wait: Duration::from_secs(30),
        state: CodeState::Sent,
        notice: None,
        problem: None,
    }
}
