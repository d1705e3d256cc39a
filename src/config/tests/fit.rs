//! What does not fit together is refused, and nothing else is.

use super::super::document;
use super::{Imagined, SMALL, assert_mistake, assert_right, mistakes, read, read_in, read_value, small_with};

const LOCAL: [(&str, &str); 2] = [("/sites/0/url", "\"http://localhost:8080\""), ("/trusted_proxies", "[]")];

fn local_with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    LOCAL.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn the_small_one_is_right_and_says_nothing_but_that_memory_is_for_one_node() {
    let loaded = read(SMALL).unwrap();
    assert_eq!(loaded.notices.len(), 1, "{:?}", loaded.notices);
    assert_right(&LOCAL);
}

#[test]
fn connections_that_do_not_fit_into_the_open_files_are_announced() {
    let notices = |open_files| {
        let surroundings = Imagined { open_files, ..Imagined::default() };
        let text = document::write(&small_with(&[("/limits", "{ connections: { total: 3000, per_network: 100 } }")]));
        read_in(&text, &surroundings).unwrap().notices
    };
    let said = notices(Some(4096));
    let notice = said.iter().find(|notice| notice.contains("limits.connections.total")).unwrap();
    assert!(notice.contains("3000") && notice.contains("1728") && notice.contains("4096"), "{notice}");
    for enough in [Some(8192), None] {
        assert!(notices(enough).iter().all(|notice| !notice.contains("limits.connections")));
    }
}

#[test]
fn plain_http_stays_on_this_machine() {
    assert_mistake(&[("/sites/0/url", "\"http://marketing.example.com\"")], "sites[0].url", "readable");
    assert_mistake(&local_with(&[("/listen", "[{ address: 0.0.0.0:8080 }]")]), "sites[0].url", "other machines");
    assert_right(&local_with(&[("/listen", "[{ address: \"[::1]:8080\" }]")]));
}

#[test]
fn a_plain_listener_of_an_https_site_has_a_proxy_in_front() {
    assert_mistake(&[("/trusted_proxies", "[]")], "listen[0]", "trusted_proxies");
    let tls = "[{ address: 0.0.0.0:8443, tls: { certificates: [{ certificate: tls.crt, key: tls.key }] } }, { address: 0.0.0.0:8080, redirect_to_https: on }]";
    assert_right(&[("/trusted_proxies", "[]"), ("/listen", tls)]);
    assert_mistake(&[("/listen", "[{ address: 0.0.0.0:8080, redirect_to_https: on }]")], "listen", "only redirects");
    assert_mistake(
        &[("/listen", "[{ address: 127.0.0.1:1 }, { address: 127.0.0.1:1 }]")],
        "listen[1].address",
        "twice",
    );
}

#[test]
fn a_proxy_header_is_required_from_somebody() {
    let listen = ("/listen", "[{ address: 127.0.0.1:8080, proxy_protocol: required }]");
    assert_mistake(&local_with(&[listen]), "listen[0].proxy_protocol", "no proxy is named");
    assert_right(&[listen]);
    assert_mistake(
        &[("/listen", "[{ address: 127.0.0.1:8080, proxy_protocol: on }]")],
        "listen[0].proxy_protocol",
        "required",
    );
}

#[test]
fn operators_have_an_address_of_their_own() {
    let tls = "tls: { certificates: [{ certificate: tls.crt, key: tls.key }] }";
    let of = |text: &str| format!("{{ {text} }}");
    assert_right(&local_with(&[("/admin", &of("url: \"http://127.0.0.1:9180\""))]));
    let apart = of(&format!("listen: 0.0.0.0:9443, url: \"https://admin.example.com\", {tls}"));
    assert_right(&local_with(&[("/admin", &apart)]));
    for (text, key, word) in [
        ("url: \"http://admin.example.com\"", "admin.url", "readable"),
        ("listen: 0.0.0.0:9180, url: \"http://localhost:9180\"", "admin.url", "other machines"),
        ("url: \"http://localhost:8080\"", "admin.url", "a site has the host"),
        ("listen: 127.0.0.1:8080, url: \"http://localhost:9180\"", "admin.listen", "is in `listen` too"),
        ("url: \"https://admin.example.com\"", "admin.listen", "no proxy in front"),
        (&format!("url: \"http://localhost:9180\", {tls}"), "admin.url", "speaks TLS"),
    ] {
        assert_mistake(&local_with(&[("/admin", &of(text))]), key, word);
    }
    // no site can take the name under which operators have their sessions
    assert_mistake(&[("/sites/0/name", "\"@operators\"")], "sites[0].name", "other characters");
}

#[test]
fn nobody_believes_everybody() {
    assert_mistake(&[("/trusted_proxies", "[127.0.0.1, 0.0.0.0/0]")], "trusted_proxies[1]", "everybody");
    assert_mistake(&[("/trusted_proxies", "[\"::/0\"]")], "trusted_proxies[0]", "everybody");
}

