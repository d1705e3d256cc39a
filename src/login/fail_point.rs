//! Every effect of a sign-in passes through here, so that between any two of them stands a named place where tests make the process die, or wait.
//! Nothing happens there unless the configuration says `testing: true` and `VESTIBULE_FAILPOINT` names one. Floor: login.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// Every fail-point. A test reads the sources: each call of a port that changes something stands inside `effect`, with a name of this list.
pub const ALL: &[&str] = &[
    "network.failure_charged",
    "network.failure_taken_back",
    "network.login_charged",
    "network.login_taken_back",
    "password.failure_charged",
    "password.failure_taken_back",
    "password.refusal_recorded",
    "password.accepted",
    "password.login_put",
    "password.session_opened",
    "step_up.login_put",
    "ticket.charged",
    "ticket.accepted_recorded",
    "ticket.refusal_recorded",
    "phone.number_put",
    "send.code_chosen",
    "send.charged",
    "send.handed_over",
    "send.answer_noted",
    "send.failure_noted",
    "send.settled",
    "send.taken_back",
    "send.refusal_recorded",
    "code.attempt_spent",
    "code.attempt_charged",
    "code.refusal_recorded",
    "code.session_opened",
    "code.password_owed",
    "code.login_finished",
    "sign_out.session_ended",
    "account.session_ended",
    "account.others_ended",
    "account.password_changed",
    "account.change_put",
    "account.enrolment_put",
    "account.old_number_proved",
    "account.number_put",
    "account.number_changed",
    "notice.claimed",
    "notice.handed_over",
    "notice.mailed",
    "notice.settled",
];

static ARMED: OnceLock<Armed> = OnceLock::new();
/// How often a step that waits looks whether it may go on. Tests only.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

enum Armed {
    /// The process dies there.
    Dies(String),
    /// Where a file of the fail-point's name lies in this folder, the step says `NAME.reached` beside it and waits until the file is gone.
    Waits(PathBuf),
}

/// Makes the process die at `name`; or, for `wait:FOLDER`, wait wherever a file in that folder says so. Called once, at start, by a process that
/// says it is a test.
///
/// # Errors
/// The name is not in `ALL`, the folder is none, or one is armed already.
pub fn arm(name: &str) -> Result<(), String> {
    let armed = match name.strip_prefix("wait:") {
        Some(folder) if Path::new(folder).is_dir() => Armed::Waits(PathBuf::from(folder)),
        Some(folder) => return Err(format!("{folder:?} is no folder in which fail-points could wait")),
        None if ALL.contains(&name) => Armed::Dies(name.to_owned()),
        None => return Err(format!("there is no fail-point {name}; there are: {}", ALL.join(", "))),
    };
    ARMED.set(armed).map_err(|_| format!("a fail-point is armed already, so {name} cannot be"))
}

/// Waits for an effect to happen; the fail-point `name` stands right behind it.
pub(super) async fn effect<T>(name: &'static str, effect: impl Future<Output = T>) -> T {
    let outcome = effect.await;
    match ARMED.get() {
        None => {}
        Some(Armed::Dies(armed)) if armed != name => {}
        Some(Armed::Dies(_)) => {
            // as `kill -9`: nothing unwinds, nothing is flushed
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            std::process::abort();
        }
        Some(Armed::Waits(folder)) => wait_at(name, folder).await,
    }
    outcome
}

async fn wait_at(name: &str, folder: &Path) {
    let held = folder.join(name);
    if held.exists() {
        let _ = std::fs::write(folder.join(format!("{name}.reached")), "");
    }
    while held.exists() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
