//! `two_factor`: when a code is asked for, how numbers come to accounts, and what a code is. Floor: roof.

use std::time::Duration;

use super::node::{Node, Slot};
use crate::domain::time::Day;

/// The second factor.
#[derive(Clone, Debug)]
pub struct TwoFactor {
    pub activation: Activation,
    pub announcement: Option<Announcement>,
    pub phone_numbers: PhoneNumbers,
    pub enrolment: Enrolment,
    pub code: Code,
    /// How long a right password may wait for its code; at most ten minutes (NIST SP 800-63B-4 §3.1.3.2).
    pub login_lifetime: Duration,
}

/// How an installation begins. Once activated it stays so; SQL remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Everybody needs both factors.
    Active,
    /// Password only, until `two-factor activate`.
    Staged,
}

/// What the sign-in page says of the activation while the installation is staged.
#[derive(Clone, Copy, Debug)]
pub struct Announcement {
    /// Said from then on.
    pub from: Day,
    /// When it is to be activated: a day that is said, and nothing that happens by itself.
    pub activation: Day,
}

/// How phone numbers come to accounts. The operator has to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneNumbers {
    /// Defined by the operator.
    PreRegistered,
    /// Asked for at the first sign-in, inside the enrolment window.
    SelfRegistered,
}

/// When a user may give a number. Without effect when numbers are pre-registered.
#[derive(Clone, Copy, Debug)]
pub struct Enrolment {
    /// From account creation, activation or `open-enrolment`.
    pub window: Duration,
    pub ticket: Ticket,
    /// So many accounts may have one number. Operators are warned beyond it, not refused.
    pub accounts_per_number: u32,
}

/// Whether a user needs a ticket to give a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticket {
    /// The password and the open window are enough.
    Off,
    /// One that an operator made, given by another way than the password.
    Required,
}

/// What a code is and how often it may be tried and sent.
#[derive(Clone, Debug)]
pub struct Code {
    /// Digits: 6 to 8.
    pub length: u8,
    /// 1 to 10 minutes, and never longer than `login_lifetime`.
    pub lifetime: Duration,
    /// Tries in one login, over all its codes.
    pub attempts: u32,
    /// SMS in one login, the first included.
    pub sends: u32,
    /// The wait before the first resend, the second, …; the last one repeats. At least one.
    pub resend_after: Vec<Duration>,
}

pub(super) fn read(node: &Node<'_>) -> TwoFactor {
    let two_factor = TwoFactor {
        activation: node
            .key(
                "activation",
                "How an installation begins. `active`: everybody needs password and code. `staged`: the password only, until `vestibule two-factor \
                 activate`; after that (and after once serving with `active`) `staged` is refused at start.",
            )
            .choice(&[("active", Activation::Active), ("staged", Activation::Staged)])
            .or("active"),
        announcement: node
            .key(
                "announcement",
                "What the sign-in page says while the installation is `staged`: that a code will be needed, from which day on. It activates nothing: an \
                 operator does (`vestibule two-factor activate`).",
            )
            .maybe_section(|node| {
                let day = |slot: Slot<'_>, example| {
                    slot.text(10)
                        .parsed("a day such as 2027-01-31", |text| {
                            Day::parse(&text).ok_or_else(|| format!("{text:?} is no day"))
                        })
                        .required(example)
                };
                let announcement = Announcement {
                    from: day(node.key("from", "The first day on which it is said (UTC)."), "\"2027-01-04\""),
                    activation: day(node.key("activation", "The day on which you mean to activate."), "\"2027-01-31\""),
                };
                if announcement.activation < announcement.from {
                    node.refuse("activation", &["from"], "it is before two_factor.announcement.from", "that day or a later one");
                }
                announcement
            }),
        phone_numbers: node
            .key(
                "phone_numbers",
                "How phone numbers come to accounts. Choose with your security officer. `pre_registered`: you define them; a user cannot sign in before. \
                 `self_registered`: a user is asked at the first sign-in, inside the enrolment window: who has the password first, chooses the number.",
            )
            .choice(&[("pre_registered", PhoneNumbers::PreRegistered), ("self_registered", PhoneNumbers::SelfRegistered)])
            .choose("pre_registered"),
        enrolment: node.key("enrolment", "For `self_registered` numbers only.").section(|node| Enrolment {
            window: node
                .key("window", "How long a user may give a number: from the account's creation, the activation, or `vestibule user open-enrolment`.")
                .duration("1h", "90d")
                .or("7d"),
            ticket: node
                .key(
                    "ticket",
                    "Whether a user needs a one-time ticket to give a number, so that a stolen password is not enough. `required`: `vestibule user \
                     open-enrolment` (or the page of the account) makes one and shows it once; give it by another way than the password. It is good while \
                     the window is open, for one number.",
                )
                .choice(&[("off", Ticket::Off), ("required", Ticket::Required)])
                .or("off"),
            accounts_per_number: node
                .key(
                    "accounts_per_number",
                    "How many accounts may be given the same number by their users: with one, nobody adds the own phone to a colleague's account, and a \
                     stolen phone is worth one account. More for phones that are shared. Operators may go beyond it (`user set-phone`, `import`), and are told.",
                )
                .count(1, 20)
                .or("1"),
        }),
        code: node.key("code", "The code that is sent by SMS.").section(read_code),
        login_lifetime: node
            .key("login_lifetime", "How long a right password may wait for its code (NIST SP 800-63B-4 §3.1.3.2: at most ten minutes).")
            .duration("1m", "10m")
            .or("10m"),
    };
    if two_factor.code.lifetime > two_factor.login_lifetime {
        node.refuse(
            "code.lifetime",
            &["login_lifetime"],
            "it is longer than two_factor.login_lifetime",
            "at most the login's lifetime",
        );
    }
    two_factor
}

fn read_code(node: &Node<'_>) -> Code {
    Code {
        length: node
            .key("length", "Digits (NIST SP 800-63B-4 §3.1.3.2: at least six).")
            .count(6, 8)
            .parsed("a number from 6 to 8", |length| u8::try_from(length).map_err(|error| error.to_string()))
            .or("6"),
        lifetime: node.key("lifetime", "How long a code can be used.").duration("1m", "10m").or("5m"),
        attempts: node.key("attempts", "How many codes may be tried in one login.").count(1, 10).or("5"),
        sends: node.key("sends", "How many SMS one login may send, the first included.").count(1, 10).or("4"),
        resend_after: node
            .key("resend_after", "How long a user waits before another SMS can be asked for: the first time, the second, and so on. The last one repeats.")
            .list(1, 10, |slot| slot.duration("10s", "5m").required("30s"))
            .or("[30s, 60s, 90s]"),
    }
}
