//! Whether the sections of a configuration fit together. What one section can see by itself is checked there. Floor: roof.

use std::collections::HashMap;

use super::Config;
use super::listener::ProxyProtocol;
use super::node::Node;
use super::open_files::OpenFiles;
use super::site::{Access, Site};
use super::sms::Provider;
use super::stores::State;
use super::upstream::Server;
use crate::domain::language::Language;
use crate::domain::secret::SecretBytes;
use crate::domain::time::UnixMillis;
use crate::pages::sms_text::check_sms_texts;
use crate::web::origin::Scheme;
use crate::web::path_pattern::PathPattern;

/// Notes what does not fit; returns what the operator should know although it does.
pub(super) fn check(root: &Node<'_>, config: &Config) -> Vec<String> {
    sites_are_distinct(root, config);
    sites_and_listeners_fit(root, config);
    admin_stands_apart(root, config);
    a_token_is_not_guessed(root, config);
    upstreams_exist(root, config);
    keys_are_distinct(root, config);
    what_is_for_this_machine_stays_there(root, config);
    texts_fit_in_one_sms(root, config);
    let mut notices = notices(config);
    notices.extend(certificates_that_end(config, root.reading().surroundings.now()));
    notices.extend(connections_that_do_not_fit(config, root.reading().surroundings.open_files()));
    notices
}

fn certificates_that_end(config: &Config, now: UnixMillis) -> impl Iterator<Item = String> {
    let of_sites = config.listen.iter().flat_map(|listener| &listener.tls);
    let of_operators = config.admin.iter().flat_map(|admin| &admin.tls);
    let certificates = of_sites.chain(of_operators).flat_map(|tls| &tls.certificates);
    certificates.filter_map(move |certificate| {
        let remark = certificate.validity?.remark(now)?;
        Some(format!("the certificate in {} {remark}.", certificate.certificate.display()))
    })
}

fn connections_that_do_not_fit(config: &Config, files: Option<u64>) -> Option<String> {
    let (total, fitting) = (config.limits.connections.total, OpenFiles::shared_out(files).connections);
    let files = files.filter(|_| total > fitting)?;
    Some(format!(
        "limits.connections.total is {total}, but {fitting} fit into the {files} files that may be open here: no more than {fitting} connections \
         are taken (LimitNOFILE, ulimit -n)."
    ))
}

fn is_on_loopback(site: &Site) -> bool {
    site.url.is_loopback()
}

fn sites_are_distinct(root: &Node<'_>, config: &Config) {
    for (index, site) in config.sites.iter().enumerate() {
        let mut earlier = config.sites.iter().take(index);
        if earlier.clone().any(|other| other.name == site.name) {
            root.refuse(
                &format!("sites[{index}].name"),
                &[],
                format!("another site is called {} too", site.name),
                "a name of its own",
            );
        }
        if earlier.any(|other| other.url.authority() == site.url.authority()) {
            root.refuse(
                &format!("sites[{index}].url"),
                &[],
                format!("another site has the host {} too", site.url.authority()),
                "a host or port of its own",
            );
        }
    }
    for (index, listener) in config.listen.iter().enumerate() {
        if config.listen.iter().take(index).any(|earlier| earlier.address == listener.address) {
            root.refuse(
                &format!("listen[{index}].address"),
                &[],
                format!("{} is in the list twice", listener.address),
                "an address of its own",
            );
        }
    }
}

