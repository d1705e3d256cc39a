//! What the pages of people's own accounts show. Floor: pages.

use minijinja::{Value, context};

use super::{FieldProblem, Notice, View, Words, calling_codes, new_password, phone_problem};
use crate::pages::own::{
    AccountNotice, AccountPage, ChangePasswordPage, ChangePasswordProblem, NewNumberPage, NewNumberProblem, NumberIs,
    NumberPasswordPage, NumberPasswordProblem, OwnNumber, OwnPage, ShownSession,
};
use crate::pages::page::{FormAge, NewPasswordProblem};
use crate::web::device::Device;

pub(super) fn view(page: &OwnPage, words: &Words<'_>) -> View {
    match page {
        OwnPage::Account(page) => account(page, words),
        OwnPage::Password(page) => password(page, words),
        OwnPage::NumberPassword(page) => number_password(page, words),
        OwnPage::NewNumber(page) => new_number(page, words),
    }
}

fn account(page: &AccountPage, words: &Words<'_>) -> View {
    let done = page.notice.map(|notice| match notice {
        AccountNotice::SessionEnded => Notice { tone: "good", text: words.say("account-session-ended") },
        AccountNotice::NoSuchSession => Notice { tone: "info", text: words.say("account-no-such-session") },
        AccountNotice::OthersEnded => Notice { tone: "good", text: words.say("account-others-ended") },
        AccountNotice::PasswordChanged => Notice { tone: "good", text: words.say("account-password-changed") },
        AccountNotice::NumberChanged => Notice { tone: "good", text: words.say("number-changed") },
        AccountNotice::NumberNotChanged => Notice { tone: "info", text: words.say("number-not-changed") },
        AccountNotice::NumberTaken => Notice { tone: "bad", text: words.say("number-taken") },
    });
    let is_expired = page.form == FormAge::Expired;
    let expired = is_expired.then(|| Notice { tone: "info", text: words.say("account-form-expired") });
    let sessions: Vec<Value> = page.sessions.iter().map(|session| shown(session, words)).collect();
    View {
        template: "account.html",
        title: words.say("account-title"),
        refers: is_expired,
        notice: expired.or(done),
        problem: None,
        values: context! {
            user_name => page.user_name.as_str(),
            number => match &page.number {
                OwnNumber::None | OwnNumber::NoneYet => words.say("account-number-none"),
                OwnNumber::Ending(ending) | OwnNumber::EndingOwn(ending) => words.with("account-number-ending", &[("ending", ending.as_str().into())]),
            },
            number_hint => match &page.number {
                OwnNumber::None | OwnNumber::Ending(_) => Some(words.say("number-by-operator")),
                OwnNumber::NoneYet => Some(words.say("number-first-hint")),
                OwnNumber::EndingOwn(_) => None,
            },
            number_link => match &page.number {
                OwnNumber::None | OwnNumber::Ending(_) => None,
                OwnNumber::NoneYet => Some(words.say("number-first-title")),
                OwnNumber::EndingOwn(_) => Some(words.say("number-title")),
            },
            has_others => sessions.len() > 1,
            sessions,
        },
    }
}

fn password(page: &ChangePasswordPage, words: &Words<'_>) -> View {
    let problem = page.problem.map(|problem| match problem {
        ChangePasswordProblem::PresentMissing => FieldProblem::both("password", words.say("login-password-missing")),
        ChangePasswordProblem::PresentNotCorrect => {
            FieldProblem::both("password", words.say("account-password-not-correct"))
        }
        ChangePasswordProblem::New(NewPasswordProblem::Same) => {
            FieldProblem::both("new_password", words.say("account-password-same"))
        }
        ChangePasswordProblem::New(problem) => new_password::field_problem(problem, page.min_length, words),
    });
    let field = |name, label: &str, autocomplete, hint: Option<String>| {
        context! { name, label => words.say(label), autocomplete, hint }
    };
    let is_expired = page.form == FormAge::Expired;
    View {
        template: "account_password.html",
        title: words.say("account-password-title"),
        refers: problem.is_some() || is_expired,
        notice: is_expired.then(|| Notice { tone: "info", text: words.say("account-form-expired") }),
        problem,
        values: context! {
            user_name => page.user_name.as_str(),
            fields => [
                field("password", "account-password-present", "current-password", None),
                field("new_password", "new-password-label", "new-password", Some(new_password::hint(page.min_length, words))),
                field("repeated", "new-password-again", "new-password", None),
            ],
        },
    }
}

fn number_password(page: &NumberPasswordPage, words: &Words<'_>) -> View {
    let problem = page.problem.map(|problem| {
        let key = match problem {
            NumberPasswordProblem::Missing => "login-password-missing",
            NumberPasswordProblem::NotCorrect => "account-password-not-correct",
        };
        FieldProblem::both("password", words.say(key))
    });
    let is_expired = page.form == FormAge::Expired;
    let (title, why, button) = match page.number {
        NumberIs::First => ("number-first-title", "number-first-why", "number-first-button"),
        NumberIs::Another => ("number-title", "number-why", "step-up-button"),
    };
    View {
        template: "account_number_password.html",
        title: words.say(title),
        refers: problem.is_some() || is_expired,
        notice: is_expired.then(|| Notice { tone: "info", text: words.say("account-form-expired") }),
        problem,
        values: context! { user_name => page.user_name.as_str(), why => words.say(why), button => words.say(button) },
    }
}

fn new_number(page: &NewNumberPage, words: &Words<'_>) -> View {
    let problem = page.problem.as_ref().map(|problem| match problem {
        NewNumberProblem::Unusable(problem) => phone_problem(problem, words),
        NewNumberProblem::Same => FieldProblem::both("phone", words.say("number-same")),
    });
    let is_expired = page.form == FormAge::Expired;
    View {
        template: "account_number.html",
        title: words.say("number-title"),
        refers: problem.is_some() || is_expired,
        notice: is_expired.then(|| Notice { tone: "info", text: words.say("phone-form-expired") }),
        problem,
        values: context! {
            phone => page.phone.as_str(),
            example => page.example.as_str(),
            countries => calling_codes(&page.calling_codes, words),
            ticket => false,
        },
    }
}

fn shown(session: &ShownSession, words: &Words<'_>) -> Value {
    let device = device(session.device, words);
    let moment = session.opened_at.to_the_minute();
    let which =
        words.with("account-end-which", &[("device", device.as_str().into()), ("time", moment.as_str().into())]);
    context! {
        id => session.id.as_str(),
        is_this => session.is_this,
        device,
        elsewhere => session.elsewhere.as_deref(),
        opened_at => session.opened_at.to_string(),
        opened => moment,
        source => session.source.as_deref(),
        which,
    }
}

fn device(device: Device, words: &Words<'_>) -> String {
    match (device.browser, device.system) {
        (Some(browser), Some(system)) => {
            words.with("account-device", &[("browser", browser.into()), ("system", system.into())])
        }
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => words.with("account-device-system", &[("system", system.into())]),
        (None, None) => words.say("account-device-unknown"),
    }
}
