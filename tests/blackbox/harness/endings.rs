//! The ways in which an operator or the person ends sessions.

use super::person::Person;
use super::stack::{Account, Stack};
use std::time::Instant;

/// A way to end the sessions of one person.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    SignOut,
    OneSession,
    AllOfUser,
    Disable,
    SetPassword,
    ResetTwoFactor,
    SetPhone,
    ClearPhone,
    Remove,
}

/// All of them.
pub(crate) const WAYS: [Way; 9] = [
    Way::SignOut,
    Way::OneSession,
    Way::AllOfUser,
    Way::Disable,
    Way::SetPassword,
    Way::ResetTwoFactor,
    Way::SetPhone,
    Way::ClearPhone,
    Way::Remove,
];

/// Ends the session of a person who has one, in one way; the moment at which that was said to be done. For tests with several threads.
pub(crate) async fn end(stack: &Stack, way: Way, person: &Person, account: &Account) -> Instant {
    let name = account.name.as_str();
    let command = |words: &[&str], input: &str| tokio::task::block_in_place(|| stack.command(words, input).done());
    let reason = ["--reason", "a test"];
    match way {
        // A life of its own: the person's own cookies are as they were.
        Way::SignOut => {
            person.copy().sign_out().await.expect(303);
        }
        Way::OneSession => {
            let sessions = command(&["session", "list", "--user", name, "--json"], "");
            let sessions: serde_json::Value = serde_json::from_str(&sessions).unwrap();
            assert_eq!(sessions.as_array().map(Vec::len), Some(1), "{sessions}");
            let id = sessions[0]["id"].as_str().unwrap();
            command(&[&["session", "end", id], &reason[..]].concat(), "");
        }
        Way::AllOfUser => {
            command(&[&["session", "end", "--user", name], &reason[..]].concat(), "");
        }
        Way::Disable => {
            command(&[&["user", "disable", name], &reason[..]].concat(), "");
        }
        Way::SetPassword => {
            let words = ["user", "set-password", name, "--password-stdin", "--reason", "drill"];
            command(&words, "another-unlikely-phrase\n");
        }
        Way::ResetTwoFactor => {
            command(&[&["user", "reset-two-factor", name], &reason[..]].concat(), "");
        }
        Way::SetPhone => {
            command(&[&["user", "set-phone", name, "+32470999999"], &reason[..]].concat(), "");
        }
        Way::ClearPhone => {
            command(&[&["user", "clear-phone", name], &reason[..]].concat(), "");
        }
        Way::Remove => {
            command(&[&["user", "remove", name], &reason[..]].concat(), "");
        }
    }
    Instant::now()
}
