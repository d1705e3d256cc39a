//! Handing a text message to a vendor over HTTP, as the operator describes that vendor; and to the terminal, for the demo.
//! One attempt at one vendor, and what came of it. Deliberately knows nothing of the order of vendors, of limits, or of what a text says.
//! Floor: edge.

pub mod settings;
