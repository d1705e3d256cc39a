//! The configuration, by the real program: every mistake at once, a first file that works, and what is said about it.

use crate::harness::children::{Output, free_port, fresh_folder, run};
use crate::harness::gateway::{BINARY, Gateway};
use crate::harness::person::Person;
use crate::harness::settings::Settings;
use crate::harness::stack::{Plan, Stack};
use crate::harness::upstream::Upstream;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// The program with these words, and nothing of the environment that names a configuration.
fn vestibule(words: &[&str], input: &str) -> Output {
    let mut command = Command::new(BINARY);
    command.args(words).env_remove("VESTIBULE_CONFIG");
    run(command, input)
}

fn check(file: &Path) -> (Option<i32>, Value) {
    let output = vestibule(&["check", "--json", "--config", &file.to_string_lossy()], "");
    let said = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.code, said)
}

#[test]
fn a_mistake_at_every_key_is_reported_in_one_run_with_what_would_be_right() {
    let schema: Value = serde_json::from_str(&vestibule(&["config", "schema"], "").done()).unwrap();
    let folder = fresh_folder("config");
    let file = folder.path().join("spoiled.yaml");
    for spoil in [Spoil::WrongType, Spoil::OutOfRange, Spoil::UnknownKey] {
        let mut expected = BTreeSet::new();
        let document = spoiled(&schema, "", spoil, &mut expected);
        std::fs::write(&file, serde_yaml::to_string(&document).unwrap()).unwrap();
        let (code, said) = check(&file);
        assert_eq!(code, Some(1), "{spoil:?}");
        let problems = said["problems"].as_array().unwrap();
        let reported: BTreeSet<String> =
            problems.iter().map(|problem| problem["key"].as_str().unwrap().to_owned()).collect();
        let missed: Vec<_> = expected.difference(&reported).collect();
        assert!(missed.is_empty(), "{spoil:?}: {} of {} not reported: {missed:?}", missed.len(), expected.len());
        for problem in problems {
            let said = |part: &str| problem[part].as_str().unwrap_or_default();
            assert!(!said("wrong").is_empty() && !said("right").is_empty(), "{problem}");
        }
        println!("{spoil:?}: {} mistakes, all reported in one run", expected.len());
        assert!(expected.len() >= 20, "{spoil:?}: only {} mistakes", expected.len());

        // The same for people, and by `serve`, which does not begin.
        let file = file.to_string_lossy();
        for words in [["check", "--config", &*file], ["serve", "--config", &*file]] {
            let output = vestibule(&words, "");
            assert_eq!(output.code, Some(1), "{words:?}");
            let said = output.stdout + &output.stderr;
            for key in &expected {
                assert!(said.contains(key.as_str()), "{words:?} says nothing of {key}: {said}");
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Spoil {
    WrongType,
    OutOfRange,
    UnknownKey,
}

/// A document that has every key of the schema, with a mistake at each; the places are noted in `mistakes`.
fn spoiled(schema: &Value, path: &str, spoil: Spoil, mistakes: &mut BTreeSet<String>) -> Value {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if let Some(scalar) = schema.pointer("/anyOf/0") {
        let value = match spoil {
            Spoil::WrongType => Some(json!(["a list"])),
            Spoil::OutOfRange => out_of_range(scalar),
            Spoil::UnknownKey => None,
        };
        if value.is_some() {
            mistakes.insert(path.to_owned());
        }
        return value.unwrap_or_else(|| schema.get("default").cloned().unwrap_or(json!("x")));
    }
    if let Some(items) = schema.get("items") {
        return json!([spoiled(items, &format!("{path}[0]"), spoil, mistakes)]);
    }
    let mut object = serde_json::Map::new();
    for (name, inside) in schema["properties"].as_object().into_iter().flatten() {
        object.insert(name.clone(), spoiled(inside, &under(name), spoil, mistakes));
    }
    if let Some(inside) = schema.get("additionalProperties").filter(|inside| inside.is_object()) {
        object.insert("any".to_owned(), spoiled(inside, &under("any"), spoil, mistakes));
    }
    if matches!(spoil, Spoil::UnknownKey) && schema["additionalProperties"] == json!(false) {
        object.insert("of_no_use".to_owned(), json!(1));
        mistakes.insert(under("of_no_use"));
    }
    Value::Object(object)
}

/// Just below the least, or longer than the longest; `None` where the schema names no bounds.
fn out_of_range(scalar: &Value) -> Option<Value> {
    if let Some(least) = scalar["minimum"].as_i64() {
        return Some(json!(if least == 0 { scalar["maximum"].as_i64()? + 1 } else { least - 1 }));
    }
    if let Some(most) = scalar["x-most"].as_str() {
        let unit = most.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let number: u64 = most.trim_end_matches(unit).parse().unwrap();
        return Some(json!(format!("{}{unit}", number + 1)));
    }
    let longest = scalar["maxLength"].as_u64()?;
    Some(json!("x".repeat(usize::try_from(longest).ok()? + 1)))
}

#[test]
fn the_reference_is_the_file_in_the_repository_and_right_but_for_the_decisions() {
    let reference = vestibule(&["config", "reference"], "").done();
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/vestibule.yaml")).unwrap();
    assert!(reference == kept, "config/vestibule.yaml: vestibule config reference > config/vestibule.yaml");
}

#[tokio::test]
async fn a_first_configuration_serves_after_its_decisions_were_made() {
    let folder = fresh_folder("init");
    let upstream = Upstream::start();
    let port = free_port();
    let file = folder.path().join("vestibule.yaml");
    let config = file.to_string_lossy().into_owned();
    let url = format!("http://localhost:{port}");
    let words = ["init", "--url", &url, "--upstream", &upstream.url(), "--config", &config];
    let said = vestibule(&words, "").done();
    assert!(said.contains("two_factor.phone_numbers") && said.contains("sms.countries"), "{said}");
    for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?} is open to others", entry.path());
    }

    let (code, said) = check(&file);
    assert_eq!(code, Some(1), "{said}");
    let open: Vec<&str> = said["problems"].as_array().unwrap().iter().filter_map(|one| one["key"].as_str()).collect();
    assert_eq!(open, ["two_factor.phone_numbers", "sms.countries"]);

    let decided = std::fs::read_to_string(&file)
        .unwrap()
        .replace("  #phone_numbers:", "  phone_numbers:")
        .replace("  #countries:", "  countries:");
    std::fs::write(&file, &decided).unwrap();
    let (code, said) = check(&file);
    assert_eq!((code, &said["problems"]), (Some(0), &json!([])), "{said}");
    let probed = vestibule(&["check", "--probe", "--config", &config], "");
    assert_eq!(probed.code, Some(0), "{probed:?}");

    let words = ["user", "add", "ada", "--phone", "+32470111222", "--password-stdin", "--config", &config];
    vestibule(&words, "unlikely-and-long\n").done();
    let node = Gateway::start("first", folder.path(), port, &decided, &[], None).unwrap();
    let person = Person::new(&url, port, Arc::default());
    let page = person.follow("/").await.expect(200);
    let form = page.form_with("password");
    let typed = [("username", "ada"), ("password", "unlikely-and-long")];
    let answer = person.submit(&form, &page.asked, &typed).await;
    let page = person.follow_from(answer).await.expect(200);
    // The SMS is shown on the terminal of the node.
    let code = crate::harness::children::wait_for("the code on the terminal", || {
        let shown = node.log();
        let (_, after) = shown.rsplit_once("@localhost #")?;
        after.get(..6).map(str::to_owned)
    });
    let answer = person.give_code(&page, &code).await;
    assert_eq!(person.follow_from(answer).await.expect(200).json()["upstream"], "app");

    // Nothing is ever overwritten.
    let again = vestibule(&["init", "--url", &url, "--upstream", &upstream.url(), "--config", &config], "");
    assert_eq!(again.code, Some(1), "{again:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), decided);
}

#[test]
fn what_is_in_force_is_shown_without_a_secret() {
    let stack = Plan::new().prepare();
    let shown = stack.command(&["config", "show"], "").done();
    assert!(shown.contains("idle_timeout: 1h"), "a default is not shown: {shown}");
    for secret in stack.evidence().secrets() {
        assert!(!shown.contains(&secret.value), "{:?} is shown", secret.kind);
    }
}

#[test]
fn a_request_is_explained() {
    let stack = Plan::new()
        .set(
            "sites.0.routes",
            json!([
                { "path": "/hooks/*", "methods": ["POST"], "networks": ["203.0.113.0/24"], "access": "public" },
                { "path": "/never/*", "access": "deny" },
            ]),
        )
        .prepare();
    let explained = |words: &[&str]| -> Value {
        let words: Vec<String> =
            words.iter().map(|word| word.replace("{SITE}", &stack.site())).chain(["--json".to_owned()]).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        serde_json::from_str(&stack.command(&words, "").done()).unwrap()
    };
    for (words, decision) in [
        (vec!["explain", "{SITE}/"], "sign-in"),
        (vec!["explain", "POST", "{SITE}/hooks/a", "--client", "203.0.113.9"], "public"),
        (vec!["explain", "POST", "{SITE}/hooks/a", "--client", "198.51.100.9"], "sign-in"),
        (vec!["explain", "GET", "{SITE}/hooks/a", "--client", "203.0.113.9"], "sign-in"),
        (vec!["explain", "{SITE}/hooks/..%2fadmin"], "sign-in"),
        (vec!["explain", "{SITE}/never/x"], "403"),
        (vec!["explain", "TRACE", "{SITE}/"], "405"),
        (vec!["explain", "{SITE}/.vestibule/login"], "Vestibule"),
    ] {
        let said = explained(&words);
        assert!(said["decision"].as_str().unwrap().contains(decision), "{words:?}: {said}");
    }
    let elsewhere = stack.command(&["explain", "http://elsewhere.example/"], "");
    assert_eq!(elsewhere.code, Some(1));
    assert!(elsewhere.stderr.contains("421"), "{elsewhere:?}");
}

#[test]
fn the_host_that_is_explained_is_the_one_that_is_sent() {
    for (setting, host) in
        [("site", None), ("server", Some("app.internal:8080")), ("www.internal", Some("www.internal"))]
    {
        let stack = Plan::new()
            .set("upstreams.app.servers", json!(["http://app.internal:8080"]))
            .set("upstreams.app.host", setting)
            .prepare();
        let said = stack.command(&["explain", &format!("{}/", stack.site()), "--json"], "").done();
        let said: Value = serde_json::from_str(&said).unwrap();
        let site = stack.site().replace("http://", "");
        assert_eq!(said["headers"]["Host"], host.unwrap_or(&site), "{setting}: {said}");
    }
}

/// For commands that listen nowhere.
fn text_of(settings: &Settings) -> String {
    settings.yaml().replace("{PORT}", "8080").replace("{NODE_PORT}", "8080")
}

#[test]
fn a_configuration_and_its_values_may_come_through_pipes() {
    let stack = Plan::new().prepare();
    let text = text_of(&stack.settings);
    let through = vestibule(&["config", "show", "--config", "/dev/stdin"], &text).done();
    assert!(through.contains("idle_timeout: 1h"), "{through}");

    let folder = fresh_folder("pipes");
    let file = folder.path().join("vestibule.yaml");
    let mut command = Command::new("bash");
    let piped = text.replace("sender: Acme", "sender: { file: /dev/fd/9 }");
    assert_ne!(piped, text);
    std::fs::write(&file, piped).unwrap();
    command.args(["-c", r#"exec 9< <(echo Piped); exec "$0" config show --config <(cat "$1")"#, BINARY]).arg(&file);
    let through = run(command, "").done();
    assert!(through.contains("sender: Piped"), "{through}");
}

#[test]
fn what_is_no_file_is_called_what_it_is_and_holds_up_no_start() {
    let stack = Plan::new().prepare();
    let folder = fresh_folder("no-files");
    let at = |name: &str| folder.path().join(name);
    let made = Command::new("mkfifo").args(["-m", "600"]).args([at("pipe"), at("other-pipe")]).status().unwrap();
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    let (pipe, socket) = (at("pipe").display().to_string(), at("socket").display().to_string());
    let here = folder.path().display().to_string();
    let late = "it is a pipe that did not come to its end within 10 seconds";
    let kinds = [(&*here, "it is a directory"), (&*socket, "it is a socket"), ("/dev/zero", "it is a device")];
    std::thread::scope(|scope| {
        // Each of the two takes ten seconds: nobody writes.
        scope.spawn(|| {
            let said = vestibule(&["serve", "--config", &pipe], "");
            assert!(
                said.code == Some(1) && said.stderr.contains(&format!("{pipe} cannot be read: {late}")),
                "{said:?}"
            );
        });
        scope.spawn(|| {
            let value = at("other-pipe").display().to_string();
            let mut settings = stack.settings.clone();
            settings.set("sms.sender", json!({ "file": value }));
            std::fs::write(at("value.yaml"), text_of(&settings)).unwrap();
            let (code, said) = check(&at("value.yaml"));
            let wrong = said["problems"][0]["wrong"].as_str().unwrap();
            assert_eq!((code, &said["problems"][0]["key"]), (Some(1), &json!("sms.sender")), "{said}");
            assert!(wrong.contains(&format!("{value} cannot be read: {late}")), "{wrong}");
        });
    });
    for (path, what) in kinds {
        let said = vestibule(&["check", "--config", path], "");
        let words = format!("{path} cannot be read: {what}");
        assert!(said.code == Some(1) && (said.stdout.clone() + &said.stderr).contains(&words), "{said:?}");
        // What is read again while the program runs is a plain file.
        let tls = json!({ "certificates": [{ "certificate": path, "key": pipe }] });
        let mut settings = stack.settings.clone();
        settings.set("listen.0.tls", tls);
        std::fs::write(at("tls.yaml"), text_of(&settings)).unwrap();
        let (_, said) = check(&at("tls.yaml"));
        let said = said.to_string();
        assert!(said.contains(what) && said.contains("it is a pipe, and a plain file is needed"), "{said}");
    }
}

#[test]
fn wrong_usage_and_a_missing_file_are_told_apart() {
    assert_eq!(vestibule(&["no-such-command"], "").code, Some(2));
    let missing = vestibule(&["check", "--config", "/nowhere/vestibule.yaml"], "");
    assert_eq!(missing.code, Some(1));
    assert!((missing.stdout + &missing.stderr).contains("/nowhere/vestibule.yaml"));
}

#[tokio::test]
async fn a_reload_is_all_or_nothing() {
    let mut stack: Stack = Stack::start();
    let person = stack.person();
    person.fetch("/open/page").await.expect(401);
    stack.settings.set("sites.0.routes", json!([{ "path": "/open/*", "access": "public" }]));
    stack.settings.set("session.idle_timeout", "never");
    stack.rewrite_config(0);
    stack.nodes[0].reload();
    crate::harness::children::wait_for("the refusal in the log", || {
        stack.nodes[0].log().contains("session.idle_timeout").then_some(())
    });
    person.fetch("/open/page").await.expect(401);

    stack.settings.remove("session.idle_timeout");
    stack.rewrite_config(0);
    stack.nodes[0].reload();
    let began = std::time::Instant::now();
    while person.fetch("/open/page").await.status != 200 {
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{}", stack.nodes[0].log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    person.fetch("/").await.expect(401);
}
