//! The page that asks for a first number, as a plain value. Floor: pages.

use super::page::FormAge;
use crate::domain::phone::PhoneProblem;

/// The number to enrol.
#[derive(Clone, Debug)]
pub struct PhonePage {
    /// As typed before; empty at first.
    pub phone: String,
    /// A number of the first allowed country, written with its country code.
    pub example: String,
    /// The country codes that can be texted, without `+`.
    pub calling_codes: Vec<u16>,
    pub ticket: TicketField,
    pub form: FormAge,
    pub problem: Option<PhoneProblem>,
}

/// The ticket beside the number. What was typed is not shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketField {
    /// None is asked for, or it was shown already.
    NotAsked,
    Asked,
    Missing,
    /// Wrong, used, past, or tried too often: the sentence is one.
    NotRight,
}
