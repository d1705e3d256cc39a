//! The table of the API: each path with its method, what it takes and gives, who may, and what answers it. The router and the document are made of it.
//! Floor: edge.

use std::sync::Arc;

use axum::routing::{MethodRouter, get, patch, post};
use utoipa::openapi::HttpMethod;
use utoipa::openapi::path::Parameter;

use super::Desk;
use super::accounts::{self, AccountList, AddedAccount};
use super::bodies::{AccountQuery, AuditQuery, Because, EndSessions, Enrolment, NewAccount, NewPhone, Profile};
use super::deeds::{self, OneTimePassword, OpenedEnrolment};
use super::installation::{self, AuditList, SessionList};
use super::shapes::{self, Shape, no_query, of, query};
use crate::admin::view::{AccountView, TwoFactorView};
use crate::domain::operator::OperatorAction;

/// One thing that can be asked for.
pub(super) struct Endpoint {
    pub(super) method: HttpMethod,
    pub(super) path: &'static str,
    /// The name of the operation in the document.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    /// What the token's role has to be enough for; `None`: any will do.
    pub(super) needs: Option<OperatorAction>,
    pub(super) query: fn() -> Vec<Parameter>,
    pub(super) body: Option<Shape>,
    /// The answers when it is done: the status, what it says, and its form; `None`: no body.
    pub(super) answers: &'static [(u16, &'static str, Option<Shape>)],
    pub(super) handler: fn() -> MethodRouter<Arc<Desk>>,
}

const THE_ACCOUNT: &[(u16, &str, Option<Shape>)] = &[(200, "The account as it is now", Some(of::<AccountView>()))];

const fn deed(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    needs: OperatorAction,
    body: Shape,
    handler: fn() -> MethodRouter<Arc<Desk>>,
) -> Endpoint {
    Endpoint {
        method: HttpMethod::Post,
        path,
        id,
        summary,
        needs: Some(needs),
        query: no_query,
        body: Some(body),
        answers: THE_ACCOUNT,
        handler,
    }
}

