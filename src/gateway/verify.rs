//! What another proxy is told that asks before it passes a request on (`auth_request`, `ForwardAuth`): the decision of `classify`, about the
//! request that `original` has read. Writes no answer: `answers` does, `proxy` sends it. Floor: edge (pure).

use std::sync::Arc;

use super::admission::Admission;
use super::classify::{self, Arrival, Asker, Judged, Refusal};
use super::head::RequestHead;
use super::original::{self, Unsaid};
use super::route_rules::Access;
use super::settings::SiteSettings;
use crate::login::sessions::SessionCheck;
use crate::web::return_path::ReturnPath;

/// What another proxy is told about a request that it carries itself.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The site it belongs to; `None` where the host is no site's.
    pub site: Option<Arc<SiteSettings>>,
    /// The same decision as for a request that we would carry.
    pub outcome: Result<Admission, Refusal>,
    /// Who gets to see a refusal.
    pub reader: Reader,
    /// Who seems to ask the other proxy.
    pub asker: Asker,
    /// Path and query of the original request; where they are not known, of the question.
    pub target: Vec<u8>,
    /// Where sign-in leads back to.
    pub return_path: ReturnPath,
    /// What was asked about, or why that is not known.
    pub original: Result<String, Unsaid>,
}

/// Who gets to see the answer that refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The proxy, which answers the browser itself and understands 200, 401 and 403 (nginx).
    Proxy,
    /// The browser: the proxy passes the answer on as it is (Traefik, Caddy, Envoy).
    Browser,
}

/// Judges the request that another proxy asks about.
pub fn verify(
    head: &RequestHead<'_>,
    arrival: Arrival,
    sites: &[Arc<SiteSettings>],
    check: impl FnOnce(&SiteSettings, &str) -> SessionCheck,
) -> Verification {
    let reader = original::reader(head);
    let said = original::read(head, arrival.peer_trust);
    let (asked, arrival) = match &said {
        Ok(original) => original.as_asked(head, arrival),
        Err(_) => (*head, arrival),
    };
    let asker = classify::asker(asked.method, asked.headers);
    let site = classify::site_of(asked.host, arrival.scheme, sites);
    let outcome = match (site, &said) {
        (None, _) => Err(Refusal::Misdirected),
        (Some(site), Ok(_)) => match classify::judge(site, &asked, arrival, check) {
            // nothing of ours goes to the application: the proxy has to pass these paths on to us without asking
            Judged::Ours => Err(Refusal::NotFound(Arc::clone(site))),
            Judged::Admitted(admission, _) => Ok(admission),
            Judged::Refused(refusal) => Err(refusal),
        },
        (Some(site), Err(Unsaid::Conflicting)) => Err(Refusal::Unclear(Arc::clone(site))),
        (Some(site), Err(_)) => judge_unsaid(site, head, arrival, check),
    };
    Verification {
        site: site.map(Arc::clone),
        outcome,
        reader,
        asker,
        return_path: if said.is_ok() { classify::return_path(&asked) } else { ReturnPath::root() },
        target: asked.target(),
        original: said.map(|original| original.to_string()),
    }
}

/// What may be done where it is not known what is asked for: nothing is public, and where a rule denies something, nothing is allowed.
fn judge_unsaid(
    site: &Arc<SiteSettings>,
    head: &RequestHead<'_>,
    arrival: Arrival,
    check: impl FnOnce(&SiteSettings, &str) -> SessionCheck,
) -> Result<Admission, Refusal> {
    if let Some(refusal) = classify::to_https(site, head, arrival, ReturnPath::root) {
        return Err(refusal);
    }
    let access = if site.rules.deny_something() { Access::Deny } else { Access::SignIn };
    classify::admit(site, head, access, check)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
