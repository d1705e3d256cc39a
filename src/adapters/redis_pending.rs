//! Pending logins in Redis: one hash a login, one script a verb, a TTL on every key. Records and codes come sealed and stay so; Redis knows
//! a login by a hash of its cookie. Nothing here has to survive: what caps guessing is in the ledger. Floor: edge.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::redis_link::{RedisLink, Repeat, Reply, Script, garbage, millis};
use crate::domain::pending::LoginId;
use crate::domain::time::UnixMillis;
use crate::login::ports::{AttemptTurn, CodeRequest, CodeTurn, PendingLogins, PortResult, StoredLogin};

/// Pending logins behind a link.
pub struct RedisPendingLogins {
    link: RedisLink,
    put: Script,
    peek: Script,
    replace: Script,
    spend_attempt: Script,
    next_code: Script,
    take_back_send: Script,
    finish: Script,
}

const PUT: &str = "#!lua
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'record', ARGV[1], 'attempts', 0, 'sends', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'done'}";

const PEEK: &str = "#!lua flags=no-writes
local h = redis.call('HMGET', KEYS[1], 'record', 'until', 'attempts', 'sends', 'sent_at')
if not h[1] then return {'gone'} end
return {'here', h[1], h[2], h[3], h[4], h[5]}";

const REPLACE: &str = "#!lua
if redis.call('HEXISTS', KEYS[1], 'record') == 0 then return {'gone'} end
redis.call('HSET', KEYS[1], 'record', ARGV[1])
redis.call('HDEL', KEYS[1], 'code', 'until')
return {'done'}";

// ARGV: 1 most attempts, 2 now
const SPEND_ATTEMPT: &str = "#!lua
local h = redis.call('HMGET', KEYS[1], 'record', 'code', 'until', 'attempts')
if not h[1] then return {'gone'} end
if tonumber(h[4]) >= tonumber(ARGV[1]) then return {'none_left'} end
if not h[2] or tonumber(ARGV[2]) >= tonumber(h[3]) then return {'no_code'} end
redis.call('HINCRBY', KEYS[1], 'attempts', 1)
return {'granted', h[1], h[2]}";

// ARGV: 1 now, 2 fresh code, 3 new end of the code, 4 most sends, 5… waits
const NEXT_CODE: &str = "#!lua
local h = redis.call('HMGET', KEYS[1], 'record', 'code', 'until', 'sends', 'sent_at')
if not h[1] then return {'gone'} end
local now, sends, waits = tonumber(ARGV[1]), tonumber(h[4]), #ARGV - 4
if sends >= tonumber(ARGV[4]) then return {'none_left'} end
if sends > 0 and waits > 0 and h[5] then
  local due = tonumber(h[5]) + tonumber(ARGV[4 + math.min(sends, waits)])
  if now < due then return {'wait', due - now} end
end
local code = h[2]
if not code or now >= tonumber(h[3]) then code = ARGV[2] end
redis.call('HSET', KEYS[1], 'code', code, 'until', ARGV[3], 'sent_at', ARGV[1])
return {'send', code, redis.call('HINCRBY', KEYS[1], 'sends', 1)}";

const TAKE_BACK_SEND: &str = "#!lua flags=allow-oom
if redis.call('HGET', KEYS[1], 'sends') == ARGV[1] and ARGV[1] ~= '0' then
  redis.call('HINCRBY', KEYS[1], 'sends', -1)
  redis.call('HDEL', KEYS[1], 'sent_at')
end
return {'done'}";

const FINISH: &str = "#!lua flags=allow-oom
redis.call('DEL', KEYS[1])
return {'done'}";

impl RedisPendingLogins {
    #[must_use]
    pub fn new(link: RedisLink) -> Self {
        Self {
            link,
            put: Script::new(PUT),
            peek: Script::new(PEEK),
            replace: Script::new(REPLACE),
            spend_attempt: Script::new(SPEND_ATTEMPT),
            next_code: Script::new(NEXT_CODE),
            take_back_send: Script::new(TAKE_BACK_SEND),
            finish: Script::new(FINISH),
        }
    }

