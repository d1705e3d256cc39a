//! Accounts: listed, shown, added, and what is said of their persons. Floor: edge.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::bodies::{AccountQuery, Asked, Json, Named, NewAccount, Profile, Status, at_most, page_size, reason};
use super::caller::Caller;
use super::cursor;
use super::problem::Refused;
use crate::admin::accounts::{AccountFilter, Newcomer, PasswordSource, PhoneFilter};
use crate::admin::operations::{OperationError, Refusal};
use crate::admin::provisioning::ProfileChange;
use crate::admin::view::AccountView;
use crate::domain::account::AccountStatus;
use crate::domain::operator::OperatorAction;
use crate::domain::password::Password;
use crate::domain::phone::Country;
use crate::domain::ticket::Ticket;
use crate::domain::user_name::UserName;

/// Some accounts, by user name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountList {
    accounts: Vec<AccountView>,
    /// Asks for the next page; null: there are no more.
    next_cursor: Option<String>,
}

/// An account that was added, or is there already as it was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AddedAccount {
    account: AccountView,
    /// For one sign-in, where it is changed. Given once, to whoever added the account: null when it was there already.
    one_time_password: Option<String>,
    one_time_password_expires_at: Option<String>,
    /// With which the user may give a number, where tickets are asked for. Given once.
    ticket: Option<String>,
}

pub(super) async fn list(
    caller: Caller,
    Asked(query): Asked<AccountQuery>,
) -> Result<axum::Json<AccountList>, Refused> {
    let most = page_size(query.limit)?;
    let after = query.cursor.as_deref().map(|text| cursor::read(text, |key| UserName::parse(key).ok())).transpose()?;
    let filter = AccountFilter {
        status: query.status.map(|status| match status {
            Status::Active => AccountStatus::Active,
            Status::Disabled => AccountStatus::Disabled,
        }),
        phone: query.phone.as_deref().map(phone_filter).transpose()?,
        only_locked: query.locked.unwrap_or(false),
        matching: query.matching.map(|text| at_most(254, text)).transpose()?.filter(|text| !text.is_empty()),
    };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let page = caller.operations().account_page(&filter, after, most, caller.now).await?;
    let policy = caller.operations().policy();
    Ok(axum::Json(AccountList {
        accounts: page.accounts.iter().map(|account| AccountView::of(account, policy, caller.now)).collect(),
        next_cursor: page.next.map(|name| cursor::after(name.as_str())),
    }))
}

pub(super) async fn show(caller: Caller, Named(name): Named) -> Result<axum::Json<AccountView>, Refused> {
    Ok(axum::Json(view(&caller, &name).await?))
}

/// 201 for whoever adds it; 200 when it is there already, as it was asked for.
pub(super) async fn add(caller: Caller, Json(body): Json<NewAccount>) -> Result<Response, Refused> {
    caller.needs(OperatorAction::Add)?;
    let why = reason(&body.reason)?;
    let user_name = UserName::parse(&body.user_name)
        .map_err(|problem| Refused::unprocessable("invalid_user_name", problem.to_string()))?;
    let ticket = (caller.operations().asks_for_tickets() && body.phone.is_none()).then(Ticket::generate);
    let newcomer = Newcomer {
        user_name: user_name.clone(),
        name: body.name,
        email: body.email,
        phone: body.phone,
        language: body.language.map(|language| language.language()),
        ticket: ticket.clone(),
    };
    let act = caller.act();
    match caller.operations().add(&act, newcomer.clone(), PasswordSource::Generated, Some(&why)).await {
        Ok(password) => {
            let until = caller.operations().one_time_until(act.now).to_string();
            let added = AddedAccount {
                account: view(&caller, &user_name).await?,
                one_time_password_expires_at: password.as_ref().map(|_| until),
                one_time_password: password.as_ref().map(Password::reveal).map(str::to_owned),
                ticket: ticket.map(|ticket| ticket.reveal().to_string()),
            };
            Ok((StatusCode::CREATED, axum::Json(added)).into_response())
        }
        Err(OperationError::Refused(Refusal::NameTaken(name))) => {
            let account = caller.operations().account(&name).await?;
            if !caller.operations().is_as_said(&account, &newcomer)? {
                return Err(Refusal::NameTaken(name).into());
            }
            let there = AddedAccount {
                account: AccountView::of(&account, caller.operations().policy(), caller.now),
                one_time_password: None,
                one_time_password_expires_at: None,
                ticket: None,
            };
            Ok(axum::Json(there).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn change_profile(
    caller: Caller,
    Named(name): Named,
    Json(body): Json<Profile>,
) -> Result<axum::Json<AccountView>, Refused> {
    caller.needs(OperatorAction::ChangeProfile)?;
    let why = reason(&body.reason)?;
    let language = body.language.map(|language| language.language());
    let change = ProfileChange { name: body.name, email: body.email, language };
    let effect = caller.operations().change_profile(&caller.act(), &name, change, &why).await?;
    caller.apply(&effect);
    Ok(axum::Json(view(&caller, &name).await?))
}

/// As it is now.
pub(super) async fn view(caller: &Caller, name: &UserName) -> Result<AccountView, Refused> {
    let account = caller.operations().account(name).await?;
    Ok(AccountView::of(&account, caller.operations().policy(), caller.now))
}

fn phone_filter(text: &str) -> Result<PhoneFilter, Refused> {
    match text {
        "with" => Ok(PhoneFilter::With),
        "without" => Ok(PhoneFilter::Without),
        "enrolling" => Ok(PhoneFilter::Enrolling),
        country => Country::parse(country).map(PhoneFilter::Of).ok_or_else(|| {
            Refused::unprocessable("invalid_query", "phone: with, without, enrolling, or a country such as BE")
        }),
    }
}
