//! Looks at the files of certificates every few seconds: who renews them need not tell us. Floor: roof.

use std::sync::Arc;
use std::time::Duration;

use crate::gateway::certificate_watch::{Complaints, ListenerCertificates};
use crate::login::ports::Clock;

/// Our own choice: two small files a certificate, read from the page cache.
const EVERY: Duration = Duration::from_secs(2);
/// How long somebody who asked for a look waits for a file system that hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Goes on looking until the process ends.
pub(super) async fn watch(certificates: Arc<ListenerCertificates>, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let (certificates, clock) = (Arc::clone(&certificates), Arc::clone(&clock));
        let looking = tokio::task::spawn_blocking(move || certificates.look(clock.now(), Complaints::WhenTheyStay));
        // On a file system that hangs this waits with it: another look would hang beside it.
        let _ = looking.await;
    }
}

/// Looks now, because somebody asked for it.
pub(super) async fn look(certificates: &Arc<ListenerCertificates>, clock: &Arc<dyn Clock>) {
    let (certificates, clock) = (Arc::clone(certificates), Arc::clone(clock));
    let looking = tokio::task::spawn_blocking(move || certificates.look(clock.now(), Complaints::AtOnce));
    if tokio::time::timeout(PATIENCE, looking).await.is_err() {
        tracing::error!("the files of certificates could not be read in time; the old ones stay");
    }
}
