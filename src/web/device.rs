//! Which browser on which system a `User-Agent` names, in words for people. Knows the common ones and guesses nothing: what it does not know stays
//! unknown, and what a browser pretends to be it takes at its word. Floor: web.

/// What a browser says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// `None`: not one we know.
    pub browser: Option<&'static str>,
    /// `None`: not one we know.
    pub system: Option<&'static str>,
}

/// What stands in the header, and whose it is. The first that is there counts: most browsers also name those they descend from.
const BROWSERS: [(&str, &str); 16] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("curl/", "curl"),
];

/// Likewise. Android before Linux, which it names too.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows NT", "Windows"),
    ("Android", "Android"),
    ("CrOS ", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

impl Device {
    /// What `user_agent` names.
    #[must_use]
    pub fn named_by(user_agent: &str) -> Self {
        let first = |known: &[(&str, &'static str)]| {
            known.iter().find(|(token, _)| user_agent.contains(token)).map(|(_, name)| *name)
        };
        // an app that shows pages inside itself names the browser it borrows
        let is_app = user_agent.contains("; wv)");
        let is_safari = user_agent.contains("Version/") && user_agent.contains(" Safari/");
        let browser = match first(&BROWSERS) {
            _ if is_app => None,
            None if is_safari && !user_agent.contains("Android") => Some("Safari"),
            known => known,
        };
        let system = match first(&SYSTEMS) {
            // an iPad that asks for pages as made for computers says that it is one of these
            Some("macOS") if is_safari || user_agent.contains("iOS/") => Some("macOS / iPadOS"),
            known => known,
        };
        Self { browser, system }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_by_its_name_and_not_by_those_it_descends_from() {
        for (user_agent, browser, system) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox", "Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Chrome",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.68",
                "Edge",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
                "Samsung Internet",
                "Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
                "Chrome",
                "iPad",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
                "Safari",
                "macOS / iPadOS",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Chrome",
                "macOS",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Chrome",
                "ChromeOS",
            ),
        ] {
            let expected = Device { browser: Some(browser), system: Some(system) };
            assert_eq!(Device::named_by(user_agent), expected, "{user_agent}");
        }
    }

    #[test]
    fn what_is_not_known_stays_unknown() {
        assert_eq!(Device::named_by(""), Device::default());
        assert_eq!(Device::named_by("Wget/1.21"), Device::default());
        assert_eq!(Device::named_by("curl/8.5.0"), Device { browser: Some("curl"), system: None });
        let app = "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36";
        assert_eq!(Device::named_by(app), Device { browser: None, system: Some("Android") });
        let old = "Mozilla/5.0 (Linux; U; Android 4.0.3) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30";
        assert_eq!(Device::named_by(old), Device { browser: None, system: Some("Android") });
    }
}
