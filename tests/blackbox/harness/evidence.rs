//! What must not be readable where it need not be: every secret that a test made or saw, and where it is looked for.

use super::person::Answer;
use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// Secrets and answers of one test.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    secrets: Mutex<BTreeSet<Secret>>,
    answers: Mutex<Vec<(String, Vec<u8>)>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Secret {
    pub(crate) kind: SecretKind,
    pub(crate) value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SecretKind {
    Code,
    Password,
    Cookie,
    PhoneNumber,
    /// The operator's: keys, vendor tokens.
    Credential,
}

/// A secret that was found where it must not be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: SecretKind,
    pub(crate) form: &'static str,
    pub(crate) place: String,
    pub(crate) around: String,
}

impl Evidence {
    pub(crate) fn keep(&self, kind: SecretKind, value: &str) {
        if !value.is_empty() {
            self.secrets.lock().unwrap().insert(Secret { kind, value: value.to_owned() });
        }
    }

    /// Takes a secret out again: a planted one that was found.
    pub(crate) fn forget(&self, value: &str) {
        self.secrets.lock().unwrap().retain(|secret| secret.value != value);
    }

    pub(crate) fn saw_cookie(&self, name: &str, value: &str) {
        // a count of ours is no secret, and a digit stands everywhere
        if name.contains("vestibule") && !name.ends_with("-bounces") {
            self.keep(SecretKind::Cookie, value);
        }
    }

    /// Keeps what must not hold a secret: the body, and the headers but for the cookies it sets.
    pub(crate) fn saw_answer(&self, answer: &Answer) {
        let mut seen = answer.body.clone();
        seen.truncate(1 << 20);
        for (name, value) in &answer.headers {
            if name != "set-cookie" {
                seen.extend_from_slice(format!("\n{name}: ").as_bytes());
                seen.extend_from_slice(value.as_bytes());
            }
        }
        self.answers.lock().unwrap().push((format!("answer to {}", answer.asked), seen));
    }

    /// Keeps a text that must not hold a secret: what a command printed.
    pub(crate) fn saw_text(&self, what: &str, text: &str) {
        self.answers.lock().unwrap().push((what.to_owned(), text.as_bytes().to_vec()));
    }

    pub(crate) fn secrets(&self) -> Vec<Secret> {
        self.secrets.lock().unwrap().iter().cloned().collect()
    }

    /// Looks for every secret in `places` (a name and bytes each) and in all answers seen; each is told once a place.
    pub(crate) fn search(&self, places: &[(String, Vec<u8>)]) -> Vec<Found> {
        let needles: Vec<Needle> = self.secrets().iter().flat_map(forms).collect();
        if needles.is_empty() {
            return Vec::new();
        }
        let automaton = AhoCorasick::new(needles.iter().map(|needle| &needle.bytes)).unwrap();
        let answers = self.answers.lock().unwrap();
        let mut found = Vec::new();
        for (place, bytes) in places.iter().chain(answers.iter()) {
            let mut told = BTreeSet::new();
            for hit in automaton.find_overlapping_iter(bytes) {
                let needle = &needles[hit.pattern().as_usize()];
                if counts(needle, bytes, hit.start(), hit.end()) && told.insert((needle.kind, needle.form)) {
                    let around = &bytes[hit.start().saturating_sub(60)..bytes.len().min(hit.end() + 20)];
                    found.push(Found {
                        kind: needle.kind,
                        form: needle.form,
                        place: place.clone(),
                        around: String::from_utf8_lossy(around).into_owned(),
                    });
                }
            }
        }
        found
    }
}

/// A secret in one of the forms it may be written in.
#[derive(Debug)]
struct Needle {
    kind: SecretKind,
    form: &'static str,
    bytes: Vec<u8>,
}

