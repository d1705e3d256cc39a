//! Lets every node tell people, all the time, what has changed: SMS and mail each at a pace of their own, so that a slow mail server holds up no
//! SMS. Floor: roof.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::domain::notice::Way;
use crate::login::chain;
use crate::login::notices::Notices;

/// How often it is asked whether something is to be told. Our own figure: it is one reading statement.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Carries out what is due in one way, for as long as the process lives; `notices` is what the configuration in force makes of them.
pub(super) async fn carry_out(way: Way, notices: Arc<ArcSwap<Notices>>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Err(error) = notices.load_full().carry_out(way).await {
            tracing::warn!(
                way = way.name(),
                cause = chain(&error),
                "people cannot be told of changes now; they will be"
            );
        }
    }
}
