//! Named places between every two effects of a sign-in, where tests make the process die. Nothing happens at them unless the
//! configuration says `testing: true` and `VESTIBULE_FAILPOINT` names one. Floor: login.

use std::sync::OnceLock;

/// Every fail-point, in the order a sign-in reaches them.
pub const ALL: &[&str] = &[
    "password.network_charged",
    "password.failure_charged",
    "password.accepted",
    "password.login_put",
    "password.session_opened",
    "step_up.login_put",
    "phone.number_put",
    "send.code_chosen",
    "send.network_charged",
    "send.prefix_charged",
    "send.charged",
    "send.sent",
    "send.settled",
    "code.network_charged",
    "code.attempt_spent",
    "code.attempt_charged",
    "code.session_opened",
    "code.login_finished",
    "code.completed",
    "sign_out.session_ended",
];

static ARMED: OnceLock<String> = OnceLock::new();

/// Makes the process die at `name`. Called once, at start, by a process that says it is a test.
///
/// # Errors
/// The name is not in `ALL`.
pub fn arm(name: &str) -> Result<(), String> {
    if !ALL.contains(&name) {
        return Err(format!(
            "there is no fail-point {name}; there are: {}",
            ALL.join(", ")
        ));
    }
    ARMED
        .set(name.to_owned())
        .map_err(|armed| format!("the fail-point {armed} is armed already"))
}

/// An effect has just happened.
pub(super) fn reached(name: &'static str) {
    if ARMED.get().is_some_and(|armed| armed == name) {
        std::process::abort();
    }
}
