//! The roof: builds every room from the configuration, starts and stops them.

pub mod sample_application;
