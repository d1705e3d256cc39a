//! What portal and admin pages are made of: texts, templates, the look of a site, forms, security headers.
//!
//! Plain functions over plain inputs: routes, cookies and the state of a sign-in are the portal's. Floor: imports `web`.

pub mod accent;
pub mod assets;
pub mod circle;
pub mod enrolment;
pub mod form;
pub mod language_choice;
pub mod look;
pub mod notice_text;
pub mod operators;
pub mod operators_figures;
pub mod own;
pub mod page;
pub mod render;
pub mod security_headers;
pub mod sms_text;
pub mod texts;

mod view;

#[cfg(test)]
mod render_tests_own;
