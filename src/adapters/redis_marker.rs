//! The note of how far the database has come, in Redis: the one key of ours that has no TTL, under the id of its installation. Floor: edge.

use std::fmt;

use async_trait::async_trait;

use super::redis_link::{RedisLink, Repeat, Script, garbage};
use crate::login::markers::MarkerPlace;
use crate::login::ports::PortResult;

/// A note behind a link.
pub struct RedisMarker {
    link: RedisLink,
    read: Script,
    write: Script,
}

const READ: &str = "#!lua flags=no-writes
local marker = redis.call('GET', KEYS[1])
if not marker then return {'gone'} end
return {'here', marker}";

const WRITE: &str = "#!lua
redis.call('SET', KEYS[1], ARGV[1])
return {'done'}";

impl RedisMarker {
    #[must_use]
    pub fn new(link: RedisLink) -> Self {
        Self { link, read: Script::new(READ), write: Script::new(WRITE) }
    }
}

#[async_trait]
impl MarkerPlace for RedisMarker {
    fn name(&self) -> String {
        "Redis".to_owned()
    }

    async fn read(&self, installation: &str) -> PortResult<Option<Vec<u8>>> {
        let reply = self.link.run(&self.read, &key(installation), &[], Repeat::Harmless).await?;
        match reply.word() {
            "here" => Ok(Some(reply.bytes(1)?)),
            "gone" => Ok(None),
            _ => Err(garbage()),
        }
    }

    async fn write(&self, installation: &str, marker: &[u8]) -> PortResult<()> {
        let reply = self.link.run(&self.write, &key(installation), &[marker], Repeat::Harmless).await?;
        if reply.word() == "done" { Ok(()) } else { Err(garbage()) }
    }
}

fn key(installation: &str) -> String {
    format!("vestibule:marker:{{{installation}}}")
}

impl fmt::Debug for RedisMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisMarker").field(&self.link).finish()
    }
}