/// Digits occur by chance: a plain code counts only where it stands alone, and a plain number where the digits around it are no
/// more than what is written before a number at home or abroad (a time in milliseconds has thirteen).
fn counts(needle: &Needle, bytes: &[u8], start: usize, end: usize) -> bool {
    if needle.form != "plain" {
        return true;
    }
    let follows = bytes.get(end);
    match needle.kind {
        SecretKind::Code => {
            let part_of_a_word =
                |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
            !part_of_a_word(start.checked_sub(1).and_then(|before| bytes.get(before))) && !part_of_a_word(follows)
        }
        SecretKind::PhoneNumber => {
            let digits = bytes[..start].iter().rev().take_while(|byte| byte.is_ascii_digit()).take(5).count();
            let before = &bytes[start - digits..start];
            let is_prefix = matches!(before, b"" | b"0" | [_, _] | [b'0', b'0', _, _]);
            is_prefix && !follows.is_some_and(u8::is_ascii_digit)
        }
        SecretKind::Password | SecretKind::Cookie | SecretKind::Credential => true,
    }
}

fn forms(secret: &Secret) -> Vec<Needle> {
    let value = secret.value.as_str();
    let mut forms = vec![
        ("plain", value.as_bytes().to_vec()),
        ("hex", hex::encode(value).into_bytes()),
        ("hex, upper case", hex::encode_upper(value).into_bytes()),
    ];
    let url_encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    if url_encoded != value {
        forms.push(("URL-encoded", url_encoded.into_bytes()));
    }
    if secret.kind == SecretKind::PhoneNumber {
        // The digits after the country code, as someone might write them at home.
        forms.push(("plain", value.trim_start_matches('+').as_bytes().to_vec()));
        forms.push(("plain", value.chars().skip(3).collect::<String>().into_bytes()));
    }
    // Inside a longer base64 text, at each of the three ways it can fall on the groups of four.
    for shift in 0..3 {
        let padded = [&vec![0; shift][..], value.as_bytes()].concat();
        let first = [0, 2, 3][shift];
        for (name, text) in
            [("base64", STANDARD_NO_PAD.encode(&padded)), ("base64, URL alphabet", URL_SAFE_NO_PAD.encode(&padded))]
        {
            let last = text.len() - usize::from(padded.len() % 3 != 0);
            if let Some(middle) = text.get(first..last).filter(|middle| middle.len() >= 7) {
                forms.push((name, middle.as_bytes().to_vec()));
            }
        }
    }
    forms.into_iter().map(|(form, bytes)| Needle { kind: secret.kind, form, bytes }).collect()
}

#[test]
fn a_planted_secret_is_found_in_every_form() {
    let evidence = Evidence::default();
    evidence.keep(SecretKind::Code, "483920");
    evidence.keep(SecretKind::Password, "päss word/+1");
    evidence.keep(SecretKind::PhoneNumber, "+32470123456");
    let mut planted = vec!["code=483920&x".to_owned(), "\"483920\"".to_owned(), "383438333932300a".to_owned()];
    planted[2] = hex::encode("xx483920yy");
    for before in ["", "a", "ab"] {
        planted.push(STANDARD_NO_PAD.encode(format!("{before}päss word/+1 and more")));
        planted.push(URL_SAFE_NO_PAD.encode(format!("{before}päss word/+1")));
        planted.push(STANDARD_NO_PAD.encode(format!("{before}483920;")));
    }
    planted.push("p%C3%A4ss+word%2F%2B1".to_owned());
    planted.push("to=%2B32470123456".to_owned());
    for number in ["call 0470123456", "32470123456", "to 0032470123456.", "470123456"] {
        planted.push(number.to_owned());
    }
    for text in planted {
        let found = evidence.search(&[("planted".to_owned(), text.clone().into_bytes())]);
        assert!(!found.is_empty(), "not found: {text}");
    }
    for text in
        ["2026-11-24T04:29:03.483920Z", "id 9483920", "a1483920f", "+32 4•• •• •• 56", "+3247***56", "1795470123456"]
    {
        let found = evidence.search(&[("innocent".to_owned(), text.as_bytes().to_vec())]);
        assert_eq!(found, [], "{text}");
    }
}
