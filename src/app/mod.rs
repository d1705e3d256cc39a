//! The roof: builds every room from the configuration, starts and stops them.

pub mod clock;
pub mod feed_follower;
pub mod hardening;
pub mod logging;
pub mod sample_application;
