//! What is refused of `upstreams`, with what would be right.

use super::{assert_mistake, assert_right, read_value, small_with};

fn of_app(key: &str) -> String {
    format!("upstreams.app.{key}")
}

#[test]
fn a_server_is_a_url_without_a_path_or_a_socket() {
    for server in ["http://10.0.0.5", "https://app.internal:8443", "http://[::1]:3000", "unix:/run/app.sock"] {
        assert_right(&[("/upstreams/app/servers", &format!("[\"{server}\"]"))]);
    }
    let long = format!("unix:/{}", "x".repeat(107));
    for server in ["unix:", "unix:app.sock", "unix:/run/", "unix://run", long.as_str(), "http://10.0.0.5:0"] {
        let is_right = server == "unix://run";
        let changes: [(&str, &str); 1] = [("/upstreams/app/servers", &format!("[\"{server}\"]"))];
        if is_right { assert_right(&changes) } else { assert_mistake(&changes, &of_app("servers[0]"), "such as") }
    }
}

#[test]
fn a_name_that_no_certificate_can_be_checked_for_is_refused() {
    let server = ("/upstreams/app/servers", "[\"https://my_app.example.com\"]");
    assert_mistake(&[server], &of_app("servers[0]"), "tls.server_name");
    assert_right(&[server, ("/upstreams/app/tls", "{ server_name: my-app.example.com }")]);
    assert_right(&[("/upstreams/app/servers", "[\"http://my_app.example.com\"]")]);
    assert_mistake(&[("/upstreams/app/tls", "{ server_name: \"a b\" }")], &of_app("tls.server_name"), "no name");
    assert_mistake(&[("/upstreams/app/tls", "{ insecure: true }")], &of_app("tls.insecure"), "no such key");
}

#[test]
fn tls_settings_that_do_nothing_are_said() {
    let loaded = read_value(&small_with(&[("/upstreams/app/tls", "{ server_name: app.internal }")])).unwrap();
    assert!(loaded.notices.iter().any(|notice| notice.contains("upstreams.app.tls")), "{:?}", loaded.notices);
}

#[test]
fn a_client_s_key_is_read_by_nobody_else() {
    use super::super::surroundings::Readers;
    let text = super::super::document::write(&small_with(&[(
        "/upstreams/app/tls",
        "{ client_certificate: /etc/vestibule/client.crt, client_key: /etc/vestibule/open.key }",
    )]));
    let surroundings =
        super::Imagined::default().with_file("/etc/vestibule/open.key", include_str!("key.pem"), Readers::Others);
    let read = super::super::read(&text, &surroundings, std::path::Path::new("/etc/vestibule"), Readers::OnlyUs);
    let problems = super::super::whole(read.unwrap()).unwrap_err();
    assert!(problems.len() == 1 && problems[0].to_string().contains("chmod 600"), "{problems:#?}");
}

#[test]
fn a_host_is_a_word_or_a_name() {
    for host in ["site", "server", "app.internal", "app.internal:8080", "\"[::1]:80\""] {
        assert_right(&[("/upstreams/app/host", host)]);
    }
    for host in ["\"a b\"", "\"http://app\"", "user@app", "\":80\"", "\"app:0\"", "app/x"] {
        assert_mistake(&[("/upstreams/app/host", host)], &of_app("host"), "a host name such as app.internal");
    }
}

#[test]
fn a_health_check_has_a_path_and_statuses() {
    assert_right(&[("/upstreams/app/health", "{ path: \"/health?deep=1\", status: [200, 204] }")]);
    assert_mistake(&[("/upstreams/app/health", "{}")], &of_app("health.path"), "/health");
    for path in ["health", "\"/a b\"", "\"/a#b\"", "\"/ä\""] {
        assert_mistake(&[("/upstreams/app/health", &format!("{{ path: {path} }}"))], &of_app("health.path"), "no path");
    }
    assert_mistake(&[("/upstreams/app/health", "{ path: /h, status: [100] }")], &of_app("health.status[0]"), "200");
    assert_mistake(&[("/upstreams/app/health", "{ path: /h, status: [] }")], &of_app("health.status"), "1 to 50");
}
