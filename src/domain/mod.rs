//! The rules: no I/O, no async, no clock, no HTTP. Floor: ground, imports nothing of ours.

pub mod gsm7;
pub mod language;