#[test]
fn a_certificate_comes_with_its_own_key() {
    let listen = |certificate: &str, key: &str| {
        format!(
            "[{{ address: 0.0.0.0:8443, tls: {{ certificates: [{{ certificate: {certificate}, key: {key} }}] }} }}]"
        )
    };
    let key = "listen[0].tls.certificates[0].key";
    assert_mistake(&[("/listen", &listen("tls.crt", "/run/secrets/x"))], key, "private key");
    assert_mistake(
        &[("/listen", &listen("/run/secrets/x", "tls.key"))],
        "listen[0].tls.certificates[0].certificate",
        "no certificate",
    );
    assert_mistake(&[("/listen", &listen("tls.crt", "other.key"))], key, "is not the key of");
    assert_mistake(&[("/listen", &listen("tls.crt", "/nowhere"))], key, "cannot be read");
}

#[test]
fn sites_are_told_apart() {
    let second = "{ name: marketing, url: \"https://marketing.example.com\", upstream: app }";
    let problems = mistakes(&[("/sites/-", second)]);
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["sites[1].name", "sites[1].url"]);
    assert_right(&[("/sites/-", "{ name: other, url: \"https://marketing.example.com:8443\", upstream: app }")]);
    assert_mistake(&[("/sites/0/url", "\"https://marketing.example.com/app\"")], "sites[0].url", "host");
}

#[test]
fn upstreams_that_are_named_exist() {
    assert_mistake(&[("/sites/0/upstream", "ap")], "sites[0].upstream", "perhaps `app`");
    assert_mistake(
        &[("/sites/0/routes", "[{ path: /x, upstream: media }]")],
        "sites[0].routes[0].upstream",
        "one of app",
    );
    assert_mistake(
        &[("/sites/0/routes", "[{ path: /x, upstream: app, access: deny }]")],
        "sites[0].routes[0].upstream",
        "denied",
    );
    for server in ["http://user@10.0.0.5", "http://10.0.0.5/app", "ftp://10.0.0.5", "http://", "10.0.0.5:80"] {
        assert_mistake(
            &[("/upstreams/app/servers", &format!("[\"{server}\"]"))],
            "upstreams.app.servers[0]",
            "such as http://10.0.0.5:8080",
        );
    }
}

#[test]
fn a_rule_for_preflights_can_be_followed() {
    let rule = |rest: &str| format!("[{{ path: /api/*, preflight: on{rest} }}]");
    assert_mistake(&[("/sites/0/routes", &rule(""))], "sites[0].routes[0].access", "no cookie");
    assert_mistake(
        &[("/sites/0/routes", &rule(", access: public, methods: [OPTIONS]"))],
        "sites[0].routes[0].methods",
        "always OPTIONS",
    );
    assert_right(&[("/sites/0/routes", &rule(", access: public"))]);
    assert_right(&[("/sites/0/routes", &rule(", access: deny"))]);
}

#[test]
fn a_site_without_an_upstream_is_said_to_be_for_other_proxies() {
    let site = "{ name: marketing, url: \"http://localhost:8080\" }";
    let notices = |proxies: &str| {
        let changes = [("/sites/0", site), ("/trusted_proxies", proxies)];
        read_value(&small_with(&changes)).unwrap().notices
    };
    let said = |notices: &[String], text: &str| notices.iter().any(|notice| notice.contains(text));
    let believed = notices("[127.0.0.1]");
    assert!(said(&believed, "the site marketing has no upstream") && !said(&believed, "no path is public"));
    let unbelieved = notices("[]");
    assert!(said(&unbelieved, "no path is public"), "{unbelieved:?}");
}

#[test]
fn no_key_is_used_twice() {
    let key = "{ file: /run/secrets/sign }";
    assert_mistake(&[("/signing_keys/-", key)], "signing_keys[1]", "signing_keys[0]");
    assert_mistake(&[("/accounts/encryption_keys/0", key)], "accounts.encryption_keys[0]", "signing_keys[0]");
    assert_mistake(&[("/signing_keys/0", "\"AAAA\"")], "signing_keys[0]", "3 bytes");
    assert_mistake(&[("/signing_keys/0", "\"no base64!\"")], "signing_keys[0]", "base64");
}

#[test]
fn the_terminal_and_test_mode_stay_on_this_machine() {
    let terminal = ("/sms/providers/0", "{ name: terminal, preset: terminal }");
    assert_mistake(&[terminal], "sms.providers[0].preset", "terminal");
    assert_right(&local_with(&[terminal]));
    assert_mistake(&[("/testing", "on")], "testing", "marketing.example.com");
    let loaded = read_value(&small_with(&local_with(&[("/testing", "on")]))).unwrap();
    assert!(loaded.notices.iter().any(|notice| notice.contains("testing is on")));
}

