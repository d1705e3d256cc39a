//! File and environment to `Config`; reports every mistake at once. Floor: roof.