pub(super) const ENDPOINTS: [Endpoint; 18] = [
    Endpoint {
        method: HttpMethod::Get,
        path: "/api/v1/accounts",
        id: "list_accounts",
        summary: "Accounts by user name, a page at a time",
        needs: None,
        query: query::<AccountQuery>,
        body: None,
        answers: &[(200, "A page of them", Some(of::<AccountList>()))],
        handler: || get(accounts::list),
    },
    Endpoint {
        method: HttpMethod::Post,
        path: "/api/v1/accounts",
        id: "add_account",
        summary: "Adds an account with a one-time password. An account that is there already as asked for is answered with 200, one that is another with 409",
        needs: Some(OperatorAction::Add),
        query: no_query,
        body: Some(of::<NewAccount>()),
        answers: &[
            (200, "It is there already, as asked for", Some(of::<AddedAccount>())),
            (201, "Added", Some(of::<AddedAccount>())),
        ],
        handler: || post(accounts::add),
    },
    Endpoint {
        method: HttpMethod::Get,
        path: "/api/v1/accounts/{user_name}",
        id: "show_account",
        summary: "One account",
        needs: None,
        query: no_query,
        body: None,
        answers: THE_ACCOUNT,
        handler: || get(accounts::show),
    },
    Endpoint {
        method: HttpMethod::Patch,
        path: "/api/v1/accounts/{user_name}",
        id: "change_profile",
        summary: "Changes what is said of the person; what is left out stays",
        needs: Some(OperatorAction::ChangeProfile),
        query: no_query,
        body: Some(of::<Profile>()),
        answers: THE_ACCOUNT,
        handler: || patch(accounts::change_profile),
    },
    deed(
        "/api/v1/accounts/{user_name}/unlock",
        "unlock",
        "Forgets failed passwords and codes",
        OperatorAction::Unlock,
        of::<Because>(),
        || post(deeds::unlock),
    ),
    deed(
        "/api/v1/accounts/{user_name}/reset-two-factor",
        "reset_two_factor",
        "Ends sessions and sign-ins under way and forgets failures; the next sign-in sends a new code to the number on the account",
        OperatorAction::ResetTwoFactor,
        of::<Because>(),
        || post(deeds::reset_two_factor),
    ),
    deed(
        "/api/v1/accounts/{user_name}/set-phone",
        "set_phone",
        "Sets the number that codes go to; when another one is replaced, sessions end",
        OperatorAction::SetPhone,
        of::<NewPhone>(),
        || post(deeds::set_phone),
    ),
    deed(
        "/api/v1/accounts/{user_name}/clear-phone",
        "clear_phone",
        "Takes the number away; sessions end, enrolment stays closed",
        OperatorAction::ClearPhone,
        of::<Because>(),
        || post(deeds::clear_phone),
    ),
    Endpoint {
        answers: &[(200, "Until when", Some(of::<OpenedEnrolment>()))],
        ..deed(
            "/api/v1/accounts/{user_name}/open-enrolment",
            "open_enrolment",
            "Lets the user give a number at the next sign-in; where tickets are asked for, one is made and given once",
            OperatorAction::OpenEnrolment,
            of::<Enrolment>(),
            || post(deeds::open_enrolment),
        )
    },
    Endpoint {
        answers: &[(200, "The password, given once", Some(of::<OneTimePassword>()))],
        ..deed(
            "/api/v1/accounts/{user_name}/one-time-password",
            "make_one_time_password",
            "Makes a password for one sign-in, where it is changed; sessions end",
            OperatorAction::OneTimePassword,
            of::<Because>(),
            || post(deeds::one_time_password),
        )
    },
    deed(
        "/api/v1/accounts/{user_name}/end-sessions",
        "end_sessions",
        "Ends all sessions and sign-ins under way, or one session",
        OperatorAction::EndSessions,
        of::<EndSessions>(),
        || post(deeds::end_sessions),
    ),
    deed(
        "/api/v1/accounts/{user_name}/disable",
        "disable",
        "Keeps the user from signing in; sessions end",
        OperatorAction::Disable,
        of::<Because>(),
        || post(deeds::disable),
    ),
    deed(
        "/api/v1/accounts/{user_name}/enable",
        "enable",
        "Lets the user sign in again",
        OperatorAction::Enable,
        of::<Because>(),
        || post(deeds::enable),
    ),
    Endpoint {
        answers: &[(204, "There is no such account (any more)", None)],
        ..deed(
            "/api/v1/accounts/{user_name}/remove",
            "remove",
            "Takes the account away; sessions end, the audit trail stays",
            OperatorAction::Remove,
            of::<Because>(),
            || post(deeds::remove),
        )
    },
    Endpoint {
        method: HttpMethod::Get,
        path: "/api/v1/accounts/{user_name}/sessions",
        id: "list_sessions",
        summary: "The user's sessions that are not over, newest first",
        needs: None,
        query: no_query,
        body: None,
        answers: &[(200, "The sessions", Some(of::<SessionList>()))],
        handler: || get(installation::sessions),
    },
    Endpoint {
        method: HttpMethod::Get,
        path: "/api/v1/two-factor",
        id: "two_factor_status",
        summary: "Whether two-factor sign-in is active, and how ready the accounts are for it",
        needs: None,
        query: no_query,
        body: None,
        answers: &[(200, "How things stand", Some(of::<TwoFactorView>()))],
        handler: || get(installation::two_factor),
    },
    Endpoint {
        method: HttpMethod::Get,
        path: "/api/v1/audit",
        id: "list_audit",
        summary: "The audit trail, newest first, a page at a time",
        needs: None,
        query: query::<AuditQuery>,
        body: None,
        answers: &[(200, "A page of it", Some(of::<AuditList>()))],
        handler: || get(installation::audit),
    },
    Endpoint {
        method: HttpMethod::Get,
        path: "/api/v1/openapi.json",
        id: "openapi",
        summary: "This document",
        needs: None,
        query: no_query,
        body: None,
        answers: &[(200, "OpenAPI 3.1", Some(shapes::ANYTHING))],
        handler: || get(installation::openapi),
    },
];
