//! What operators do: one implementation of each operation, under the command line and whatever else comes to offer it.
//! Decides nothing about signing in and knows no SQL: it asks the `Directory`. Floor: edge.

pub mod accounts;
pub mod activation;
pub mod api;
pub mod audit;
pub mod export;
pub mod import;
pub mod operations;
pub mod operators;
pub mod pages;
pub mod profile;
pub mod provisioning;
pub mod sessions;
pub mod sms;
pub mod tokens;
pub mod upkeep;
pub mod view;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
