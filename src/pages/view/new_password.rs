//! What the page for a new password shows. Floor: pages.

use fluent_bundle::FluentValue;
use minijinja::context;

use super::{FieldProblem, Notice, View, Words};
use crate::pages::page::{FormAge, NewPasswordPage, NewPasswordProblem};

pub(super) fn view(page: &NewPasswordPage, words: &Words<'_>) -> View {
    let problem = page.problem.map(|problem| field_problem(problem, page.min_length, words));
    let is_expired = page.form == FormAge::Expired;
    View {
        template: "new_password.html",
        title: words.say("new-password-title"),
        refers: problem.is_some() || is_expired,
        notice: is_expired.then(|| Notice { tone: "info", text: words.say("new-password-form-expired") }),
        problem,
        values: context! { user_name => page.user_name.as_str(), hint => hint(page.min_length, words) },
    }
}

/// What is asked of a new password.
pub(super) fn hint(min_length: usize, words: &Words<'_>) -> String {
    words.with("new-password-hint", &[("length", length(min_length))])
}

/// What is wrong with a new password, at its field.
pub(super) fn field_problem(problem: NewPasswordProblem, min_length: usize, words: &Words<'_>) -> FieldProblem {
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
    FieldProblem::both(field, words.with(&format!("new-password-{key}"), &[("length", length(min_length))]))
}

fn length(min_length: usize) -> FluentValue<'static> {
    i64::try_from(min_length).unwrap_or(i64::MAX).into()
}
