//! Which SMS providers rest, in Redis, shared by the nodes: one hash a provider, one script a verb, a TTL on every key. Redis may forget them:
//! then all are asked again. Floor: edge.

use std::fmt;

use async_trait::async_trait;

use super::redis_link::{RedisLink, Repeat, Reply, Script, garbage, millis};
use crate::domain::time::UnixMillis;
use crate::login::ports::PortResult;
use crate::login::sending::ports::{ProviderBreakers, RestRules};

/// Breakers behind a link.
pub struct RedisProviderBreakers {
    link: RedisLink,
    rests: Script,
    failed: Script,
    answered: Script,
}

// ARGV: 1 now
const RESTS: &str = "#!lua flags=no-writes
local rests_until = redis.call('HGET', KEYS[1], 'rests_until')
if rests_until and tonumber(ARGV[1]) < tonumber(rests_until) then return {'yes'} end
return {'no'}";

// ARGV: 1 now, 2 failures, 3 within, 4 rest
const FAILED: &str = "#!lua
local now, most, within, rest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local text = function(number) return string.format('%.0f', number) end
local h = redis.call('HMGET', KEYS[1], 'count', 'counted_until', 'rests_until')
local count, counted_until = tonumber(h[1] or '0'), tonumber(h[2] or '0')
if h[3] and now < tonumber(h[3]) then return {'no'} end
if now >= counted_until then count, counted_until = 0, now + within end
count = count + 1
redis.call('DEL', KEYS[1])
if count < most then
  redis.call('HSET', KEYS[1], 'count', count, 'counted_until', text(counted_until))
  redis.call('PEXPIRE', KEYS[1], text(math.min(counted_until - now, within)))
  return {'no'}
end
redis.call('HSET', KEYS[1], 'count', most - 1, 'counted_until', text(now + rest + within), 'rests_until', text(now + rest))
redis.call('PEXPIRE', KEYS[1], text(rest + within))
return {'yes'}";

const ANSWERED: &str = "#!lua flags=allow-oom
local rested = redis.call('HEXISTS', KEYS[1], 'rests_until')
redis.call('DEL', KEYS[1])
if rested == 1 then return {'yes'} end
return {'no'}";

impl RedisProviderBreakers {
    #[must_use]
    pub fn new(link: RedisLink) -> Self {
        Self { link, rests: Script::new(RESTS), failed: Script::new(FAILED), answered: Script::new(ANSWERED) }
    }
}

fn key(provider: &str) -> String {
    format!("vestibule:sms:{{{provider}}}")
}

fn yes(reply: &Reply) -> PortResult<bool> {
    match reply.word() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(garbage()),
    }
}

#[async_trait]
impl ProviderBreakers for RedisProviderBreakers {
    async fn rests(&self, provider: &str, now: UnixMillis) -> PortResult<bool> {
        yes(&self.link.run(&self.rests, &key(provider), &[now.0.to_string().as_bytes()], Repeat::Harmless).await?)
    }

    async fn failed(&self, provider: &str, rules: &RestRules, now: UnixMillis) -> PortResult<bool> {
        let (now, failures) = (now.0.to_string(), rules.failures.to_string());
        let (within, rest) = (millis(rules.within), millis(rules.rest));
        let args = [now.as_bytes(), failures.as_bytes(), within.as_bytes(), rest.as_bytes()];
        yes(&self.link.run(&self.failed, &key(provider), &args, Repeat::OnlyIfNotRun).await?)
    }

    async fn answered(&self, provider: &str) -> PortResult<bool> {
        yes(&self.link.run(&self.answered, &key(provider), &[], Repeat::Harmless).await?)
    }
}

impl fmt::Debug for RedisProviderBreakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisProviderBreakers").field(&self.link).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::adapters::contract_of_breakers;
    use crate::adapters::redis_server::Server;

    #[tokio::test]
    async fn redis_keeps_the_contract_of_provider_breakers() {
        let server = Server::start();
        contract_of_breakers::provider_breakers(Arc::new(RedisProviderBreakers::new(server.link()))).await;
        let keys: Vec<String> = server.cli("KEYS *").unwrap();
        assert!(!keys.is_empty());
        for key in keys {
            let ttl: i64 = server.cli(&format!("PTTL {key}")).unwrap();
            assert!(key.starts_with("vestibule:sms:{") && (1..=120_000).contains(&ttl), "{key}: {ttl} ms");
        }
    }

    #[tokio::test]
    async fn two_nodes_let_a_provider_rest_together() {
        let server = Server::start();
        let nodes = [RedisProviderBreakers::new(server.link()), RedisProviderBreakers::new(server.link())];
        let rules = RestRules { failures: 2, within: Duration::from_secs(60), rest: Duration::from_secs(30) };
        let now = UnixMillis(1_795_512_600_000);
        assert!(!nodes[0].failed("main", &rules, now).await.unwrap());
        assert!(nodes[1].failed("main", &rules, now).await.unwrap());
        assert!(nodes[0].rests("main", now).await.unwrap() && nodes[1].rests("main", now).await.unwrap());
    }
}
