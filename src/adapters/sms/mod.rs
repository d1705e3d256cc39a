//! Handing a text message to a vendor over HTTP, as the operator describes that vendor; and to the terminal, for the demo.
//! One attempt at one vendor, and what came of it. Deliberately knows nothing of the order of vendors, of limits, or of what a text says.
//! Floor: edge.
//!
//! `settings` is what the configuration says; `description` reads it and reports every mistake; `variables`, `template` and `request` make a request of it;
//! `attempt` sends; `verdict` understands the answer.

pub mod attempt;
pub mod check;
pub mod client;
mod credentials;
pub mod description;
mod presets;
pub mod request;
pub mod settings;
mod sigv4;
mod template;
pub mod terminal;
mod variables;
mod verdict;
