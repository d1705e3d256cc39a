//! Files that pages refer to: style sheets, script, pictures. Each has the hash of its content in its name, so that browsers may keep it for ever.
//!
//! Serves nothing. Floor: pages.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use sha2::{Digest as _, Sha256};

use crate::web::paths;

/// The script of all pages. It only makes more comfortable what works without it.
const SCRIPT: &str = include_str!("assets/script.js");
/// The style sheet of all pages, without the site's colour.
const STYLE: &str = include_str!("assets/style.css");

/// One file.
#[derive(Clone, Debug)]
pub struct Asset {
    name: String,
    kind: AssetKind,
    bytes: Bytes,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetKind {
    Css,
    JavaScript,
    Svg,
    Png,
}

impl Asset {
    /// A file called `stem.HASH.extension`, the hash being of `bytes`.
    #[must_use]
    pub fn new(stem: &str, kind: AssetKind, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let hash = hex::encode(Sha256::digest(&bytes));
        let short = hash.get(..12).unwrap_or(&hash); // 48 bits: a name for a version, not a proof
        Self { name: format!("{stem}.{short}.{}", kind.extension()), kind, bytes }
    }

    /// The script of all pages.
    #[must_use]
    pub fn script() -> Self {
        Self::new("script", AssetKind::JavaScript, SCRIPT)
    }

    /// The style sheet of all pages.
    #[must_use]
    pub fn style() -> Self {
        Self::new("style", AssetKind::Css, STYLE)
    }

    /// The last segment of its path.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its path on every site's host.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}{}", paths::ASSETS, self.name)
    }

    /// Its content.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The headers it is sent with. A picture that is opened by itself can run and load nothing: the operator's SVG may have been drawn by anybody.
    #[must_use]
    pub fn headers(&self) -> [(HeaderName, HeaderValue); 5] {
        [
            (CONTENT_TYPE, HeaderValue::from_static(self.kind.content_type())),
            (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (
                CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
            ),
            (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
        ]
    }
}

impl AssetKind {
    fn content_type(self) -> &'static str {
        match self {
            Self::Css => "text/css; charset=utf-8",
            Self::JavaScript => "text/javascript; charset=utf-8",
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Css => "css",
            Self::JavaScript => "js",
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_has_another_name() {
        let [one, other] = ["a", "b"].map(|content| Asset::new("style", AssetKind::Css, content));
        assert_eq!(one.name().len(), "style.0123456789ab.css".len());
        assert_ne!(one.name(), other.name());
        assert_eq!(one.path(), format!("/.vestibule/assets/{}", one.name()));
    }

    #[test]
    fn style_and_script_are_small_and_fetch_nothing() {
        assert!(STYLE.len() < 10 * 1024, "{}", STYLE.len());
        assert!(SCRIPT.len() < 6 * 1024, "{}", SCRIPT.len());
        for outside in ["http:", "https:", "url(", "@import", "//"] {
            assert!(!STYLE.contains(outside), "{outside}");
        }
        for outside in ["fetch(", "XMLHttpRequest", "import(", "eval(", "innerHTML", "localStorage", "http"] {
            assert!(!SCRIPT.contains(outside), "{outside}");
        }
    }
}
