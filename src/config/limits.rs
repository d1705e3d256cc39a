//! `limits`: what caps guessing, sending and the size of requests. The figures are ours unless a source is given. Floor: roof.

use std::time::Duration;

use super::node::Node;

/// All caps. Attempts and sends of one login are in `two_factor.code`.
#[derive(Clone, Debug)]
pub struct Limits {
    pub code_failures: CodeFailures,
    pub password_failures: PasswordFailures,
    pub sms: SmsLimits,
    pub network: NetworkLimits,
    pub request: RequestLimits,
    pub connections: ConnectionLimits,
    /// Actions that one signed-in operator may begin in an hour.
    pub operator_actions_hour: u32,
}

/// An account's wrong codes.
#[derive(Clone, Copy, Debug)]
pub struct CodeFailures {
    pub per_hour: u32,
    /// So many in a row disable the account's codes until an operator unlocks it.
    pub in_a_row: u32,
    /// Likewise; a success does not reset this one.
    pub per_30_days: u32,
}

/// An account's wrong passwords (NIST SP 800-63B-4 §3.2.2: waits of 30 seconds to an hour, at most 100 in a row).
#[derive(Clone, Copy, Debug)]
pub struct PasswordFailures {
    /// So many in a row cost no wait.
    pub free: u32,
    /// The wait after the next; doubles with each further one.
    pub first_wait: Duration,
    pub longest_wait: Duration,
    /// So many in a row close the account until an operator acts.
    pub in_a_row: u32,
}

/// SMS that may be sent.
#[derive(Clone, Copy, Debug)]
pub struct SmsLimits {
    /// To one account, and to one number, in 30 minutes.
    pub per_30m: u32,
    /// To one account, and to one number, in a day.
    pub per_day: u32,
    pub total_minute: u32,
    pub total_day: u32,
    /// The share of both totals that newcomers cannot use up.
    pub reserve_percent: u32,
    /// To newcomers whose numbers share their first seven digits.
    pub per_prefix_10m: u32,
    pub per_prefix_day: u32,
    /// To newcomers whose numbers share their dial code.
    pub per_dial_code_day: u32,
    pub conversion: Conversion,
}

/// When a number prefix is closed to newcomers.
#[derive(Clone, Copy, Debug)]
pub struct Conversion {
    pub least_sent: u32,
    pub least_percent: u32,
    pub block: Duration,
}

/// What a client network may cause: an IPv4 address, an IPv6 /64. Successes are not counted.
#[derive(Clone, Copy, Debug)]
pub struct NetworkLimits {
    pub failures_minute: u32,
    /// SMS whose code was never entered.
    pub unfinished_sends_day: u32,
    /// An IPv4 /24 and an IPv6 /48 may do this many times as much.
    pub wider_factor: u32,
}

/// Sizes of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// Bytes of the whole head; beyond: 431.
    pub headers_bytes: usize,
    /// Header fields; beyond: 431.
    pub headers_count: usize,
    /// Bytes of the request target; beyond: 414 (RFC 9112 §3 asks for at least 8000).
    pub target_bytes: usize,
    /// Bytes of a form sent to our own pages; beyond: 413.
    pub portal_body_bytes: usize,
}

/// Connections at a time, on this node.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Of everybody together.
    pub total: usize,
    /// Of an IPv4 address or an IPv6 /64 that is no trusted proxy.
    pub per_network: usize,
}

pub(super) fn read(node: &Node<'_>) -> Limits {
    Limits {
        code_failures: node.key("code_failures", "An account's wrong codes, over all its logins.").section(read_code_failures),
        password_failures: node
            .key("password_failures", "An account's wrong passwords (NIST SP 800-63B-4 §3.2.2). The same holds for names that do not exist.")
            .section(read_password_failures),
        sms: node.key("sms", "SMS that may be sent; what is beyond is not, and the user is told to wait.").section(read_sms),
        network: node
            .key(
                "network",
                "What one client network (an IPv4 address, an IPv6 /64) may cause. What succeeds is not counted, so that many people can sign in \
                 from behind one address.",
            )
            .section(read_network),
        request: node.key("request", "Sizes of a request.").section(read_request),
        connections: node
            .key("connections", "Connections at a time to this node, WebSockets among them. What is beyond is closed at once; without TLS a few dozen are told first: probes are answered there, all else gets 503.")
            .section(read_connections),
        operator_actions_hour: node
            .key("operator_actions_hour", "Actions (unlock, reset, passwords, numbers) that one operator may begin on the admin pages in an hour, and one token through the API. The command line is not counted.")
            .count(1, 10_000)
            .or("60"),
    }
}

fn read_code_failures(node: &Node<'_>) -> CodeFailures {
    let failures = CodeFailures {
        per_hour: node.key("per_hour", "In an hour.").count(1, 100).or("10"),
        in_a_row: node
            .key("in_a_row", "So many in a row disable the account's codes until `vestibule user unlock` (NIST SP 800-63B-4 §3.2.2: at most 100).")
            .count(5, 100)
            .or("50"),
        per_30_days: node.key("per_30_days", "So many in 30 days likewise. A success does not reset this one.").count(10, 1000).or("200"),
    };
    if failures.per_30_days < failures.in_a_row {
        node.refuse("per_30_days", &["in_a_row"], "it is less than in_a_row", "at least in_a_row");
    }
    failures
}

