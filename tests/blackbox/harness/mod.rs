//! What the tests are made of: the real program and everything around it, each test with its own.
//!
//! Real: redis-server, PostgreSQL, SQLite, Chromium, HAProxy, nginx. Ours: the SMS vendor and the application behind, which keep what
//! they got. Nothing here knows how the program works inside: it starts the binary and talks to its sockets.

pub(crate) mod browser;
pub(crate) mod children;
pub(crate) mod endings;
pub(crate) mod evidence;
pub(crate) mod front;
pub(crate) mod gateway;
pub(crate) mod html;
pub(crate) mod jupyter;
pub(crate) mod mail_server;
pub(crate) mod person;
pub(crate) mod postgres;
pub(crate) mod raw;
pub(crate) mod redis;
pub(crate) mod settings;
pub(crate) mod sms_vendor;
pub(crate) mod stack;
pub(crate) mod steps;
pub(crate) mod tls;
pub(crate) mod upstream;
pub(crate) mod wire;
