//! How many septets a text takes in an SMS, by the alphabet of GSM 03.38.
//!
//! Does not encode: vendors do. One character outside the alphabet moves the whole message to UCS-2, 70 characters a part
//! instead of 160, and costs double. Floor: ground.

/// What fits in one SMS of one part: 140 octets of 8 bits are 160 of 7 (3GPP TS 23.038 §6.1.2.1).
pub const ONE_PART_SEPTETS: usize = 160;

/// The number of septets that `text` takes, or the first character that the alphabet does not have.
pub fn septets(text: &str) -> Result<usize, char> {
    text.chars().map(septets_of).sum()
}

fn septets_of(character: char) -> Result<usize, char> {
    if BASIC.contains(character) {
        Ok(1)
    } else if EXTENSION.contains(character) {
        Ok(2) // an escape and the character
    } else {
        Err(character)
    }
}

/// 3GPP TS 23.038 §6.2.1, the default alphabet in code order, without the escape to the extension table (0x1B).
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// 3GPP TS 23.038 §6.2.1.1, the default extension table, without its control codes.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

#[cfg(test)]
mod tests {
    use super::{BASIC, EXTENSION, septets};

    #[test]
    fn the_tables_have_the_sizes_of_the_standard() {
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn extension_characters_cost_two() {
        assert_eq!(septets("Code: 123"), Ok(9));
        assert_eq!(septets("@#_"), Ok(3));
        assert_eq!(septets("{€}"), Ok(6));
        assert_eq!(septets("éèàùìòäöüßñ"), Ok(11));
    }

    #[test]
    fn a_character_outside_the_alphabet_is_named() {
        for outside in ['ç', 'ê', 'î', 'ô', 'ï', '’', '…', '«', '–', '°', '\u{2068}', '\t'] {
            assert_eq!(septets(&format!("a{outside}b")), Err(outside));
        }
    }
}