fn read_password_failures(node: &Node<'_>) -> PasswordFailures {
    let failures = PasswordFailures {
        free: node.key("free", "So many in a row cost no wait.").count(0, 20).or("4"),
        first_wait: node
            .key("first_wait", "The wait after the next one. It doubles with each further one.")
            .duration("30s", "1h")
            .or("30s"),
        longest_wait: node.key("longest_wait", "The wait does not grow beyond this.").duration("30s", "1h").or("1h"),
        in_a_row: node
            .key("in_a_row", "So many in a row close the account until an operator acts.")
            .count(10, 100)
            .or("100"),
    };
    if failures.first_wait > failures.longest_wait {
        node.refuse("first_wait", &["longest_wait"], "it is longer than longest_wait", "at most longest_wait");
    }
    failures
}

fn read_sms(node: &Node<'_>) -> SmsLimits {
    SmsLimits {
        per_30m: node.key("per_30m", "To one account, and to one number, in 30 minutes.").count(1, 100).or("5"),
        per_day: node.key("per_day", "To one account, and to one number, in a day.").count(1, 1000).or("10"),
        total_minute: node.key("total_minute", "To everybody in a minute.").count(1, 100_000).or("60"),
        total_day: node
            .key("total_day", "To everybody in a day: the most that a day can cost.")
            .count(1, 10_000_000)
            .or("5000"),
        reserve_percent: node
            .key(
                "reserve_percent",
                "The share of both totals that is kept for people who have signed in before, so that nobody can lock them out by using the totals up. All \
                 others are newcomers here: who never signed in, and numbers that are only being registered.",
            )
            .count(0, 90)
            .or("20"),
        per_prefix_10m: node
            .key("per_prefix_10m", "To newcomers whose numbers have the same first seven digits, in ten minutes.")
            .count(1, 10_000)
            .or("30"),
        per_prefix_day: node.key("per_prefix_day", "The same in a day.").count(1, 1_000_000).or("200"),
        per_dial_code_day: node
            .key("per_dial_code_day", "To newcomers whose numbers have the same dial code, in a day.")
            .count(1, 10_000_000)
            .or("2000"),
        conversion: node
            .key(
                "conversion",
                "Who is after the messages, and not after signing in, does not enter the codes. When hardly any code to newcomers with the same first seven \
                 digits is entered, newcomers get none there for a while; `vestibule sms unblock` lifts that.",
            )
            .section(|node| Conversion {
                least_sent: node.key("least_sent", "Fewer codes in 24 hours say nothing.").count(5, 10_000).or("20"),
                least_percent: node
                    .key("least_percent", "A smaller share of entered codes closes the prefix; 0: never.")
                    .count(0, 90)
                    .or("10"),
                block: node.key("block", "For so long.").duration("10m", "7d").or("12h"),
            }),
    }
}

fn read_network(node: &Node<'_>) -> NetworkLimits {
    NetworkLimits {
        failures_minute: node
            .key(
                "failures_minute",
                "Failed sign-in steps in a minute; wrong tokens of the admin API likewise, counted by themselves.",
            )
            .count(1, 10_000)
            .or("20"),
        unfinished_sends_day: node
            .key("unfinished_sends_day", "SMS in a day whose code was never entered.")
            .count(1, 10_000)
            .or("20"),
        wider_factor: node
            .key("wider_factor", "The network around it (IPv4 /24, IPv6 /48) may cause this many times as much.")
            .count(1, 256)
            .or("5"),
    }
}

fn read_request(node: &Node<'_>) -> RequestLimits {
    RequestLimits {
        headers_bytes: node.key("headers", "Everything before the body; beyond: 431.").size("4KiB", "1MiB").or("32KiB"),
        headers_count: node.key("headers_count", "The number of header fields; beyond: 431.").count(20, 250).or("100")
            as usize,
        target_bytes: node
            .key("target", "Path and query; beyond: 414 (RFC 9112 §3 asks for at least 8000 bytes).")
            .size("1KiB", "64KiB")
            .or("8KiB"),
        portal_body_bytes: node
            .key("portal_body", "A form that is sent to the sign-in pages; beyond: 413.")
            .size("4KiB", "1MiB")
            .or("16KiB"),
    }
}

fn read_connections(node: &Node<'_>) -> ConnectionLimits {
    let connections = ConnectionLimits {
        total: node
            .key("total", "Of everybody. Each takes an open file, and one more while the application answers: what does not fit into the limit of open files (`LimitNOFILE`, `ulimit -n`) is not taken, and `check` and the log say how many fit. Over HTTP/2 many requests share one: as many requests as these are with applications at a time.")
            .count(1, 1_000_000)
            .or("10000") as usize,
        per_network: node
            .key(
                "per_network",
                "Of one client network (an IPv4 address, an IPv6 /64): a whole office may stand behind one. Proxies in trusted_proxies are not counted.",
            )
            .count(1, 1_000_000)
            .or("2000") as usize,
    };
    if connections.per_network > connections.total {
        node.refuse("per_network", &["total"], "it is more than total", "at most total");
    }
    connections
}
