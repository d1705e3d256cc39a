//! `key`: the random keys that `signing_keys` and `accounts.encryption_keys` want. Floor: roof.

use base64::Engine as _;
use zeroize::Zeroizing;

use super::output::{self, Failure};
use crate::domain::keys::ROOT_KEY_LENGTH;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Arguments {
    /// Print 32 random bytes in base64. Keep them in a file that only the gateway can read
    Generate,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::Generate => output::print(&generate()),
    }
}

/// A key as it stands in a file, with a newline.
pub(super) fn generate() -> Zeroizing<String> {
    let bytes: Zeroizing<[u8; ROOT_KEY_LENGTH]> = Zeroizing::new(rand::random());
    let mut text = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(bytes.as_slice()));
    text.push('\n');
    text
}
