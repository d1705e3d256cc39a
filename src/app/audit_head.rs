//! Tells the log where the audit chain has got to, so that records that are taken away together with their head are missed: the log is kept
//! elsewhere. Floor: roof.

use std::sync::Arc;
use std::time::Duration;

use crate::login::chain;
use crate::login::trail::Trail;

/// How often it is looked whether the head has moved: records of the command line are told by nobody else. Our own figure.
const EVERY: Duration = Duration::from_secs(60);

/// Goes on until the process ends. Says the head at the start and when it has moved.
pub(super) async fn publish(trail: Arc<dyn Trail>) {
    let mut told = None;
    loop {
        match trail.head().await {
            Ok(head) if told.as_ref() != Some(&head) => {
                tracing::info!(target: "vestibule::audit", %head, "the audit chain has got here");
                told = Some(head);
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(cause = chain(&error), "the head of the audit chain could not be read"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
