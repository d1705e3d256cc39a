//! What one client network may try: counted ahead, and taken back when it succeeds, so that an office behind one address signs in. Floor: login.

use std::net::IpAddr;

use super::fail_point::effect;
use super::ports::{LimitKey, Limits, PortResult};
use crate::domain::limits::{Charge, Rate, UnfinishedCaps};
use crate::domain::network::ClientNetwork;
use crate::domain::pending::LoginId;
use crate::domain::time::UnixMillis;

/// The figures for the narrow network (IPv4 /32, IPv6 /64); the wide one (IPv4 /24, IPv6 /48) has `wider_factor` times as much.
#[derive(Clone, Copy, Debug)]
pub struct NetworkCaps {
    /// Passwords and codes that were wrong.
    pub failures: Rate,
    /// Logins that had a code sent and were not completed.
    pub unfinished: UnfinishedCaps,
    pub wider_factor: u32,
}

/// The two networks of one client, from narrow to wide, with what is counted there.
pub(super) struct Networks<'a> {
    limits: &'a dyn Limits,
    caps: &'a NetworkCaps,
    narrow: ClientNetwork,
    wide: ClientNetwork,
}

impl<'a> Networks<'a> {
    pub(super) fn of(limits: &'a dyn Limits, caps: &'a NetworkCaps, address: IpAddr) -> Self {
        Self { limits, caps, narrow: ClientNetwork::narrow(address), wide: ClientNetwork::wide(address) }
    }

    /// Counts a failure ahead of knowing whether it is one.
    pub(super) async fn charge_failure(&self, now: UnixMillis) -> PortResult<Charge> {
        self.charge("failures", now).await
    }

    /// Counts a wrong token of the admin API: by itself, so that a program gone wrong keeps nobody from signing in.
    pub(super) async fn charge_wrong_token(&self, now: UnixMillis) -> PortResult<Charge> {
        self.charge("tokens", now).await
    }

    async fn charge(&self, what: &str, now: UnixMillis) -> PortResult<Charge> {
        for (index, (key, factor)) in self.keys(what).iter().enumerate() {
            let rate =
                Rate { count: self.caps.failures.count.saturating_mul(*factor), window: self.caps.failures.window };
            match effect("network.failure_charged", self.limits.try_spend(key, rate, now)).await? {
                Charge::Granted => {}
                Charge::Wait(wait) => {
                    for (key, _) in self.keys(what).iter().take(index) {
                        effect("network.failure_taken_back", self.limits.give_back(key)).await?;
                    }
                    return Ok(Charge::Wait(wait));
                }
            }
        }
        Ok(Charge::Granted)
    }

    /// It was no failure.
    pub(super) async fn give_back_failure(&self) -> PortResult<()> {
        for (key, _) in &self.keys("failures") {
            effect("network.failure_taken_back", self.limits.give_back(key)).await?;
        }
        Ok(())
    }

    /// Counts a login that has a code sent.
    pub(super) async fn begin_login(&self, login: &LoginId, now: UnixMillis) -> PortResult<Charge> {
        for (key, factor) in &self.keys("logins") {
            let caps = UnfinishedCaps {
                settle_after: self.caps.unfinished.settle_after,
                never_completed: self.caps.unfinished.never_completed.saturating_mul(*factor),
                under_way: self.caps.unfinished.under_way.saturating_mul(*factor),
            };
            match effect("network.login_charged", self.limits.begin_login(key, login, caps, now)).await? {
                Charge::Granted => {}
                Charge::Wait(wait) => {
                    self.complete_login(login).await?;
                    return Ok(Charge::Wait(wait));
                }
            }
        }
        Ok(Charge::Granted)
    }

    /// The login was completed, or its code certainly not sent.
    pub(super) async fn complete_login(&self, login: &LoginId) -> PortResult<()> {
        for (key, _) in &self.keys("logins") {
            effect("network.login_taken_back", self.limits.complete_login(key, login)).await?;
        }
        Ok(())
    }

    fn keys(&self, what: &str) -> [(LimitKey, u32); 2] {
        [
            (LimitKey(format!("{what}:{}", self.narrow)), 1),
            (LimitKey(format!("{what}:{}", self.wide)), self.caps.wider_factor),
        ]
    }
}
