//! The page that asks for the number of an account that has none. Floor: edge.

use axum::response::Response;

use super::code;
use super::visit::{Submission, Visit};
use crate::domain::phone::PhoneProblem;
use crate::login::{PendingStage, PhoneOutcome};
use crate::pages::enrolment::{PhonePage, TicketField};
use crate::pages::page::{FormAge, MessageKind, NoNumberReason, Page};
use crate::web::paths;

/// GET: the form. Also for a number that was given but not proved yet: another one can take its place.
pub(super) async fn show(visit: Visit) -> Response {
    page(&visit, String::new(), FormAge::Fresh, None, TicketField::Asked).await
}

/// POST: the number.
pub(super) async fn submit(submission: Submission) -> Response {
    let (visit, opened) = submission.of_login();
    let (form, handle) = match opened {
        Ok(opened) => opened,
        Err(stale) => {
            return page(&visit, stale.shown_again("phone").to_owned(), FormAge::Expired, None, TicketField::Asked)
                .await;
        }
    };
    let typed = form.field("phone").to_owned();
    let ticket = form.field("ticket").trim().to_owned();
    let without_ticket = if ticket.is_empty() { TicketField::Missing } else { TicketField::NotRight };
    let site = &visit.context.site;
    let step = visit.login().submit_phone(site, &handle, typed.clone(), ticket, visit.client(), visit.language);
    match step.await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(PhoneOutcome::NeedsCode(report)) => code::after_first_send(&visit, report),
        Ok(PhoneOutcome::Problem(problem)) => {
            page(&visit, typed, FormAge::Fresh, Some(problem), TicketField::Asked).await
        }
        Ok(PhoneOutcome::TicketRefused) => page(&visit, typed, FormAge::Fresh, None, without_ticket).await,
        Ok(PhoneOutcome::TooMany(wait)) => visit.page(&Page::TooManyTries { wait }),
        Ok(PhoneOutcome::Over) => code::over(&visit),
        Ok(PhoneOutcome::Closed) => visit.page(&Page::NoNumber(NoNumberReason::EnrolmentClosed)),
    }
}

/// `ticket`: how its field is shown when a ticket is owed.
async fn page(
    visit: &Visit,
    phone: String,
    form: FormAge,
    problem: Option<PhoneProblem>,
    ticket: TicketField,
) -> Response {
    let (handle, pending) = match code::pending(visit).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    match pending.stage {
        PendingStage::Code(stage) if !stage.enrolling => return visit.see(paths::CODE),
        PendingStage::NewPassword => return visit.see(paths::NEW_PASSWORD),
        PendingStage::Code(_) | PendingStage::Phone => {}
    }
    let (example, calling_codes) = numbers_asked_for(visit);
    let ticket = if pending.ticket_owed { ticket } else { TicketField::NotAsked };
    let page = PhonePage { phone, example, calling_codes, ticket, form, problem };
    visit.form_page(&Page::Phone(page), handle.bytes())
}

/// A number as an example, and the country codes that can be texted.
pub(super) fn numbers_asked_for(visit: &Visit) -> (String, Vec<u16>) {
    let countries = &visit.login().settings().countries;
    let mut calling_codes: Vec<u16> = Vec::new();
    for code in countries.iter().map(|country| country.calling_code()) {
        if !calling_codes.contains(&code) {
            calling_codes.push(code);
        }
    }
    (countries.first().map(|country| country.example_mobile()).unwrap_or_default(), calling_codes)
}
