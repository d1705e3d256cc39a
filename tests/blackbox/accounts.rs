//! The accounts as a whole: copied, put back, and moved to other keys, by the real program beside a running one.

mod backup;
mod rekey;
mod restore;
mod two_nodes;
