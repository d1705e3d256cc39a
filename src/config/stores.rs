//! `state` and `accounts`: where pending logins, and where accounts, sessions, counters and the audit log are kept. Floor: roof.

use std::path::PathBuf;

use crate::domain::secret::{SecretBytes, SecretText};

use super::node::Node;

/// Where pending logins and network limits are kept. May forget at any moment.
#[derive(Clone, Debug)]
pub enum State {
    /// In this process; for one node.
    Memory,
    Redis {
        /// `redis:`, `rediss:`, `redis+sentinel:` or `redis+cluster:`; may hold a password.
        url: SecretText,
    },
}

/// Where everything durable is kept.
#[derive(Clone, Debug)]
pub struct Accounts {
    pub store: AccountStore,
    /// 32 bytes each, for phone numbers and e-mail at rest; the first encrypts, all decrypt.
    pub encryption_keys: Vec<SecretBytes>,
}

/// The database.
#[derive(Clone, Debug)]
pub enum AccountStore {
    Sqlite {
        /// Absolute.
        path: PathBuf,
    },
    Postgres {
        /// May hold a password.
        url: SecretText,
    },
}

pub(super) fn read_state(node: &Node<'_>) -> State {
    const RIGHT: &str = "memory:, redis://HOST:PORT/DB, rediss://…, redis+sentinel://… or redis+cluster://…";
    let parse = |text: String| match text.split_once(':') {
        Some(("memory", "")) => Ok(State::Memory),
        Some(("redis" | "rediss" | "redis+sentinel" | "redis+cluster", rest)) if has_host(rest) => {
            Ok(State::Redis { url: SecretText::new(text) })
        }
        Some(("redis" | "rediss" | "redis+sentinel" | "redis+cluster", _)) => Err("the URL has no host".to_owned()),
        _ => Err("this is no URL of a store that is known".to_owned()),
    };
    node.key(
        "url",
        "Where pending logins and network limits are kept: `memory:` for one node, or Redis for several. What it holds may be lost at any \
         moment; people who are signing in then start again.",
    )
    .url_with_password()
    .parsed(RIGHT, parse)
    .required("\"redis://127.0.0.1:6379/0\"")
}

pub(super) fn read_accounts(node: &Node<'_>) -> Accounts {
    const RIGHT: &str = "sqlite:// and an absolute path, such as sqlite:///var/lib/vestibule/accounts.db, or postgres://USER@HOST/DATABASE";
    let parse = |text: String| match text.split_once("://") {
        Some(("sqlite", path)) if path.starts_with('/') && !path.ends_with('/') && !path.contains(['?', '#', '%']) => {
            Ok(AccountStore::Sqlite { path: PathBuf::from(path) })
        }
        Some(("sqlite", _)) => Err("after sqlite:// there is no plain absolute path of a file".to_owned()),
        Some(("postgres" | "postgresql", _)) => match url::Url::parse(&text) {
            Ok(url) if url.host_str().is_some_and(|host| !host.is_empty()) && url.path().len() > 1 => {
                Ok(AccountStore::Postgres { url: SecretText::new(text) })
            }
            Ok(_) => Err("the URL lacks a host or a database".to_owned()),
            Err(error) => Err(format!("this is no URL: {error}")),
        },
        _ => Err("this is no URL of a database that is known".to_owned()),
    };
    Accounts {
        store: node
            .key("url", "Where accounts, sessions, counters and the audit log are kept: a SQLite file for one node, or PostgreSQL for several.")
            .url_with_password()
            .parsed(RIGHT, parse)
            .required("\"sqlite:///var/lib/vestibule/accounts.db\""),
        encryption_keys: node
            .key(
                "encryption_keys",
                "Keys for phone numbers and e-mail addresses at rest: 32 random bytes in base64 each (`vestibule key generate`). The first encrypts, \
                 all decrypt. To change: add the new one as second everywhere, then move it to the front. Keep a copy: without it, numbers are lost.",
            )
            .list(1, 16, |slot| slot.key().required("{ file: /run/secrets/vestibule-data }"))
            .required("[{ file: /run/secrets/vestibule-data }]"),
    }
}

/// `//[user[:password]@]host…`
fn has_host(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix("//") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    !host.is_empty() && !host.starts_with(':')
}
