//! The roof: builds every room from the configuration, starts and stops them.

mod audit_head;
mod certificate_watch;
pub mod clock;
pub mod demo;
pub mod feed_follower;
mod figures;
pub mod hardening;
pub mod logging;
mod notices;
pub mod probe;
mod reload;
pub mod rooms;
pub mod sample_application;
pub mod serve;
pub mod settings_of;
pub mod sms_texts;
