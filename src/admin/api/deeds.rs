//! What is done to an account, each with a reason. Asked for twice, it answers twice the same: with the account as it is then. Floor: edge.

use axum::Json as Answer;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::accounts::view;
use super::bodies::{Because, EndSessions, Enrolment, Json, Named, NewPhone, reason};
use super::caller::Caller;
use super::problem::Refused;
use crate::admin::accounts::PasswordSource;
use crate::admin::operations::{Effect, OperationError, Refusal};
use crate::admin::sessions::{Ended, WhichSessions};
use crate::admin::view::AccountView;
use crate::domain::operator::OperatorAction;
use crate::domain::session::SessionId;
use crate::domain::time::span;
use crate::domain::user_name::UserName;

/// A password for one sign-in, where it is changed. Given once; one that was made before is good for nothing then.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneTimePassword {
    user_name: String,
    one_time_password: String,
    expires_at: String,
}

/// Until when the user may give a number.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpenedEnrolment {
    user_name: String,
    enrolment_until: String,
    /// With which the user may do so, where tickets are asked for. Given once; one that was made before is good for nothing then.
    ticket: Option<String>,
}

type Shown = Result<Answer<AccountView>, Refused>;

pub(super) async fn unlock(caller: Caller, Named(name): Named, Json(body): Json<Because>) -> Shown {
    caller.needs(OperatorAction::Unlock)?;
    let why = reason(&body.reason)?;
    let effect = caller.operations().unlock(&caller.act(), &name, Some(&why)).await?;
    shown(&caller, &name, &effect).await
}

pub(super) async fn reset_two_factor(caller: Caller, Named(name): Named, Json(body): Json<Because>) -> Shown {
    caller.needs(OperatorAction::ResetTwoFactor)?;
    let why = reason(&body.reason)?;
    let effect = caller.operations().reset_two_factor(&caller.act(), &name, &why).await?;
    shown(&caller, &name, &effect).await
}

pub(super) async fn set_phone(caller: Caller, Named(name): Named, Json(body): Json<NewPhone>) -> Shown {
    caller.needs(OperatorAction::SetPhone)?;
    let why = reason(&body.reason)?;
    let effect = caller.operations().set_phone(&caller.act(), &name, &body.phone, Some(&why)).await?;
    shown(&caller, &name, &effect).await
}

pub(super) async fn clear_phone(caller: Caller, Named(name): Named, Json(body): Json<Because>) -> Shown {
    caller.needs(OperatorAction::ClearPhone)?;
    let why = reason(&body.reason)?;
    let effect = caller.operations().clear_phone(&caller.act(), &name, &why).await?;
    shown(&caller, &name, &effect).await
}

pub(super) async fn disable(caller: Caller, Named(name): Named, Json(body): Json<Because>) -> Shown {
    caller.needs(OperatorAction::Disable)?;
    let why = reason(&body.reason)?;
    let effect = caller.operations().disable(&caller.act(), &name, &why).await?;
    shown(&caller, &name, &effect).await
}

pub(super) async fn enable(caller: Caller, Named(name): Named, Json(body): Json<Because>) -> Shown {
    caller.needs(OperatorAction::Enable)?;
    let why = reason(&body.reason)?;
    let effect = caller.operations().enable(&caller.act(), &name, Some(&why)).await?;
    shown(&caller, &name, &effect).await
}

/// 204, also when there is no such account: it is gone.
pub(super) async fn remove(
    caller: Caller,
    Named(name): Named,
    Json(body): Json<Because>,
) -> Result<StatusCode, Refused> {
    caller.needs(OperatorAction::Remove)?;
    let why = reason(&body.reason)?;
    match caller.operations().remove(&caller.act(), &name, &why).await {
        Ok(effect) => caller.apply(&effect),
        Err(OperationError::Refused(Refusal::NoSuchAccount(_))) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn one_time_password(
    caller: Caller,
    Named(name): Named,
    Json(body): Json<Because>,
) -> Result<Answer<OneTimePassword>, Refused> {
    caller.needs(OperatorAction::OneTimePassword)?;
    let why = reason(&body.reason)?;
    let act = caller.act();
    let (effect, password) = caller.operations().set_password(&act, &name, PasswordSource::Generated, &why).await?;
    caller.apply(&effect);
    Ok(Answer(OneTimePassword {
        user_name: name.to_string(),
        one_time_password: password.map(|password| password.reveal().to_owned()).unwrap_or_default(),
        expires_at: caller.operations().one_time_until(act.now).to_string(),
    }))
}

pub(super) async fn open_enrolment(
    caller: Caller,
    Named(name): Named,
    Json(body): Json<Enrolment>,
) -> Result<Answer<OpenedEnrolment>, Refused> {
    caller.needs(OperatorAction::OpenEnrolment)?;
    let why = reason(&body.reason)?;
    let window = match body.window.as_deref() {
        None => None,
        Some(text) => {
            let window = span(text).filter(|window| !window.is_zero() && window.as_secs() <= 30 * 24 * 3600);
            Some(window.ok_or_else(|| {
                Refused::unprocessable("invalid_window", "window: a time such as 24h or 7d, at most 30d")
            })?)
        }
    };
    let opened = caller.operations().open_enrolment(&caller.act(), &name, window, Some(&why)).await?;
    caller.apply(&opened.effect);
    Ok(Answer(OpenedEnrolment {
        user_name: name.to_string(),
        enrolment_until: opened.until.to_string(),
        ticket: opened.ticket.map(|ticket| ticket.reveal().to_string()),
    }))
}

/// One that has ended already is ended.
pub(super) async fn end_sessions(caller: Caller, Named(name): Named, Json(body): Json<EndSessions>) -> Shown {
    caller.needs(OperatorAction::EndSessions)?;
    let why = reason(&body.reason)?;
    let which = match body.session.as_deref() {
        None => WhichSessions::OfUser(name.clone()),
        Some(text) => {
            let session = SessionId::parse(text)
                .ok_or_else(|| Refused::unprocessable("invalid_session", "session: 32 hexadecimal digits"))?;
            WhichSessions::OneOfUser(name.clone(), session)
        }
    };
    match caller.operations().end_sessions(&caller.act(), &which, &why).await? {
        Ended::Some(effect) => caller.apply(&effect),
        Ended::All(_) => {}
    }
    Ok(Answer(view(&caller, &name).await?))
}

async fn shown(caller: &Caller, name: &UserName, effect: &Effect) -> Shown {
    caller.apply(effect);
    Ok(Answer(view(caller, name).await?))
}