fn sites_and_listeners_fit(root: &Node<'_>, config: &Config) {
    let open_listener = config.listen.iter().find(|listener| !listener.address.ip().is_loopback());
    for (index, site) in config.sites.iter().enumerate() {
        let key = format!("sites[{index}].url");
        match (site.url.scheme(), is_on_loopback(site)) {
            (Scheme::Https, _) => {}
            (Scheme::Http, false) => root.refuse(
                &key,
                &[],
                format!("{} is http://, and passwords would travel readable", site.url),
                "https://",
            ),
            (Scheme::Http, true) => {
                if let Some(listener) = open_listener {
                    let wrong = format!(
                        "{} is http://, and the listener {} can be reached from other machines",
                        site.url, listener.address
                    );
                    root.refuse(&key, &["listen"], wrong, "https://, or only listeners on 127.0.0.1 or [::1]");
                }
            }
        }
    }
    for (index, network) in config.trusted_proxies.iter().enumerate().filter(|(_, network)| network.prefix_len() == 0) {
        root.refuse(
            &format!("trusted_proxies[{index}]"),
            &[],
            format!("{network} is everybody, who could then claim any address"),
            "the networks of your proxies alone",
        );
    }
    let has_https_site = config.sites.iter().any(|site| site.url.scheme() == Scheme::Https);
    for (index, listener) in config.listen.iter().enumerate() {
        let is_plain = listener.tls.is_none() && !listener.redirect_to_https;
        if is_plain && has_https_site && config.trusted_proxies.is_empty() {
            root.refuse(
                &format!("listen[{index}]"),
                &["listen", "sites", "trusted_proxies"],
                format!(
                    "{} is plain, a site is https://, and no proxy in front is named that does TLS",
                    listener.address
                ),
                "`tls` here, or `redirect_to_https: on`, or the network of your proxy in trusted_proxies",
            );
        }
    }
    for (index, listener) in config.listen.iter().enumerate() {
        match listener.proxy_protocol {
            ProxyProtocol::Off => {}
            ProxyProtocol::Required if config.trusted_proxies.is_empty() => root.refuse(
                &format!("listen[{index}].proxy_protocol"),
                &["trusted_proxies"],
                "no proxy is named that may connect, so every connection would be closed",
                "the network of your proxy in trusted_proxies",
            ),
            ProxyProtocol::Required => {}
        }
    }
    if !config.listen.is_empty() && config.listen.iter().all(|listener| listener.redirect_to_https) {
        root.refuse("listen", &[], "every listener only redirects", "one that answers requests");
    }
}

fn admin_stands_apart(root: &Node<'_>, config: &Config) {
    let Some(admin) = &config.admin else { return };
    if config.listen.iter().any(|listener| listener.address == admin.listen) {
        root.refuse(
            "admin.listen",
            &["listen"],
            format!("{} is in `listen` too", admin.listen),
            "an address of its own, such as 127.0.0.1:9180",
        );
    }
    if config.sites.iter().any(|site| site.url.authority() == admin.url.authority()) {
        let wrong = format!("a site has the host {} too", admin.url.authority());
        root.refuse("admin.url", &["sites"], wrong, "a host or port of its own");
    }
    match (admin.url.scheme(), admin.url.is_loopback()) {
        (Scheme::Http, false) => {
            let wrong = format!("{} is http://, and passwords would travel readable", admin.url);
            root.refuse("admin.url", &[], wrong, "https://, or a tunnel to http://127.0.0.1:9180");
        }
        (Scheme::Http, true) if !admin.listen.ip().is_loopback() => {
            let wrong = format!("{} is http://, and {} can be reached from other machines", admin.url, admin.listen);
            root.refuse("admin.url", &["admin.listen"], wrong, "https://, or admin.listen on 127.0.0.1 or [::1]");
        }
        (Scheme::Http, true) if admin.tls.is_some() => {
            let wrong = format!("{} is http://, and the listener speaks TLS", admin.url);
            root.refuse("admin.url", &["admin.tls"], wrong, "https://, or no `tls`");
        }
        (Scheme::Https, _) if admin.tls.is_none() && config.trusted_proxies.is_empty() => root.refuse(
            "admin.listen",
            &["admin.url", "trusted_proxies"],
            format!("{} is plain, admin.url is https://, and no proxy in front is named that does TLS", admin.listen),
            "admin.tls, or the network of your proxy in trusted_proxies",
        ),
        (Scheme::Http, true) | (Scheme::Https, _) => {}
    }
}

fn a_token_is_not_guessed(root: &Node<'_>, config: &Config) {
    const LEAST: usize = 16;
    let length = config.metrics.token.as_ref().map(|token| token.reveal().chars().count());
    // an empty one stands for one that could not be read, which is said apart
    if let Some(length @ 1..LEAST) = length {
        let wrong = format!("a token of {length} characters can be guessed");
        root.refuse("metrics.token", &[], wrong, "16 characters or more, such as `vestibule key generate` makes");
    }
}

fn upstreams_exist(root: &Node<'_>, config: &Config) {
    let check = |key: String, name: &str| {
        if !config.upstreams.contains_key(name) {
            let right = match config.upstreams.is_empty() {
                true => "`upstreams` with an entry of that name".to_owned(),
                false => super::node::nearest(name, config.upstreams.keys().map(String::as_str)),
            };
            root.refuse(&key, &["upstreams"], format!("there is no upstream {name:?}"), right);
        }
    };
    for (index, site) in config.sites.iter().enumerate() {
        if let Some(upstream) = &site.upstream {
            check(format!("sites[{index}].upstream"), upstream);
        }
        for (rule, route) in site.routes.iter().enumerate() {
            if let Some(upstream) = &route.upstream {
                check(format!("sites[{index}].routes[{rule}].upstream"), upstream);
            }
        }
    }
}