#[test]
fn test_mode_lifts_lower_bounds_and_only_those() {
    let short = [
        ("/two_factor/code/lifetime", "1s"),
        ("/two_factor/code/resend_after", "[100ms]"),
        ("/session/idle_timeout", "2s"),
    ];
    assert_eq!(mistakes(&local_with(&short)).len(), 3);
    assert_right(&local_with(&[&short[..], &[("/testing", "true")]].concat()));
    for (pointer, text, key) in [
        ("/two_factor/code/lifetime", "0s", "two_factor.code.lifetime"),
        ("/two_factor/code/lifetime", "11m", "two_factor.code.lifetime"),
        ("/two_factor/login_lifetime", "11m", "two_factor.login_lifetime"),
        ("/session/lifetime", "25h", "session.lifetime"),
        ("/session/idle_timeout", "61m", "session.idle_timeout"),
        ("/two_factor/code/length", "4", "two_factor.code.length"),
    ] {
        let problems = mistakes(&local_with(&[("/testing", "true"), (pointer, text)]));
        assert!(problems.iter().any(|problem| problem.key == key), "{key}: {problems:?}");
    }
}

#[test]
fn what_ends_later_is_not_shorter() {
    let announced = |from: &str, activation: &str| format!("{{ from: {from}, activation: {activation} }}");
    for (text, key, word) in [
        (announced("2027-01-32", "2027-02-01"), "two_factor.announcement.from", "no day"),
        (announced("2027-01-31", "2027-01-30"), "two_factor.announcement.activation", "before"),
    ] {
        assert_mistake(&[("/two_factor/announcement", &text)], key, word);
    }
    assert_mistake(&[("/two_factor/login_lifetime", "4m")], "two_factor.code.lifetime", "login_lifetime");
    assert_mistake(&[("/session/lifetime", "30m")], "session.idle_timeout", "session.lifetime");
    assert_mistake(
        &[("/limits/password_failures/longest_wait", "30s"), ("/limits/password_failures/first_wait", "1m")],
        "limits.password_failures.first_wait",
        "longest_wait",
    );
    assert_mistake(&[("/passwords/argon2/iterations", "1")], "passwords.argon2", "too weak");
}

#[test]
fn a_check_is_silent_about_what_could_not_be_read() {
    let problems = mistakes(&[("/session", "{ lifetime: soon, idle_timeout: 1h }"), ("/sites/0/upstream", "[x]")]);
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["sites[0].upstream", "session.lifetime"]);
}

#[test]
fn the_vendor_is_described_well() {
    assert_mistake(&[("/sms/providers/0/url", "\"http://sms.example/\"")], "sms.providers[0].url", "https://");
    assert_mistake(&[("/sms/providers/0/json", "{ text: \"${text}\" }")], "sms.providers[0].json", "${to}");
    assert_mistake(&[("/sms/providers/0/json/from", "\"${sender}\"")], "sms.sender", "house");
    assert_mistake(&[("/sms/providers/0/auth", "{}")], "sms.providers[0].auth", "one of bearer");
    assert_mistake(
        &[("/sms/providers/0/success", "{ status: [20] }")],
        "sms.providers[0].success.status[0]",
        "200-299",
    );
    assert_mistake(
        &[("/sms/sender", "Acme"), ("/sms/providers/-", "{ name: house, preset: twilio, account: AC, secret: x }")],
        "sms.providers[1].name",
        "house",
    );
    assert_right(&[
        ("/sms/sender", "Acme"),
        ("/sms/providers/0", "{ name: main, preset: twilio, account: AC1, secret: { file: /run/secrets/twilio } }"),
    ]);
}

#[test]
fn a_site_that_is_open_to_everybody_is_announced() {
    let notices = |route: &str| read_value(&small_with(&[("/sites/0/routes", route)])).unwrap().notices;
    assert!(notices("[{ path: \"/*\", access: public }]").iter().any(|notice| notice.contains("routes[0]")));
    for narrower in ["networks: [10.0.0.0/8]", "preflight: on", "methods: [GET]"] {
        let route = format!("[{{ path: \"/*\", access: public, {narrower} }}]");
        assert!(!notices(&route).iter().any(|notice| notice.contains("routes")), "{narrower}");
    }
}

#[test]
fn what_a_site_is_called_fits_in_one_sms() {
    assert_mistake(&[("/sites/0/portal/name", "Žluťoučký")], "sites[0].portal.name", "every phone");
    let long =
        "\"https://marketing-and-communication-department-of-the-house.subsidiary-with-a-long-name.example.com\"";
    assert_mistake(&[("/sites/0/url", long)], "sites[0].portal.name", "short");
    assert_right(&[("/sites/0/portal/name", "Café Zürich")]);
}

#[test]
fn what_depends_on_the_machine_is_shown_as_it_came_out() {
    let in_force = read(SMALL).unwrap().in_force;
    assert_eq!(in_force["sites"][0]["portal"]["name"], "marketing");
    assert!(in_force["passwords"]["threads"].as_u64().is_some_and(|threads| threads > 0));
}

#[test]
fn an_order_of_providers_names_providers_that_serve_an_allowed_country() {
    let small = |order: &'static str| [("/sms/orders", order)];
    assert_right(&small("{ BE: [house] }"));
    assert_mistake(&small("{ US: [house] }"), "sms.orders.US", "no country that SMS may go to");
    assert_mistake(&small("{ BE: [second] }"), "sms.orders.BE", "no provider is called");
    let elsewhere = [("/sms/orders", "{ BE: [house] }"), ("/sms/providers/0/countries", "[NL]")];
    assert_mistake(&elsewhere, "sms.orders.BE", "not for BE");
}
