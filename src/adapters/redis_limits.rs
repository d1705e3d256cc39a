//! Counters of networks and number prefixes in Redis, shared by the nodes: one script a verb, one key a script, a TTL on every key. Redis may
//! forget them; what must not be forgotten is counted in the ledger. Floor: edge.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::redis_link::{RedisLink, Repeat, Reply, Script, garbage, millis};
use crate::domain::limits::{Charge, Rate, UnfinishedCaps};
use crate::domain::pending::LoginId;
use crate::domain::time::UnixMillis;
use crate::login::ports::{LimitKey, Limits, PortResult};

/// How long a login that was never completed counts (design §5.1: a day).
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Counters behind a link.
pub struct RedisLimits {
    link: RedisLink,
    try_spend: Script,
    give_back: Script,
    begin_login: Script,
    complete_login: Script,
}

// A hash. ARGV: 1 now, 2 window, 3 count
const TRY_SPEND: &str = "#!lua
local now, window, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local h = redis.call('HMGET', KEYS[1], 'charged', 'ends_at')
local charged, ends_at = tonumber(h[1] or '0'), tonumber(h[2] or '0')
if now >= ends_at then charged, ends_at = 0, now + window end
ends_at = math.min(ends_at, now + window)
local spends = charged < count
if spends then charged = charged + 1 end
if spends or h[1] then
  redis.call('HSET', KEYS[1], 'charged', charged, 'ends_at', string.format('%.0f', ends_at))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ends_at - now))
end
if spends then return {'granted'} end
return {'wait', ends_at - now}";

const GIVE_BACK: &str = "#!lua flags=allow-oom
if tonumber(redis.call('HGET', KEYS[1], 'charged') or '0') > 0 then redis.call('HINCRBY', KEYS[1], 'charged', -1) end
return {'done'}";

// A sorted set of logins by when they began. ARGV: 1 login, 2 now, 3 settle after, 4 most never completed, 5 most under way, 6 a day
const BEGIN_LOGIN: &str = "#!lua
local now, settle, day = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[6])
local text = function(number) return string.format('%.0f', number) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - day))
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {'granted'} end
local wait = function(from, to, there, cap, stays)
  local frees_one = redis.call('ZRANGEBYSCORE', KEYS[1], from, to, 'WITHSCORES', 'LIMIT', there - cap, 1)[2]
  if not frees_one then return {'wait', stays} end
  return {'wait', tonumber(frees_one) + stays - now}
end
local settled_before = text(now - settle)
local settled = redis.call('ZCOUNT', KEYS[1], '-inf', settled_before)
if settled >= tonumber(ARGV[4]) then return wait('-inf', settled_before, settled, tonumber(ARGV[4]), day) end
local under_way = redis.call('ZCARD', KEYS[1]) - settled
if under_way >= tonumber(ARGV[5]) then return wait('(' .. settled_before, '+inf', under_way, tonumber(ARGV[5]), settle) end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {'granted'}";

const COMPLETE_LOGIN: &str = "#!lua flags=allow-oom
redis.call('ZREM', KEYS[1], ARGV[1])
return {'done'}";

impl RedisLimits {
    #[must_use]
    pub fn new(link: RedisLink) -> Self {
        Self {
            link,
            try_spend: Script::new(TRY_SPEND),
            give_back: Script::new(GIVE_BACK),
            begin_login: Script::new(BEGIN_LOGIN),
            complete_login: Script::new(COMPLETE_LOGIN),
        }
    }
}

fn window_key(key: &LimitKey) -> String {
    format!("vestibule:limit:{{{}}}", key.0)
}

fn logins_key(key: &LimitKey) -> String {
    format!("vestibule:limit:{{{}}}:logins", key.0)
}

#[async_trait]
impl Limits for RedisLimits {
    async fn try_spend(&self, key: &LimitKey, rate: Rate, now: UnixMillis) -> PortResult<Charge> {
        let (now, window, count) = (now.0.to_string(), millis(rate.window), rate.count.to_string());
        let args = [now.as_bytes(), window.as_bytes(), count.as_bytes()];
        charge(&self.link.run(&self.try_spend, &window_key(key), &args, Repeat::OnlyIfNotRun).await?)
    }

    async fn give_back(&self, key: &LimitKey) -> PortResult<()> {
        expect_done(&self.link.run(&self.give_back, &window_key(key), &[], Repeat::OnlyIfNotRun).await?)
    }

    async fn begin_login(
        &self,
        key: &LimitKey,
        login: &LoginId,
        caps: UnfinishedCaps,
        now: UnixMillis,
    ) -> PortResult<Charge> {
        let login = login.to_string();
        let numbers = [
            now.0.to_string(),
            millis(caps.settle_after),
            caps.never_completed.to_string(),
            caps.under_way.to_string(),
            millis(DAY),
        ];
        let mut args = vec![login.as_bytes()];
        args.extend(numbers.iter().map(String::as_bytes));
        // running it twice comes to the same: a login counts once
        charge(&self.link.run(&self.begin_login, &logins_key(key), &args, Repeat::Harmless).await?)
    }

    async fn complete_login(&self, key: &LimitKey, login: &LoginId) -> PortResult<()> {
        let login = login.to_string();
        expect_done(
            &self.link.run(&self.complete_login, &logins_key(key), &[login.as_bytes()], Repeat::Harmless).await?,
        )
    }
}

fn charge(reply: &Reply) -> PortResult<Charge> {
    match reply.word() {
        "granted" => Ok(Charge::Granted),
        "wait" => Ok(Charge::Wait(reply.wait(1)?)),
        _ => Err(garbage()),
    }
}

fn expect_done(reply: &Reply) -> PortResult<()> {
    if reply.word() == "done" { Ok(()) } else { Err(garbage()) }
}

impl fmt::Debug for RedisLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisLimits").field(&self.link).finish()
    }
}
