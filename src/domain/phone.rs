//! Mobile numbers: from what people type, paste or import to one E.164 form, shown masked everywhere.
//! libphonenumber's data decides what is a number and whether it is mobile; which countries are allowed is the
//! caller's. It does not know whether a number exists or whose it is: only a code typed back proves that.
//! Floor: domain.

use std::{fmt, panic, str::FromStr as _};

use phonenumber::{Mode, country, metadata::DATABASE};
use zeroize::Zeroizing;

/// A mobile number in E.164. `Display` and `Debug` show the country code and the last two digits; `e164` is the one way to all of them.
/// Wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    e164: Zeroizing<String>,
    calling_code: u16,
    country: Country,
}

/// A region of libphonenumber's data by its ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

/// Why a text is no number that a code can be sent to. `Display` is for operators; pages have their own texts for each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneProblem {
    #[error("the phone number is empty")]
    Empty,
    #[error("the phone number contains {0}; write digits, with + and the country code first")]
    UnknownCharacter(crate::domain::user_name::ShownChar),
    #[error(
        "a spreadsheet has mangled this number (digits may be lost): format the column as text and enter the numbers again"
    )]
    SpreadsheetMangled,
    #[error("an extension cannot receive an SMS: give a mobile number without one")]
    Extension,
    #[error("the country code is missing: write +, the country code and the number, such as +32 470 12 34 56")]
    MissingCountryCode,
    #[error("the number is too short")]
    TooShort,
    #[error("the number is too long")]
    TooLong,
    #[error("this is not a phone number in use: compare it digit by digit")]
    NotANumber,
    #[error("numbers of {country} are not allowed here (sms.countries)")]
    CountryNotAllowed { country: Country },
    #[error("this is not a mobile number; a code can only go to a mobile")]
    NotMobile,
}

/// Longest text that is looked at. Ours: the longest number is 16 characters, the rest is for how people space them and what copying adds.
const MOST_CHARACTERS: usize = 64;

/// Most characters left of it, `+` included, when it goes on to the parsing library. E.164 has fifteen digits; people add a trunk `0`.
const MOST_DIGITS: usize = 17;

impl PhoneNumber {
    /// Reads a number as people write it: blanks, dashes, dots, slashes and brackets of many kinds, `00` for `+`, `(0)` dropped, full-width digits.
    /// A number without country code is read as one of `default`; without a default it is refused. Numbers of a country that is not in
    /// `allowed` are refused.
    ///
    /// # Errors
    /// What to tell the person who wrote it.
    pub fn parse(text: &str, default: Option<Country>, allowed: &[Country]) -> Result<PhoneNumber, PhoneProblem> {
        let tidy = tidy(text)?;
        let is_international = tidy.starts_with('+');
        let region = match (is_international, default) {
            (true, _) => None,
            (false, Some(country)) => Some(country),
            (false, None) => return Err(PhoneProblem::MissingCountryCode),
        };
        let found = read(&tidy, region)?;
        if !is_what_was_written(&tidy, is_international, &found) {
            return Err(PhoneProblem::NotANumber);
        }
        if !allowed.contains(&found.number.country) {
            return Err(PhoneProblem::CountryNotAllowed { country: found.number.country });
        }
        match found.kind {
            phonenumber::Type::Mobile | phonenumber::Type::FixedLineOrMobile => Ok(found.number),
            _ => Err(PhoneProblem::NotMobile),
        }
    }

    /// A number that `parse` has accepted before, read back from where `e164` was stored. It asks only for the shape and a known country code:
    /// countries may leave the allowed list and number plans may change, which must not make an account unreadable.
    #[must_use]
    pub fn from_stored(e164: &str) -> Option<PhoneNumber> {
        let digits = e164.strip_prefix('+')?;
        let is_shaped =
            (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if !is_shaped {
            return None;
        }
        if let Ok(found) = read(e164, None)
            && found.number.e164() == e164
        {
            return Some(found.number);
        }
        // no longer in the plan: the main region of its country code
        (1..=3).find_map(|length| {
            let calling_code = digits.get(..length)?.parse::<u16>().ok()?;
            let country = Country::parse(DATABASE.region(&calling_code)?.first()?)?;
            Some(PhoneNumber { e164: Zeroizing::new(e164.to_owned()), calling_code, country })
        })
    }

    /// `+` and all digits. For sending, for encrypting, for the keyed hash; never for a page or a log.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// What a user is shown of the number he registered.
    #[must_use]
    pub fn last_two(&self) -> &str {
        self.e164.get(self.e164.len().saturating_sub(2)..).unwrap_or_default()
    }

    #[must_use]
    pub fn country(&self) -> Country {
        self.country
    }

    /// The first seven digits after the `+`: what sends to one part of a number plan are counted by.
    #[must_use]
    pub fn prefix7(&self) -> &str {
        self.e164.get(1..8).unwrap_or_default()
    }

    /// All digits, spaced as the number's country does (`+32 470 12 34 56`), for showing while it is being enrolled.
    #[must_use]
    pub fn international(&self) -> Zeroizing<String> {
        let spaced = panic::catch_unwind(|| {
            phonenumber::parse(None, self.e164()).ok().map(|n| n.format().mode(Mode::International).to_string())
        });
        Zeroizing::new(spaced.ok().flatten().unwrap_or_else(|| self.e164().to_owned()))
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{} … {}", self.calling_code, self.last_two())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({self})")
    }
}

