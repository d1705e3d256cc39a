//! Which paths a route means, as an operator writes it: `/x` is only itself, `/x/*` everything below `/x/` at any depth. Case matters.
//! Matches paths that `canonical_path` has read, never raw ones. Floor: web.

use std::fmt;

use super::canonical_path::{self, PathReading};

/// Which paths a rule means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPattern {
    /// This path only.
    Exactly(String),
    /// Everything that begins with this, which ends in `/`.
    Below(String),
}

/// Why a text is no path pattern. To be read behind the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternMistake {
    #[error("does not begin with /")]
    NoSlash,
    #[error("has a `*` elsewhere than after the last /")]
    Star,
    #[error("holds a ? or #; a rule looks at the path only")]
    Query,
    #[error("is written with escapes; rules are compared with the decoded path {0}")]
    Escaped(String),
    #[error("is read in different ways by different programs (//, .., \\, ;, or escapes)")]
    Ambiguous,
    #[error("lies in /.vestibule/, which is never the application's")]
    Ours,
}

impl PathPattern {
    /// Reads what an operator wrote.
    ///
    /// # Errors
    /// It could never match, or would not mean what it seems to.
    pub fn parse(text: &str) -> Result<Self, PatternMistake> {
        if !text.starts_with('/') {
            return Err(PatternMistake::NoSlash);
        }
        let (prefix, pattern): (&str, fn(String) -> Self) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, Self::Below),
            None => (text, Self::Exactly),
        };
        if prefix.contains('*') || (prefix != text && !prefix.ends_with('/')) {
            return Err(PatternMistake::Star);
        }
        if prefix.contains(['?', '#']) {
            return Err(PatternMistake::Query);
        }
        match canonical_path::read(prefix.as_bytes()) {
            PathReading::Clear(clear) if clear == prefix => Ok(pattern(prefix.to_owned())),
            PathReading::Clear(clear) => Err(PatternMistake::Escaped(clear.into_owned())),
            PathReading::Ambiguous(_) => Err(PatternMistake::Ambiguous),
            PathReading::Ours | PathReading::MightBeOurs => Err(PatternMistake::Ours),
        }
    }

    /// Whether `path`, as `canonical_path` read it, is meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exactly(exact) => path == exact,
            Self::Below(folder) => path.starts_with(folder.as_str()),
        }
    }
}

/// As the operator writes it.
impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(path) => f.write_str(path),
            Self::Below(prefix) => write!(f, "{prefix}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_could_not_mean_what_it_says_is_refused() {
        for (text, pattern) in [
            ("/x", Ok(PathPattern::Exactly("/x".into()))),
            ("/x/*", Ok(PathPattern::Below("/x/".into()))),
            ("/*", Ok(PathPattern::Below("/".into()))),
            ("/", Ok(PathPattern::Exactly("/".into()))),
            ("/café/*", Ok(PathPattern::Below("/café/".into()))),
            ("x", Err(PatternMistake::NoSlash)),
            ("", Err(PatternMistake::NoSlash)),
            ("*", Err(PatternMistake::NoSlash)),
            ("/*/x", Err(PatternMistake::Star)),
            ("/x*", Err(PatternMistake::Star)),
            ("/x/**", Err(PatternMistake::Star)),
            ("/a%20b", Err(PatternMistake::Escaped("/a b".into()))),
            ("/a//b", Err(PatternMistake::Ambiguous)),
            ("/a/../b", Err(PatternMistake::Ambiguous)),
            ("/a?b", Err(PatternMistake::Query)),
            ("/x#y", Err(PatternMistake::Query)),
            ("/a%2fb", Err(PatternMistake::Ambiguous)),
            ("/a;b", Err(PatternMistake::Ambiguous)),
            ("/a\\b", Err(PatternMistake::Ambiguous)),
            ("/.vestibule/*", Err(PatternMistake::Ours)),
            ("/.vestibule", Err(PatternMistake::Ours)),
            ("/.Vestibule/login", Err(PatternMistake::Ours)),
        ] {
            assert_eq!(PathPattern::parse(text), pattern, "{text}");
            if let Ok(pattern) = pattern {
                assert_eq!(pattern.to_string(), text);
            }
        }
    }

    #[test]
    fn below_is_at_any_depth_and_not_the_folder_itself() {
        let below = PathPattern::parse("/x/*").unwrap();
        for (path, is_meant) in
            [("/x/", true), ("/x/a", true), ("/x/a/b", true), ("/x", false), ("/X/a", false), ("/xy/a", false)]
        {
            assert_eq!(below.matches(path), is_meant, "{path}");
        }
    }
}
