//! Forward auth: a real nginx, Caddy, Traefik and Envoy, each with the very recipe of the docs, ask the real program about every request.
//! What is promised is the same for all (`recipes`); how the question itself can be attacked is in `questions`; nginx
//! as a plain proxy, before the gateway and behind it, in `plain`.

mod front;
mod plain;
mod questions;
mod recipes;

const PHONE: &str = "+32470111222";