fn keys_are_distinct(root: &Node<'_>, config: &Config) {
    let signing = config.signing_keys.iter().enumerate().map(|(index, key)| (format!("signing_keys[{index}]"), key));
    let encryption = config
        .accounts
        .encryption_keys
        .iter()
        .enumerate()
        .map(|(index, key)| (format!("accounts.encryption_keys[{index}]"), key));
    let mut seen: HashMap<&[u8], String> = HashMap::new();
    for (place, key) in signing.chain(encryption).filter(|(_, key): &(_, &SecretBytes)| !key.reveal().is_empty()) {
        match seen.get(key.reveal()) {
            Some(earlier) => root.refuse(
                &place,
                &[earlier],
                format!("this is the same key as {earlier}"),
                "a key of its own (`vestibule key generate`)",
            ),
            None => {
                seen.insert(key.reveal(), place);
            }
        }
    }
}

fn what_is_for_this_machine_stays_there(root: &Node<'_>, config: &Config) {
    if let Some(admin) = config.admin.as_ref().filter(|admin| config.testing && !admin.url.is_loopback()) {
        root.refuse("testing", &["admin.url"], format!("{} is not on this machine itself", admin.url), "off");
    }
    let Some(outside) = config.sites.iter().position(|site| !is_on_loopback(site)) else { return };
    let site_key = format!("sites[{outside}].url");
    let of_site = config.sites.get(outside).map(|site| site.url.to_string()).unwrap_or_default();
    if config.testing {
        root.refuse("testing", &[&site_key], format!("{of_site} is not on this machine itself"), "off");
    }
    for (index, provider) in config.sms.providers.iter().enumerate() {
        match provider {
            Provider::Terminal { .. } => root.refuse(
                &format!("sms.providers[{index}].preset"),
                &[&site_key],
                format!(
                    "`terminal` shows codes to whoever sees this terminal, and {of_site} is not on this machine itself"
                ),
                "a vendor that sends SMS",
            ),
            Provider::Vendor(_) => {}
        }
    }
}

/// In every language, also those that the site's pages are not offered in: accounts have a language of their own.
fn texts_fit_in_one_sms(root: &Node<'_>, config: &Config) {
    for (index, site) in config.sites.iter().enumerate() {
        let host = site.url.host();
        let problems = check_sms_texts(&site.portal.name, host, &Language::ALL, config.two_factor.code.length);
        if let Some(problem) = problems.first() {
            let key = format!("sites[{index}].portal.name");
            let with =
                [format!("sites[{index}].name"), format!("sites[{index}].url"), "two_factor.code.length".to_owned()];
            let with: Vec<&str> = with.iter().map(String::as_str).collect();
            root.refuse(
                &key,
                &with,
                problem.to_string(),
                "a short name in letters that every phone has, without accents or signs",
            );
        }
    }
}

fn notices(config: &Config) -> Vec<String> {
    let mut notices = Vec::new();
    if config.testing {
        notices.push(
            "testing is on: lower bounds of durations and waits are lifted. This is no configuration for people."
                .to_owned(),
        );
    }
    if let (State::Memory, false) = (&config.state, config.sites.iter().all(is_on_loopback)) {
        notices.push(
            "state.url is memory: one node only, and people who are signing in start again when it is restarted."
                .to_owned(),
        );
    }
    for (name, upstream) in &config.upstreams {
        let speaks_tls = |server: &Server| match server {
            Server::Url(url) => url.scheme() == "https",
            Server::Unix(_) => false,
        };
        let tls = &upstream.tls;
        let is_given = tls.authorities.is_some() || tls.client_certificate.is_some() || tls.server_name.is_some();
        if is_given && !upstream.servers.iter().any(speaks_tls) {
            notices.push(format!("upstreams.{name}.tls does nothing: none of its servers is https://."));
        }
    }
    for site in config.sites.iter().filter(|site| site.upstream.is_none()) {
        let believed = if config.trusted_proxies.is_empty() {
            "; trusted_proxies is empty, so that none of them is believed what was asked for, and no path is public"
        } else {
            ""
        };
        notices.push(format!(
            "the site {} has no upstream: it answers other proxies at /.vestibule/verify and passes nothing on itself{believed}.",
            site.name
        ));
    }
    for site in &config.sites {
        let is_open = |route: &&super::site::Route| {
            let is_everything = route.path == PathPattern::Below("/".to_owned())
                && route.methods.is_empty()
                && !route.preflight
                && route.networks.is_empty();
            route.access == Access::Public && is_everything
        };
        if let Some(rule) = site.routes.iter().position(|route| is_open(&route)) {
            notices.push(format!(
                "the site {} is open to everybody: its routes[{rule}] makes every path public.",
                site.name
            ));
        }
    }
    notices
}
