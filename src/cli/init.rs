//! `init`: a short configuration and two key files to start from. What has no default and is a decision stays commented out; the operator is
//! told what is left to do. Overwrites nothing. Floor: roof.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use url::Url;

use super::output::{self, Failure};
use super::{Common, DEFAULT_FILE, key};
use crate::config::Config;
use crate::config::upstream::server;
use crate::web::origin::{Origin, Scheme};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where browsers will find the application: https://HOST, or http://localhost:PORT to try it out
    #[arg(long, value_parser = read_site)]
    url: Origin,
    /// Where the application runs, such as http://10.0.0.5:8080; left out: another proxy carries its requests and asks at /.vestibule/verify
    #[arg(long, value_parser = read_upstream)]
    upstream: Option<Url>,
}

fn read_site(text: &str) -> Result<Origin, String> {
    let origin = Origin::parse(text).map_err(|mistake| mistake.to_string())?;
    match origin.scheme() {
        Scheme::Http if !origin.is_loopback() => {
            Err("http:// is only for this machine itself (localhost); passwords would travel readable".to_owned())
        }
        Scheme::Http | Scheme::Https => Ok(origin),
    }
}

fn read_upstream(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("it has to begin with http:// or https://, and have a host".to_owned());
    }
    server(url)
}

const SIGNING_KEY: &str = "signing.key";
const DATA_KEY: &str = "data.key";

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let file = std::path::absolute(&common.config)
        .map_err(|error| Failure::because("the path of the configuration", &error))?;
    let folder = file.parent().ok_or_else(|| Failure::new(format!("{} is no path of a file", file.display())))?;
    let keys = [folder.join(SIGNING_KEY), folder.join(DATA_KEY)];
    if let Some(there) = keys.iter().chain([&file]).find(|path| path.exists()) {
        return Err(Failure::new(format!(
            "{} is there already, and nothing is overwritten; --config FILE chooses another place",
            there.display()
        )));
    }
    fs::create_dir_all(folder)
        .map_err(|error| Failure::because(&format!("{} cannot be made", folder.display()), &error))?;
    for path in &keys {
        write_new(path, 0o600, &key::generate())?;
    }
    write_new(&file, 0o600, &first_configuration(folder, &arguments.url, arguments.upstream.as_ref()))?;
    output::print(&what_is_left(&file, &keys.map(|path| path.display().to_string())))
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| Failure::because(&format!("{} cannot be written", path.display()), &error))
}

fn what_is_left(file: &Path, keys: &[String; 2]) -> String {
    let mut text = format!(
        "Written: {}, and two keys: {} and {}.\nKeep a copy of the second key: without it the phone numbers of your accounts are lost.\n",
        file.display(),
        keys[0],
        keys[1]
    );
    if let Err(problems) = Config::load(file) {
        text.push_str("\nLeft for you to decide, in that file:\n");
        for problem in problems {
            text.push_str(&format!("  {problem}\n"));
        }
    }
    let elsewhere = if file == Path::new(DEFAULT_FILE) {
        String::new()
    } else {
        format!(", after export VESTIBULE_CONFIG={}", file.display())
    };
    text.push_str(&format!(
        "\nThen: vestibule check, vestibule user add, vestibule sms test, vestibule serve{elsewhere}\n"
    ));
    text
}