impl Country {
    /// From an ISO 3166-1 alpha-2 code in either case; `None` for a code without a number plan.
    #[must_use]
    pub fn parse(code: &str) -> Option<Country> {
        let upper: [u8; 2] = code.to_ascii_uppercase().as_bytes().try_into().ok()?;
        let country = Country(upper);
        let id = country.id()?;
        DATABASE.by_id(id.as_ref()).map(|_| country)
    }

    /// Two capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }

    /// What follows the `+` in numbers of this country; several countries may share one.
    #[must_use]
    pub fn calling_code(&self) -> u16 {
        self.id().and_then(|id| DATABASE.by_id(id.as_ref())).map_or(0, phonenumber::Metadata::country_code)
    }

    /// The number plan's own example of a mobile number, in international form; only the country code when it gives none.
    #[must_use]
    pub fn example_mobile(&self) -> String {
        let plan = self.id().and_then(|id| DATABASE.by_id(id.as_ref()));
        let example = plan.and_then(|plan| plan.descriptors().mobile()?.example());
        let number = PhoneNumber::from_stored(&format!("+{}{}", self.calling_code(), example.unwrap_or_default()));
        number.map_or_else(|| format!("+{}", self.calling_code()), |number| number.international().to_string())
    }

    fn id(self) -> Option<country::Id> {
        country::Id::from_str(self.as_str()).ok()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A number of any kind, as the library read it.
struct Found {
    number: PhoneNumber,
    kind: phonenumber::Type,
}

fn read(tidy: &str, region: Option<Country>) -> Result<Found, PhoneProblem> {
    let id = region.and_then(Country::id);
    // the library has panicked on odd input before; here that means "not a number"
    let answer = panic::catch_unwind(|| {
        let parsed = phonenumber::parse(id, tidy).map_err(|error| problem_of(&error))?;
        let country =
            parsed.country().id().and_then(|id| Country::parse(id.as_ref())).ok_or(PhoneProblem::NotANumber)?;
        if !parsed.is_valid() {
            return Err(PhoneProblem::NotANumber);
        }
        let e164 = Zeroizing::new(parsed.format().mode(Mode::E164).to_string());
        let number = PhoneNumber { e164, calling_code: parsed.code().value(), country };
        Ok(Found { number, kind: parsed.number_type(&DATABASE) })
    });
    answer.unwrap_or(Err(PhoneProblem::NotANumber))
}

fn problem_of(error: &phonenumber::ParseError) -> PhoneProblem {
    use phonenumber::ParseError as E;
    match error {
        E::TooShortAfterIdd | E::TooShortNsn => PhoneProblem::TooShort,
        E::TooLong => PhoneProblem::TooLong,
        _ => PhoneProblem::NotANumber,
    }
}

/// The library drops trunk and carrier prefixes and may rewrite digits. We take its answer only when the number begins and ends as it was written, with
/// at most three digits left out between: nobody's code goes to a number that he cannot recognise as his.
fn is_what_was_written(tidy: &str, is_international: bool, found: &Found) -> bool {
    let written = Zeroizing::new(tidy.chars().filter(char::is_ascii_digit).collect::<String>());
    let code = found.number.calling_code.to_string();
    let Some(national) = found.number.e164().strip_prefix('+').and_then(|d| d.strip_prefix(code.as_str())) else {
        return false;
    };
    let Some(before) = written.strip_suffix(national) else {
        return false;
    };
    let dropped = match before.strip_prefix(code.as_str()) {
        Some(rest) => rest,
        None if is_international => return false,
        None => before,
    };
    dropped.len() <= 3
}

/// Only `+` and digits, `+` first if at all.
fn tidy(text: &str) -> Result<Zeroizing<String>, PhoneProblem> {
    if text.chars().take(MOST_CHARACTERS + 1).count() > MOST_CHARACTERS {
        return Err(PhoneProblem::TooLong);
    }
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    plain.extend(text.chars().filter_map(plain_char));
    if plain.trim().is_empty() {
        return Err(PhoneProblem::Empty);
    }
    if is_spreadsheet_mangled(plain.trim()) {
        return Err(PhoneProblem::SpreadsheetMangled);
    }
    if has_extension(&plain) {
        return Err(PhoneProblem::Extension);
    }
    if let Some(c) = plain.chars().find(|c| !matches!(c, '0'..='9' | '+' | '(' | ')' | '.' | '/' | '-' | ' ')) {
        return Err(PhoneProblem::UnknownCharacter(crate::domain::user_name::ShownChar(c)));
    }
    let mut digits = Zeroizing::new(plain.replace("(0)", ""));
    digits.retain(|c| matches!(c, '0'..='9' | '+'));
    if let Some(rest) = digits.strip_prefix("00") {
        digits = Zeroizing::new(format!("+{rest}"));
    }
    if digits.rfind('+').is_some_and(|at| at > 0) {
        return Err(PhoneProblem::UnknownCharacter(crate::domain::user_name::ShownChar('+')));
    }
    match digits.len() {
        0..=4 => Err(PhoneProblem::TooShort),
        5..=MOST_DIGITS => Ok(digits),
        _ => Err(PhoneProblem::TooLong),
    }
}

/// The many blanks, dashes and brackets as one of each; full-width forms as ASCII; marks that steer direction or are invisible, which come along when a
/// number is copied from a telephone's contacts, as nothing.
fn plain_char(c: char) -> Option<char> {
    match c {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{30fc}' => Some('-'),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + 0x21),
        '[' => Some('('),
        ']' => Some(')'),
        _ if c.is_whitespace() => Some(' '),
        _ => Some(c),
    }
}

/// `3.247E+10`, `3,247e10` and `32470123456.0`: a number that was a number to a spreadsheet.
fn is_spreadsheet_mangled(text: &str) -> bool {
    let is_number = |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    if let Some((mantissa, exponent)) = text.split_once(['E', 'e']) {
        let exponent = exponent.trim_start_matches(['+', '-']);
        return is_number(mantissa.trim_start_matches('+'))
            && !exponent.is_empty()
            && exponent.bytes().all(|b| b.is_ascii_digit());
    }
    let has_fraction = text.split_once(['.', ',']).is_some_and(|(whole, rest)| {
        whole.len() >= 8
            && whole.bytes().all(|b| b.is_ascii_digit())
            && !rest.is_empty()
            && rest.bytes().all(|b| b == b'0')
    });
    has_fraction || text.starts_with('#') && text.trim_end_matches('#').is_empty()
}

/// `x12`, `ext. 12`, `;ext=12`, `#12`, `,12` after some digits.
fn has_extension(text: &str) -> bool {
    let after_digits = text.trim_start_matches(|c: char| !c.is_alphabetic() && !matches!(c, '#' | ',' | ';'));
    let lower = after_digits.to_lowercase();
    after_digits.len() < text.len()
        && ["x", "ext", ";ext", "#", ",", "doorkies", "poste", "durchwahl"].iter().any(|m| lower.starts_with(m))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> Country {
        Country::parse(code).unwrap()
    }

    fn allowed() -> Vec<Country> {
        ["BE", "NL", "FR", "DE", "IT", "GB", "US"].map(country).to_vec()
    }

    fn in_belgium(text: &str) -> Result<String, PhoneProblem> {
        PhoneNumber::parse(text, Some(country("BE")), &allowed()).map(|n| n.e164().to_owned())
    }

    #[test]
    fn one_number_written_in_many_ways_is_one_number() {
        for text in [
            "+32470123456",
            "+32 470 12 34 56",
            "0032470123456",
            "00 32 (0)470 12.34.56",
            "+32 (0) 470/12 34 56".replace("(0) ", "(0)").as_str(),
            "+32(0)470-12-34-56",
            "+320470123456",
            "0470 12 34 56",
            "470123456",
            "32470123456",
            "＋３２４７０１２３４５６",
            "\u{202a}+32\u{a0}470\u{2011}12\u{2013}34\u{2009}56\u{202c}",
            "  +32 [470] 123456 ",
        ] {
            assert_eq!(in_belgium(text).as_deref(), Ok("+32470123456"), "{text:?}");
        }
        for text in ["+49 151 23456789", "0049151 23456789", "+49(0)151/23456789"] {
            assert_eq!(in_belgium(text).as_deref(), Ok("+4915123456789"), "{text:?}");
        }
        assert_eq!(in_belgium("+31 6 12345678").as_deref(), Ok("+31612345678"));
        assert_eq!(in_belgium("+33 6 12 34 56 78").as_deref(), Ok("+33612345678"));
        assert_eq!(in_belgium("+39 347 123 4567").as_deref(), Ok("+393471234567"));
        assert_eq!(in_belgium("+44 7912 345678").as_deref(), Ok("+447912345678"));
        assert_eq!(in_belgium("+1 212 555 0123").as_deref(), Ok("+12125550123"));
    }

    #[test]
    fn each_mistake_has_its_own_answer() {
        use crate::domain::user_name::ShownChar;
        for (text, problem) in [
            ("", PhoneProblem::Empty),
            (" \u{200b} ", PhoneProblem::Empty),
            ("3.247E+10", PhoneProblem::SpreadsheetMangled),
            ("3,2470123456E+10", PhoneProblem::SpreadsheetMangled),
            ("32470123456.0", PhoneProblem::SpreadsheetMangled),
            ("########", PhoneProblem::SpreadsheetMangled),
            ("mobile 0470", PhoneProblem::UnknownCharacter(ShownChar('m'))),
            ("+32470123456;drop", PhoneProblem::UnknownCharacter(ShownChar(';'))),
            ("+32470+123456", PhoneProblem::UnknownCharacter(ShownChar('+'))),
            ("+32470123456;ext=5", PhoneProblem::Extension),
            ("+32470123456 x5", PhoneProblem::Extension),
            ("+32470123456#5", PhoneProblem::Extension),
            ("112", PhoneProblem::TooShort),
            ("+3247012345612345612", PhoneProblem::TooLong),
            ("+999123456789", PhoneProblem::NotANumber),
            ("+3247012345", PhoneProblem::NotANumber),
            ("+43 664 1234567", PhoneProblem::CountryNotAllowed { country: country("AT") }),
            ("+32 2 555 12 12", PhoneProblem::NotMobile),
            ("+31 800 1234", PhoneProblem::NotMobile),
        ] {
            assert_eq!(in_belgium(text), Err(problem), "{text:?}");
        }
        assert_eq!(PhoneNumber::parse("0470123456", None, &allowed()), Err(PhoneProblem::MissingCountryCode));
        assert_eq!(
            PhoneNumber::parse("+32470123456", None, &[]),
            Err(PhoneProblem::CountryNotAllowed { country: country("BE") })
        );
    }

    #[test]
    fn nothing_anyone_types_makes_it_panic() {
        use rand::Rng as _;
        let pool: Vec<char> = "0012345678+()-. /xE#;,é０٣\u{200b}\0".chars().collect();
        let mut rng = rand::rng();
        for _ in 0..3_000 {
            let text: String = (0..rng.random_range(0..20)).map(|_| pool[rng.random_range(0..pool.len())]).collect();
            if let Ok(number) = PhoneNumber::parse(&text, Some(country("BE")), &allowed()) {
                assert_eq!(PhoneNumber::parse(number.e164(), None, &allowed()), Ok(number), "{text:?}");
            }
        }
        assert_eq!(in_belgium(&"1".repeat(1_000_000)), Err(PhoneProblem::TooLong));
    }

    #[test]
    fn a_number_shows_itself_masked() {
        let number = PhoneNumber::parse("+32470123456", None, &allowed()).unwrap();
        assert_eq!(number.to_string(), "+32 … 56");
        assert_eq!(format!("{number:?}"), "PhoneNumber(+32 … 56)");
        assert_eq!(number.last_two(), "56");
        assert_eq!(number.prefix7(), "3247012");
        assert_eq!(number.country().as_str(), "BE");
        assert_eq!(number.international().as_str(), "+32 470 12 34 56");
    }

    #[test]
    fn a_stored_number_is_readable_when_its_plan_has_changed() {
        let stored = PhoneNumber::from_stored("+32470123456").unwrap();
        assert_eq!(stored, PhoneNumber::parse("+32470123456", None, &allowed()).unwrap());
        let odd = PhoneNumber::from_stored("+3299999999999").unwrap();
        assert_eq!((odd.e164(), odd.country().as_str()), ("+3299999999999", "BE"));
        for text in ["32470123456", "+0470123456", "+3247", "+32470 123456", "+99912345678", ""] {
            assert_eq!(PhoneNumber::from_stored(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_country_is_one_with_a_number_plan() {
        assert_eq!(Country::parse("be").unwrap().as_str(), "BE");
        assert_eq!(Country::parse("BE").unwrap().calling_code(), 32);
        for code in ["", "B", "BEL", "XX", "ZZ", "é", "UK"] {
            assert_eq!(Country::parse(code), None, "{code}");
        }
    }
}
