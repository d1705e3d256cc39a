//! Vestibule: a reverse-proxy authentication gateway. Password and SMS code in front of an application that cannot be changed.
//!
//! # The way of a request
//!
//! ```text
//! downstream ─► gateway: classify(head, session, rules) ─┬─ Portal ──────────► portal (a router in this process) ─► login ─► ports
//!                                                        ├─ Verify ──────────► another proxy that asks: 200 with the identity │ 401 │ 403
//!                                                        ├─ Refuse ──────────► 303 to sign-in │ 401 problem document │ 403 404 405 421
//!                                                        └─ Proxy(Admission) ► upstream
//! portal:   password ─► [NeedsPhone] ─► NeedsCode ─► VerifiedLogin ─► Session ─► back to the page first asked for
//! ```
//!
//! Start reading at [`gateway::classify`], then [`login`], then [`domain::pending`] and [`domain::session`].
//!
//! # Rooms and floors
//!
//! From the ground up; imports point down, and `tests/blackbox/architecture` holds it.
//!
//! * [`domain`]: the rules. No I/O, no async, no clock, no HTTP. Imports nothing of ours.
//! * [`metrics`]: what is counted while the process runs. Nothing decides by it. Imports nothing of ours.
//! * [`login`]: getting in and staying in, told as a story over ports (`login::ports`). Imports `domain` and `metrics`.
//! * [`web`]: what the edges share of HTTP: cookies, client address, return path. Imports `domain`.
//! * [`pages`]: what pages are made of: templates, languages, forms, headers. Imports `web`.
//! * The edges, which import those below and never each other: [`gateway`] (pingora), [`portal`] (what users do), [`admin`] (what operators
//!   do), [`adapters`] (Redis, memory, SQL, SMS, hashing threads: each implements a port).
//! * The roof, which imports all: [`app`] builds and starts everything, [`config`] reads the operator's file, [`cli`] is the command line.
//!
//! pingora is named only in `gateway` and `app`; redis and sqlx only in `adapters`; axum only in `portal`, `admin`, `pages`, `gateway::bridge` and `app`; prometheus only in `metrics`.
//!
//! # Invariants, each with the test that holds it
//!
//! 1. `domain` does no I/O and reads no clock (`architecture`: the floors).
//! 2. A request is proxied, or another proxy told that it may go on, only with an `Admission`, which only `Admission::judge` makes (`gateway::classify_tests`, `gateway::tests`).
//! 3. A `Session` is opened only by a `VerifiedLogin`, which only `NeedsCode::check` makes (and `NeedsNewPassword` keeps while a one-time password is changed), or by a `PasswordOnly`, which there is none of once
//!    two-factor sign-in is active (`domain::pending::tests`, `activation` in the black-box suite).
//! 4. Identity headers from downstream never reach the upstream, whatever their spelling (`gateway::headers`, `forwarding`).
//! 5. A guess is counted in a committed transaction before it is compared: `NeedsCode::check` asks for the `ChargedAttempt` (`races`).
//! 6. A code, password, full phone number, cookie or key is in no log, page, error or store in clear (`secrets`, and every black-box stack at its end).
//! 7. A store that does not answer is 503: never a logout, never an entry (`outages`).
//! 8. Between any two effects of the flow stands a fail-point (`architecture::effects`, `crash`).

pub mod domain;
pub mod metrics;

pub mod login;
pub mod web;

pub mod pages;

pub mod adapters;
pub mod admin;
pub mod gateway;
pub mod portal;

pub mod app;
pub mod cli;
pub mod config;
