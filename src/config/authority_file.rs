//! `ca_file`: the authorities of one's own, looked at before whoever uses them opens the file again. Floor: roof.

use std::path::PathBuf;

use super::node::Node;
use crate::gateway::certificates::MOST_PEM_BYTES;
use crate::gateway::pem;

/// The path, when there are certificates in the file; what it could not be used for is noted. `description` and `example` are for the reference.
pub(super) fn read(node: &Node<'_>, description: &'static str, example: &'static str) -> Option<PathBuf> {
    let path = node.key("ca_file", description).path().maybe(example)?;
    let content = node.content("ca_file", &path, MOST_PEM_BYTES)?;
    match pem::certificates(&content.bytes) {
        Ok(_) => Some(path),
        Err(mistake) => {
            node.refuse("ca_file", &[], format!("{} {mistake}", path.display()), mistake.right());
            None
        }
    }
}
