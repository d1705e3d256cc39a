//! TLS and HTTP/2 at the edge, with certificates made by openssl: versions and names (`handshakes`), files that change while
//! connections go on (`renewal`), frames that no library would send (`frames`, over `raw_http2`), streams of one connection that are each
//! judged alone (`streams`), a real browser (`browser`), and what plain http is for (`plain_http`).

mod browser;
mod frames;
mod handshakes;
mod plain_http;
mod raw_http2;
mod renewal;
mod streams;

const PHONE: &str = "+32470111222";
