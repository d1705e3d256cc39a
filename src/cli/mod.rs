//! The command line, one file a noun. Floor: roof.
