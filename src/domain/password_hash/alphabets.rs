//! The ways in which hashes write bytes and numbers. Strict: what does not decode to the last bit is refused. Floor: domain.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};

/// PHC strings: base64 without padding.
pub(super) fn unpadded(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text).ok()
}

pub(super) fn to_unpadded(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

/// Django: base64 with padding.
pub(super) fn padded(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// passlib: base64 without padding and with `.` for `+`.
pub(super) fn passlib(text: &str) -> Option<Vec<u8>> {
    unpadded(&text.replace('.', "+"))
}

const CRYPT: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The value of one letter of crypt(3)'s alphabet, 0 to 63.
pub(super) fn crypt_digit(letter: u8) -> Option<u32> {
    CRYPT.iter().position(|c| *c == letter).and_then(|at| u32::try_from(at).ok())
}

/// A number in crypt(3)'s alphabet, least significant letter first.
pub(super) fn crypt_number(letters: &[u8]) -> Option<u32> {
    letters.iter().rev().try_fold(0_u32, |sum, letter| sum.checked_mul(64)?.checked_add(crypt_digit(*letter)?))
}

/// `LENGTH` bytes as phpass and `$7$` write them: groups of three bytes as four letters, least significant first.
pub(super) fn crypt_bytes<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let mut bytes = Vec::with_capacity(LENGTH + 2);
    for group in text.as_bytes().chunks(4) {
        let value = crypt_number(group)?;
        // 2, 3 and 4 letters hold 1, 2 and 3 bytes
        let whole = group.len().checked_sub(1).filter(|n| *n > 0)?;
        if value >> (8 * whole) != 0 {
            return None;
        }
        bytes.extend(value.to_le_bytes().into_iter().take(whole));
    }
    bytes.try_into().ok()
}

/// `m=1,t=2,p=3`: exactly these names in this order.
pub(super) fn named_numbers<const COUNT: usize>(text: &str, names: [&str; COUNT]) -> Option<[u32; COUNT]> {
    let mut pairs = text.split(',');
    let mut numbers = [0; COUNT];
    for (number, name) in numbers.iter_mut().zip(names) {
        *number = plain_number(pairs.next()?.strip_prefix(name)?.strip_prefix('=')?)?;
    }
    pairs.next().is_none().then_some(numbers)
}

/// Digits only: no sign, no blanks.
pub(super) fn plain_number(text: &str) -> Option<u32> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_decode_to_the_last_bit_is_refused() {
        assert_eq!(crypt_bytes::<1>("//"), Some([65]));
        assert_eq!(crypt_bytes::<1>("zz"), None);
        assert_eq!(crypt_bytes::<3>("...."), Some([0; 3]));
        for text in ["", ".", ".....", "..!."] {
            assert_eq!(crypt_bytes::<3>(text), None, "{text}");
        }
        assert_eq!(unpadded("AB"), None);
        assert_eq!(unpadded("AA=="), None);
        assert_eq!(plain_number("+1"), None);
        assert_eq!(plain_number(""), None);
        assert_eq!(crypt_number(b"zzzzzz"), None);
        assert_eq!(named_numbers("m=1,t=2", ["m", "t"]), Some([1, 2]));
        assert_eq!(named_numbers("m=1,t=2,p=1", ["m", "t"]), None);
        assert_eq!(named_numbers("t=2,m=1", ["m", "t"]), None);
    }
}