    async fn run(&self, script: &Script, id: &LoginId, args: &[&[u8]], repeat: Repeat) -> PortResult<Reply> {
        self.link.run(script, &format!("vestibule:login:{{{id}}}"), args, repeat).await
    }
}

#[async_trait]
impl PendingLogins for RedisPendingLogins {
    async fn put(&self, id: &LoginId, record: &[u8], ttl: Duration) -> PortResult<()> {
        let reply = self.run(&self.put, id, &[record, millis(ttl).as_bytes()], Repeat::Harmless).await?;
        expect_done(&reply)
    }

    async fn peek(&self, id: &LoginId) -> PortResult<Option<StoredLogin>> {
        let reply = self.run(&self.peek, id, &[], Repeat::Harmless).await?;
        match reply.word() {
            "here" => Ok(Some(StoredLogin {
                record: reply.bytes(1)?,
                code_until: reply.optional_number(2)?.map(UnixMillis),
                attempts: reply.count(3)?,
                sends: reply.count(4)?,
                last_send_at: reply.optional_number(5)?.map(UnixMillis),
            })),
            "gone" => Ok(None),
            _ => Err(garbage()),
        }
    }

    async fn replace(&self, id: &LoginId, record: &[u8]) -> PortResult<bool> {
        let reply = self.run(&self.replace, id, &[record], Repeat::Harmless).await?;
        match reply.word() {
            "done" => Ok(true),
            "gone" => Ok(false),
            _ => Err(garbage()),
        }
    }

    async fn spend_attempt(&self, id: &LoginId, most_attempts: u32, now: UnixMillis) -> PortResult<AttemptTurn> {
        let (most, now) = (most_attempts.to_string(), now.0.to_string());
        let reply = self.run(&self.spend_attempt, id, &[most.as_bytes(), now.as_bytes()], Repeat::OnlyIfNotRun).await?;
        match reply.word() {
            "granted" => Ok(AttemptTurn::Granted { record: reply.bytes(1)?, code: reply.bytes(2)? }),
            "no_code" => Ok(AttemptTurn::NoCode),
            "none_left" => Ok(AttemptTurn::NoneLeft),
            "gone" => Ok(AttemptTurn::Gone),
            _ => Err(garbage()),
        }
    }

    async fn next_code(&self, id: &LoginId, request: &CodeRequest<'_>) -> PortResult<CodeTurn> {
        let (now, until, most) =
            (request.now.0.to_string(), request.code_until.0.to_string(), request.most_sends.to_string());
        let waits: Vec<String> = request.waits.iter().map(|wait| millis(*wait)).collect();
        let mut args = vec![now.as_bytes(), request.fresh, until.as_bytes(), most.as_bytes()];
        args.extend(waits.iter().map(String::as_bytes));
        let reply = self.run(&self.next_code, id, &args, Repeat::OnlyIfNotRun).await?;
        match reply.word() {
            "send" => Ok(CodeTurn::Send { code: reply.bytes(1)?, number: reply.count(2)? }),
            "wait" => Ok(CodeTurn::Wait(reply.wait(1)?)),
            "none_left" => Ok(CodeTurn::NoneLeft),
            "gone" => Ok(CodeTurn::Gone),
            _ => Err(garbage()),
        }
    }

    async fn take_back_send(&self, id: &LoginId, number: u32) -> PortResult<()> {
        let reply = self.run(&self.take_back_send, id, &[number.to_string().as_bytes()], Repeat::OnlyIfNotRun).await?;
        expect_done(&reply)
    }

    async fn finish(&self, id: &LoginId) -> PortResult<()> {
        let reply = self.run(&self.finish, id, &[], Repeat::Harmless).await?;
        expect_done(&reply)
    }
}

fn expect_done(reply: &Reply) -> PortResult<()> {
    if reply.word() == "done" { Ok(()) } else { Err(garbage()) }
}

impl fmt::Debug for RedisPendingLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisPendingLogins").field(&self.link).finish()
    }
}
