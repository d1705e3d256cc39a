//! Messages on standard output, for the demo: whoever sees the terminal is the phone. Refused elsewhere by the configuration. Floor: edge.

use std::io::Write as _;

use async_trait::async_trait;

use crate::domain::phone::Country;
use crate::login::ports::{SmsMessage, SmsResult, SmsSender};

/// Prints each message in a frame.
#[derive(Debug)]
pub struct TerminalSms;

#[async_trait]
impl SmsSender for TerminalSms {
    fn name(&self) -> &str {
        "terminal"
    }

    fn countries(&self) -> &[Country] {
        &[]
    }

    async fn send(&self, message: &SmsMessage<'_>) -> SmsResult {
        let written = std::io::stdout().lock().write_all(framed(message).as_bytes());
        if written.is_ok() { SmsResult::Accepted(None) } else { SmsResult::Transient }
    }
}

fn framed(message: &SmsMessage<'_>) -> String {
    let title = format!(" SMS to {} ", message.to);
    let lines: Vec<&str> = message.text.lines().collect();
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = longest.max(title.chars().count()) + 2;
    let mut out = format!("\n┌─{title:─<rest$}┐\n", rest = width - 1);
    for line in lines {
        out.push_str(&format!("│ {line:<rest$} │\n", rest = width - 2));
    }
    out.push_str(&format!("└{:─<width$}┘\n\n", ""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;
    use crate::domain::language::Language;
    use crate::domain::phone::PhoneNumber;

    #[test]
    fn the_frame_fits_around_the_message() {
        let to = PhoneNumber::from_stored("+32470123456").unwrap();
        let code = Code::parse("012345").unwrap();
        let text = "012345 is your code for Démo.\n@localhost #012345";
        let shown = framed(&SmsMessage { to: &to, text, code: Some(&code), app: "Demo", language: Language::En });
        let widths: Vec<usize> =
            shown.lines().filter(|line| !line.is_empty()).map(|line| line.chars().count()).collect();
        assert_eq!(widths.len(), 4, "{shown}");
        assert!(widths.iter().all(|width| *width == widths[0]), "{shown}");
        assert!(shown.contains("│ 012345 is your code for Démo. │"), "{shown}");
        assert!(!shown.contains("470123456"), "{shown}");
    }
}
