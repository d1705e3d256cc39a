//! What a running gateway works with, and the handle by which the roof changes it: other parts at a reload, draining before the end.
//! Starts nothing and owns no thread. Floor: edge.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use http::HeaderValue;
use tokio::sync::Notify;

use super::admission::Admission;
use super::assertions::Assertions;
use super::bridge::Pages;
use super::classify::ListenerUse;
use super::connection::count::ConnectionCount;
use super::figures::RequestFigures;
use super::message_pages::MessagePages;
use super::seldom::Seldom;
use super::settings::{GatewaySettings, SiteSettings};
use super::streams::live::LiveStreams;
use super::upstreams::Upstreams;
use super::upstreams::health::HealthChecks;
use crate::domain::time::UnixMillis;
use crate::login::ports::Clock;
use crate::login::sessions::Sessions;

/// What a gateway works with. A reload puts another in place; requests under way keep theirs.
pub struct GatewayParts {
    /// What the operator decided.
    pub settings: GatewaySettings,
    /// Our own pages.
    pub pages: Pages,
    /// What operators are served; `None`: nothing, at any listener.
    pub operators: Option<OperatorsSite>,
    /// How message pages look.
    pub message_pages: MessagePages,
    /// Who is signed in.
    pub sessions: Arc<Sessions>,
    /// What upstreams are shown of it, signed.
    pub assertions: Assertions,
    /// Read once a request.
    pub clock: Arc<dyn Clock>,
}

/// Where operators sign in: pages of ours at every path, and no upstream.
#[derive(Clone, Debug)]
pub struct OperatorsSite {
    /// Its name is none that the configuration can give.
    pub site: Arc<SiteSettings>,
    pub pages: Pages,
}

impl GatewayParts {
    /// The sites that a listener serves.
    pub(super) fn sites_at(&self, listener: ListenerUse) -> &[Arc<SiteSettings>] {
        match listener {
            ListenerUse::Operators => {
                self.operators.as_ref().map_or(&[], |operators| std::slice::from_ref(&operators.site))
            }
            ListenerUse::Sites | ListenerUse::RedirectToHttps | ListenerUse::RedirectAndChallenges => {
                &self.settings.sites
            }
        }
    }

    /// The pages of the sites that a listener serves.
    pub(super) fn pages_at(&self, listener: ListenerUse) -> &Pages {
        match (listener, &self.operators) {
            (ListenerUse::Operators, Some(operators)) => &operators.pages,
            // without a place for operators nothing is judged to be for pages there
            (ListenerUse::Operators, None)
            | (ListenerUse::Sites | ListenerUse::RedirectToHttps | ListenerUse::RedirectAndChallenges, _) => {
                &self.pages
            }
        }
    }
}

impl fmt::Debug for GatewayParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayParts").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The parts in use, and what was made from them.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) parts: GatewayParts,
    pub(super) upstreams: Upstreams,
    pub(super) figures: RequestFigures,
}

/// The handle by which the roof changes a running gateway. Cheap to clone; all listeners share it.
#[derive(Clone)]
pub struct GatewayHandle {
    current: Arc<ArcSwap<Current>>,
    draining: Arc<AtomicBool>,
    under_way: Arc<AtomicUsize>,
    /// Those of them that have gone on to an upstream.
    at_upstreams: Arc<AtomicUsize>,
    no_room_at_upstreams: Arc<Mutex<Seldom>>,
    streams: Arc<LiveStreams>,
    replaced: Arc<Notify>,
    connections: ConnectionCount,
}

/// Counts a request for as long as it lasts.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl GatewayHandle {
    /// A gateway that is ready as soon as it listens.
    #[must_use]
    pub fn new(parts: GatewayParts) -> Self {
        let current = Arc::new(ArcSwap::from_pointee(Current::new(parts, None)));
        Self {
            streams: LiveStreams::new(Arc::clone(&current)),
            current,
            draining: Arc::new(AtomicBool::new(false)),
            under_way: Arc::default(),
            at_upstreams: Arc::default(),
            no_room_at_upstreams: Arc::default(),
            replaced: Arc::new(Notify::new()),
            connections: ConnectionCount::default(),
        }
    }

    /// Puts other parts in place for all requests that begin from here on. Upstreams whose settings are the same keep their connections and
    /// what is known of their servers.
    pub fn replace(&self, parts: GatewayParts) {
        let before = self.current();
        self.current.store(Arc::new(Current::new(parts, Some(&before.upstreams))));
        self.replaced.notify_one();
    }

    /// Asks servers whether they are well, for as long as this is polled; it never comes to an end. To be called once, on a runtime that
    /// lives as long as the listeners.
    pub async fn check_health(self) {
        let mut checks = HealthChecks::default();
        loop {
            checks.keep_up_with(&self.current().upstreams);
            self.replaced.notified().await;
        }
    }

    /// From here on the ready probe says no; everything else goes on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Ends every stream that is still open: the time to finish is over.
    pub fn end_streams(&self) {
        self.streams.go_away();
    }

    /// How many requests are being answered or streamed: when draining and zero, the process may end.
    #[must_use]
    pub fn requests_under_way(&self) -> usize {
        self.under_way.load(Ordering::Acquire)
    }

    /// The connections of all listeners.
    #[must_use]
    pub fn connections(&self) -> &ConnectionCount {
        &self.connections
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(super) fn current(&self) -> Arc<Current> {
        self.current.load_full()
    }

    pub(super) fn streams(&self) -> Arc<LiveStreams> {
        Arc::clone(&self.streams)
    }

    pub(super) fn begin(&self) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(Arc::clone(&self.under_way))
    }

    /// Counts a request that goes on to an upstream and takes a connection there; `None` when it is one too many. Over HTTP/1.1 there is never
    /// one too many, as each has a connection of its own that is counted; over HTTP/2 many share one.
    pub(super) fn begin_at_upstream(&self, most: usize) -> Option<UnderWay> {
        let before = self.at_upstreams.fetch_add(1, Ordering::AcqRel);
        let place = UnderWay(Arc::clone(&self.at_upstreams));
        if before < most {
            return Some(place);
        }
        drop(place);
        let mut warning = self.no_room_at_upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(refused) = warning.happened() {
            tracing::warn!(
                refused,
                requests = before,
                "too many requests for upstreams: new ones are answered with 503 (limits.connections.total)"
            );
        }
        None
    }
}

impl Current {
    fn new(parts: GatewayParts, before: Option<&Upstreams>) -> Self {
        let upstreams = Upstreams::new(&parts.settings.upstreams, before);
        let operators = parts.operators.iter().map(|operators| &operators.site);
        let figures = RequestFigures::of_sites(parts.settings.sites.iter().chain(operators).map(|site| &site.name));
        Self { parts, upstreams, figures }
    }

    /// The signed assertion of who is admitted: `None` where the site uses none, or nobody is signed in.
    pub(super) fn assertion_for(
        &self,
        site: &SiteSettings,
        admission: &Admission,
        now: UnixMillis,
    ) -> Option<HeaderValue> {
        site.identity.assertion.as_ref()?;
        Some(self.parts.assertions.of(admission.session()?, &site.origin, now))
    }
}

impl fmt::Debug for GatewayHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayHandle").field("draining", &self.draining).finish_non_exhaustive()
    }
}
