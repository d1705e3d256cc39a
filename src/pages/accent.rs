//! The operator's one colour, made safe to read: every use of it keeps the contrast that WCAG 2.2 AA asks for.
//!
//! Knows the backgrounds of `assets/style.css`; a test holds the two together. Floor: pages.

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
}

/// Our own colour, for sites whose operator chose none: a calm blue.
pub const DEFAULT: Rgb = Rgb { red: 0x2a, green: 0x55, blue: 0xa3 };

/// Contrast of text against its ground (WCAG 2.2, 1.4.3).
const TEXT_CONTRAST: f64 = 4.5;
/// Contrast of a control against what is beside it (WCAG 2.2, 1.4.11).
const CONTROL_CONTRAST: f64 = 3.0;

const WHITE: Rgb = Rgb { red: 255, green: 255, blue: 255 };
const BLACK: Rgb = Rgb { red: 0, green: 0, blue: 0 };

/// The darkest ground of the light look, and the lightest of the dark one, that links and buttons stand on.
const LIGHT_GROUND: Rgb = Rgb { red: 0xf3, green: 0xf4, blue: 0xf6 };
const DARK_GROUND: Rgb = Rgb { red: 0x1d, green: 0x20, blue: 0x25 };

/// The site's style sheet: the colours of buttons, their text, and links and focus rings, for the light and the dark look.
#[must_use]
pub fn style_sheet(accent: Rgb) -> String {
    let [light, dark] = [(LIGHT_GROUND, BLACK), (DARK_GROUND, WHITE)].map(|(ground, away)| {
        let button = accent.moved_to_contrast(away, ground, CONTROL_CONTRAST);
        let link = accent.moved_to_contrast(away, ground, TEXT_CONTRAST);
        let label = if button.contrast(WHITE) >= TEXT_CONTRAST { WHITE } else { BLACK };
        format!(":root{{--accent:{};--on-accent:{};--link:{}}}", button.css(), label.css(), link.css())
    });
    format!("{light}\n@media (prefers-color-scheme:dark){{{dark}}}\n")
}

/// A small picture with the first letter of the site's name, for sites without a logo and for the browser's tab.
#[must_use]
pub fn letter_icon(accent: Rgb, name: &str) -> String {
    let letter: String = name.chars().find(|c| c.is_alphanumeric()).into_iter().flat_map(char::to_uppercase).collect();
    let label = if accent.contrast(WHITE) >= CONTROL_CONTRAST { WHITE } else { BLACK };
    // alphanumeric characters need no escape in XML
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\"><rect width=\"64\" height=\"64\" rx=\"16\" fill=\"{}\"/>\
         <text x=\"32\" y=\"45\" text-anchor=\"middle\" font-family=\"system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif\" \
         font-size=\"36\" font-weight=\"600\" fill=\"{}\">{letter}</text></svg>\n",
        accent.css(),
        label.css()
    )
}

impl Rgb {
    fn css(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }

    /// This colour, moved towards `away` in small steps until it stands out enough from `ground`.
    fn moved_to_contrast(self, away: Rgb, ground: Rgb, enough: f64) -> Rgb {
        (0..=50)
            .map(|step| self.mixed_with(away, f64::from(step) / 50.0))
            .find(|colour| colour.contrast(ground) >= enough)
            .unwrap_or(away)
    }

    fn mixed_with(self, other: Rgb, share: f64) -> Rgb {
        let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
        Rgb { red: mix(self.red, other.red), green: mix(self.green, other.green), blue: mix(self.blue, other.blue) }
    }

    /// The contrast ratio of WCAG 2.2, from 1 to 21.
    fn contrast(self, other: Rgb) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOURS: [u32; 12] = [
        0x00_0000, 0xff_ffff, 0xff_0000, 0x00_ff00, 0x00_00ff, 0xff_ff00, 0x77_7777, 0xff_69b4, 0x00_8080, 0xf5_a623,
        0x12_3456, 0x2a_55a3,
    ];

    fn rgb(value: u32) -> Rgb {
        let [_, red, green, blue] = value.to_be_bytes();
        Rgb { red, green, blue }
    }

    fn read(css: &str, name: &str) -> Rgb {
        let (_, rest) = css.split_once(&format!("--{name}:#")).unwrap();
        rgb(u32::from_str_radix(&rest[..6], 16).unwrap())
    }

    #[test]
    fn any_accent_is_readable_in_both_looks() {
        for accent in COLOURS.map(rgb) {
            let sheet = style_sheet(accent);
            let (light, dark) = sheet.split_once('\n').unwrap();
            for (css, ground) in [(light, LIGHT_GROUND), (dark, DARK_GROUND)] {
                let (button, label, link) = (read(css, "accent"), read(css, "on-accent"), read(css, "link"));
                assert!(button.contrast(ground) >= CONTROL_CONTRAST, "{accent:?} {css}");
                assert!(label.contrast(button) >= TEXT_CONTRAST, "{accent:?} {css}");
                assert!(link.contrast(ground) >= TEXT_CONTRAST, "{accent:?} {css}");
            }
        }
    }

    #[test]
    fn a_good_accent_stays_as_the_operator_chose_it() {
        assert!(style_sheet(DEFAULT).starts_with(":root{--accent:#2a55a3;--on-accent:#ffffff;--link:#2a55a3}"));
    }

    #[test]
    fn the_grounds_are_those_of_the_style_sheet() {
        let style = include_str!("assets/style.css");
        assert!(style.contains(&format!("--page:{}", LIGHT_GROUND.css())));
        assert!(style.contains(&format!("--card:{}", DARK_GROUND.css())));
    }

    #[test]
    fn black_on_white_is_twenty_one() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 0.001);
    }

    #[test]
    fn a_letter_icon_holds_nothing_but_a_letter() {
        assert!(letter_icon(DEFAULT, "<&\"acme").contains(">A</text>"));
        assert!(letter_icon(DEFAULT, "<>").contains("></text>"));
    }
}
