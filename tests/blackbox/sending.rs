//! Codes on their way: vendors that misbehave in every way we know, and what the person sees, what is charged and what is logged; who is asked next;
//! and who gets none, so that nobody runs up a bill.

mod guard;
mod providers;
mod vendors;
