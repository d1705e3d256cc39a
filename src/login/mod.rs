//! Getting in and staying in, told as a story over ports. Floor: imports `domain`.

pub mod directory;
pub mod ports;
