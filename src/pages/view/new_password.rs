//! What the page for a new password shows. Floor: pages.

use minijinja::context;

use super::{FieldProblem, Notice, View, Words};
use crate::pages::page::{FormAge, NewPasswordPage, NewPasswordProblem};

pub(super) fn view(page: &NewPasswordPage, words: &Words<'_>) -> View {
    let length = [("length", i64::try_from(page.min_length).unwrap_or(i64::MAX).into())];
    let problem = page.problem.map(|problem| {
        let (field, key) = match problem {
            NewPasswordProblem::Missing => ("new_password", "missing"),
            NewPasswordProblem::Differs => ("repeated", "differs"),
            NewPasswordProblem::TooShort => ("new_password", "too-short"),
            NewPasswordProblem::TooLong => ("new_password", "too-long"),
            NewPasswordProblem::Common => ("new_password", "common"),
            NewPasswordProblem::Named => ("new_password", "named"),
            NewPasswordProblem::Guessable => ("new_password", "guessable"),
            NewPasswordProblem::Same => ("new_password", "same"),
        };
        FieldProblem::both(field, words.with(&format!("new-password-{key}"), &length))
    });
    let is_expired = page.form == FormAge::Expired;
    View {
        template: "new_password.html",
        title: words.say("new-password-title"),
        refers: problem.is_some() || is_expired,
        notice: is_expired.then(|| Notice { tone: "info", text: words.say("new-password-form-expired") }),
        problem,
        values: context! { user_name => page.user_name.as_str(), hint => words.with("new-password-hint", &length) },
    }
}