fn first_configuration(folder: &Path, url: &Origin, upstream: Option<&Url>) -> String {
    let upstream = upstream.map(|url| url.as_str().trim_end_matches('/'));
    let site_upstream = match upstream {
        Some(_) => "    upstream: app",
        None => "    # No upstream: another proxy carries its requests and asks here (docs/forward-auth.md).",
    };
    let upstreams =
        upstream.map(|url| format!("upstreams:\n  app: {{ servers: [\"{url}\"] }}\n\n")).unwrap_or_default();
    let database = if folder == Path::new("/etc/vestibule") { Path::new("/var/lib/vestibule") } else { folder }
        .join("accounts.db");
    let database = database.display();
    let name = url
        .host()
        .split('.')
        .next()
        .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
        .unwrap_or("site");
    let listen = match (url.scheme(), upstream) {
        (Scheme::Http, Some(_)) => format!("listen:\n  - address: {}:{}\n", loopback_address(url.host()), url.port()),
        (_, None) => "\
listen: [{ address: 127.0.0.1:8080 }]
# Where that proxy comes from: it is believed what it asks about.
trusted_proxies: [127.0.0.1]
"
        .to_owned(),
        (Scheme::Https, Some(_)) => "\
# Choose one. Either the gateway has the certificate itself:
#listen:
#  - address: 0.0.0.0:8443
#    tls: { certificates: [{ certificate: /etc/vestibule/tls.crt, key: /etc/vestibule/tls.key }] }
# or a proxy in front of it has, and this is where that proxy comes from:
#listen: [{ address: 127.0.0.1:8080 }]
#trusted_proxies: [127.0.0.1]
"
        .to_owned(),
    };
    let provider = match url.is_loopback() {
        true => {
            "  # `terminal` shows the SMS on the terminal of `vestibule serve`; replace it by your vendor.\n  providers:\n    - { name: terminal, preset: terminal }\n"
        }
        false => {
            "  # Your vendor. `vestibule config reference` shows how to describe any other.
  #providers:
  #  - { name: main, preset: twilio, account: AC0123456789, secret: { file: /run/secrets/twilio } }
"
        }
    };
    format!(
        "\
# A first configuration of Vestibule. Settings that are left out have the defaults that `vestibule config reference` shows and explains.
# Lines that begin with \"#\" and a word are decisions that nobody can make for you. `vestibule check` says what is missing.

sites:
  - name: {name}
    url: \"{url}\"
{site_upstream}
    # What people read on the pages and in the SMS.
    #portal: {{ name: Acme Marketing, support: helpdesk@example.com }}
    # Paths for people who never sign in: unsubscribe links, pixels, webhooks.
    #routes:
    #  - {{ path: \"/unsubscribe/*\", access: public }}

{listen}
{upstreams}signing_keys: [{{ file: {SIGNING_KEY} }}]

# For one node. For several: redis://…
state: {{ url: \"memory:\" }}

accounts:
  # For one node. For several: postgres://…
  url: \"sqlite://{database}\"
  encryption_keys: [{{ file: {DATA_KEY} }}]

two_factor:
  # How phone numbers come to accounts. `pre_registered`: you define them. `self_registered`: users are asked at their first sign-in; who has the
  # password first, chooses the number. A security decision.
  #phone_numbers: pre_registered

sms:
  # Numbers of these countries get SMS, and no others.
  #countries: [BE, NL, FR, DE]
  # Whom they seem to come from; many vendors need one.
  #sender: Acme
{provider}"
    )
}

fn loopback_address(host: &str) -> &str {
    if host.starts_with("127.") || host.starts_with('[') { host } else { "127.0.0.1" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPLICATION: Option<&str> = Some("http://127.0.0.1:3000");

    fn configured(url: &str, upstream: Option<&str>, folder: &Path) -> Vec<String> {
        let common = Common { config: folder.join("vestibule.yaml") };
        let arguments =
            Arguments { url: read_site(url).unwrap(), upstream: upstream.map(|url| read_upstream(url).unwrap()) };
        run(&common, &arguments).unwrap();
        let problems = Config::load(&common.config).err().unwrap_or_default();
        problems.into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn only_decisions_are_left_after_init() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            configured("http://localhost:8080", APPLICATION, folder.path()),
            ["two_factor.phone_numbers", "sms.countries"]
        );
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            configured("https://app.example.com", APPLICATION, folder.path()),
            ["two_factor.phone_numbers", "sms.countries", "sms.providers", "listen[0]"]
        );
    }

    #[test]
    fn a_site_without_an_upstream_is_for_a_proxy_that_asks() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            configured("https://app.example.com", None, folder.path()),
            ["two_factor.phone_numbers", "sms.countries", "sms.providers"]
        );
        let written = fs::read_to_string(folder.path().join("vestibule.yaml")).unwrap();
        assert!(written.contains("\ntrusted_proxies: [127.0.0.1]\n") && !written.contains("upstreams:"), "{written}");
    }

    #[test]
    fn init_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DATA_KEY), "precious").unwrap();
        let common = Common { config: folder.path().join("vestibule.yaml") };
        let arguments = Arguments {
            url: read_site("http://localhost:1").unwrap(),
            upstream: Some(read_upstream("http://127.0.0.1:3000").unwrap()),
        };
        assert!(run(&common, &arguments).is_err());
        assert_eq!(fs::read_to_string(folder.path().join(DATA_KEY)).unwrap(), "precious");
        assert!(!common.config.exists());
        assert!(!folder.path().join(SIGNING_KEY).exists());
    }

    #[test]
    fn a_site_outside_is_https() {
        assert!(read_site("http://app.example.com").is_err());
        assert!(read_site("https://app.example.com/path").is_err());
        assert!(read_upstream("http://10.0.0.5/path").is_err());
        assert!(read_upstream("ftp://10.0.0.5").is_err());
    }
}
