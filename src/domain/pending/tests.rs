//! What a pending login becomes, and how it is stored.

use super::*;
use crate::domain::secret::SecretBytes;
use crate::domain::ticket::{ChargedTicket, Ticket};

fn keys() -> Keys {
    Keys::new(&[SecretBytes::new(vec![1; 32])]).unwrap()
}

fn facts() -> LoginFacts {
    LoginFacts {
        site: SiteName::new("marketing"),
        account: AccountId::from_bytes([7; 16]),
        user_name: UserName::parse("anna").unwrap(),
        epoch: Epoch(3),
        phone_version: PhoneVersion(2),
        password_at: UnixMillis(5),
        ends_at: UnixMillis(600_005),
        return_path: "/campaigns?x=1#top".into(),
        step_up_of: Some(SessionId::random()),
    }
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::from_stored(text).unwrap()
}

fn shown_ticket() -> TicketShown {
    let ticket = Ticket::generate();
    let account = facts().account;
    ticket.check(&account, &keys(), ChargedTicket::committed(ticket.hash(&account, &keys()))).unwrap()
}

#[test]
fn a_record_comes_back_only_under_its_own_id() {
    let (id, other) = (LoginHandle::random().login_id(), LoginHandle::random().login_id());
    for login in [
        PendingLogin::NeedsPhone(NeedsPhone::new(facts())),
        PendingLogin::NeedsCode(NeedsCode::new(facts())),
        PendingLogin::NeedsCode(NeedsPhone::new(facts()).with_candidate(number("+32470123456"), None)),
        PendingLogin::NeedsCode(NeedsPhone::new(facts()).with_candidate(number("+32470123456"), Some(shown_ticket()))),
        PendingLogin::NeedsNewPassword(NeedsNewPassword::after_code(VerifiedLogin {
            facts: facts(),
            new_phone: Some(Candidate { number: number("+32470123456"), ticket: Some(shown_ticket()) }),
        })),
        PendingLogin::NeedsNewPassword(NeedsNewPassword::after_password(PasswordOnly { facts: facts() })),
    ] {
        let sealed = login.seal(&id, &keys());
        assert_eq!(PendingLogin::open(&id, &sealed, &keys()).as_ref(), Some(&login));
        assert!(PendingLogin::open(&other, &sealed, &keys()).is_none());
    }
}

#[test]
fn a_code_belongs_to_its_login_and_number() {
    let (id, other) = (LoginHandle::random().login_id(), LoginHandle::random().login_id());
    let first = NeedsPhone::new(facts()).with_candidate(number("+32470123456"), None);
    let second = NeedsPhone::new(facts()).with_candidate(number("+32470123457"), None);
    let sealed = first.seal_code(&id, &Code::parse("012345").unwrap(), &keys());
    assert_eq!(first.open_code(&id, &sealed, &keys()).unwrap().reveal(), "012345");
    assert!(first.open_code(&other, &sealed, &keys()).is_none());
    assert!(second.open_code(&id, &sealed, &keys()).is_none());
}

#[test]
fn a_right_code_verifies_and_a_wrong_one_does_not() {
    let code = Code::parse("012345").unwrap();
    let check = |typed: &str| {
        NeedsCode::new(facts()).check(&code, &TypedCode::parse(typed, 6).unwrap(), ChargedAttempt::committed(1))
    };
    assert!(matches!(check("012345"), CodeCheck::Verified(_)));
    assert!(matches!(check("012346"), CodeCheck::Wrong));
}

#[test]
fn the_password_is_not_enough_once_two_factor_is_active() {
    assert!(Activation::Active.password_only(facts()).is_none());
    assert!(Activation::Staged.password_only(facts()).is_some());
}

#[test]
fn a_handle_comes_back_from_its_cookie_and_nothing_else_does() {
    let handle = LoginHandle::random();
    assert_eq!(LoginHandle::from_cookie(&handle.to_cookie()).unwrap().login_id(), handle.login_id());
    for bad in ["", "x", &"A".repeat(42), &"A".repeat(44), "v1.aa.bb"] {
        assert!(LoginHandle::from_cookie(bad).is_none(), "{bad}");
    }
}
