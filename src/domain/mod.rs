//! The rules: no I/O, no async, no clock, no HTTP. Floor: ground, imports nothing of ours.
