//! Known answers: made with argon2-cffi, bcrypt, passlib, Django 5.2 and libxcrypt, so that no form is checked against itself.

use super::*;

const PASSWORD: &str = "correct horse é battery";

/// Each of `PASSWORD`, with its name as shown to operators.
const KNOWN: &[(&str, &str)] = &[
    ("argon2id", "$argon2id$v=19$m=1024,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$HmWHO5wQvkULSHTvd7t68gPkOUAFr8LQIDelSwm0tdg"),
    ("argon2i", "$argon2i$v=19$m=1024,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$Nv9YsCGTFM+VDRE+lCqI50h9WkUyDki26qACetMabf4"),
    ("argon2d", "$argon2d$v=19$m=1024,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$JchT88AMmHJx3ec+Bw7U57Egiz+XBFVs2QXhdOKWY+0"),
    ("argon2id", "$argon2id$v=16$m=1024,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$PUyuOHw65bjyOu9ey/o5BN+ycTVzV2si0QeHkJM6YI0"),
    ("bcrypt", "$2b$05$abcdefghijklmnopqrstuucIt5AlV2lPRHbSVNGRRcy/oatNcgHK."),
    ("bcrypt", "$2y$05$abcdefghijklmnopqrstuucIt5AlV2lPRHbSVNGRRcy/oatNcgHK."),
    ("bcrypt", "$2a$05$abcdefghijklmnopqrstuucIt5AlV2lPRHbSVNGRRcy/oatNcgHK."),
    ("bcrypt", "$wp$2y$05$abcdefghijklmnopqrstuu6gvhaTWfPds5CGtQTisrFh3FUeNOBPq"),
    ("bcrypt", "bcrypt_sha256$$2b$05$abcdefghijklmnopqrstuuIm6TsSO5yCWUgSgq8BmuJcENaQ77JP6"),
    ("bcrypt", "bcrypt$$2b$05$abcdefghijklmnopqrstuucIt5AlV2lPRHbSVNGRRcy/oatNcgHK."),
    ("phpass", "$P$6abcdefghh4LsvbQ3yXsq6dRJdkd4Q0"),
    ("phpass", "$H$6abcdefghh4LsvbQ3yXsq6dRJdkd4Q0"),
    ("PBKDF2", "$pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw$0t/cSWZchzbPa5utDOnEh5/0lX0kNcpUC.2liw4VTpg"),
    (
        "PBKDF2",
        "$pbkdf2-sha512$1000$AAECAwQFBgcICQoLDA0ODw$ZA.lbQ2P3q8yy07rWil1RHThhyDY6R7LB5x2zxaL6EbY5i.VOUnNmgfq0iLwJrjb2HiwvBkzUrGONJYg9Mrs.A",
    ),
    ("PBKDF2", "$pbkdf2$1000$AAECAwQFBgcICQoLDA0ODw$SGSuGMj0RFF.6ZQj.rqwdLRGhj8"),
    ("PBKDF2", "$pbkdf2-sha256$i=1000,l=32$AAECAwQFBgcICQoLDA0ODw$0t/cSWZchzbPa5utDOnEh5/0lX0kNcpUC+2liw4VTpg"),
    (
        "PBKDF2",
        "$pbkdf2-sha512$i=1000,l=64$AAECAwQFBgcICQoLDA0ODw$ZA+lbQ2P3q8yy07rWil1RHThhyDY6R7LB5x2zxaL6EbY5i+VOUnNmgfq0iLwJrjb2HiwvBkzUrGONJYg9Mrs+A",
    ),
    ("PBKDF2", "pbkdf2_sha256$1000$saltSALTsalt12$pnjtqUqtm4VDWxH+Cd6jpOhnZ1SnQKpr/h7j7N9nJss="),
    ("PBKDF2", "pbkdf2_sha1$1000$saltSALTsalt12$CDuZtyiY56qI3w/DbfAFhxTD100="),
    ("scrypt", "$scrypt$ln=8,r=8,p=2$AAECAwQFBgcICQoLDA0ODw$K/RS0A1G1Y6YEfRRplrUlEubiMDt68S6ljpYqOFJ4hw"),
    ("scrypt", "$7$66..../....saltsaltsalt$TIfdaRi8dudXhA4WMHHikeNNPPzBIognI5u5YbwFmy3"),
    (
        "scrypt",
        "scrypt$1024$saltSALTsalt12$8$5$MYVkksGbF/B8COi0FDAOHJxj/KlQYmitNvkzsMm5Ls8RXeR3BGHnL2GphcUTZ2PR7yHQpHxqPRRgeA0YH9RW2g==",
    ),
    ("argon2id", "argon2$argon2id$v=19$m=1024,t=2,p=8$c2FsdFNBTFRzYWx0MTI$FhyMI5loIKuzkR9oJb3JN9rwTprwG4jfJ1ooxEE0uhg"),
];

fn typed(text: &str) -> Password {
    Password::typed(text).unwrap()
}

fn small() -> HashMemory {
    HashMemory::new(&Argon2Settings::default())
}

fn parsed(text: &str) -> Result<PasswordHash, HashProblem> {
    PasswordHash::parse(text, &CostCap::default())
}

#[test]
fn every_form_knows_its_password_and_no_other() {
    let mut memory = small();
    for (name, text) in KNOWN {
        let hash = parsed(&format!(" {text}\n")).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(hash.form_name(), *name);
        assert_eq!(hash.stored(), *text);
        assert!(hash.verify(&typed(PASSWORD), &mut memory), "{text}");
        for wrong in ["correct horse e battery", "correct horse é batterY", "x"] {
            assert!(!hash.verify(&typed(wrong), &mut memory), "{text} with {wrong}");
        }
        assert!(hash.needs_rehash(&Argon2Settings::default()), "{text}");
        assert_eq!(PasswordHash::from_stored(text), Ok(hash));
    }
}

#[test]
fn a_hash_made_here_is_argon2id_as_set_and_comes_back_from_the_store() {
    let settings = Argon2Settings::new(12_288, 3, 1).unwrap();
    let mut memory = HashMemory::new(&settings);
    let hash = PasswordHash::of(&typed(PASSWORD), &settings, &mut memory);
    assert!(hash.stored().starts_with("$argon2id$v=19$m=12288,t=3,p=1$"), "{}", hash.stored());
    let again = PasswordHash::from_stored(hash.stored()).unwrap();
    assert!(again.verify(&typed(PASSWORD), &mut memory));
    assert!(!again.verify(&typed("another"), &mut memory));
    assert!(!again.needs_rehash(&settings));
    assert!(again.needs_rehash(&Argon2Settings::default()));
    assert_ne!(PasswordHash::of(&typed(PASSWORD), &settings, &mut memory), hash, "the salt is new each time");
}

#[test]
fn a_foreign_hash_may_need_more_memory_than_ours() {
    let mut memory = HashMemory::new(&Argon2Settings::new(12_288, 3, 1).unwrap());
    let large = Argon2Settings::new(16_384, 3, 1).unwrap();
    let hash = PasswordHash::of(&typed(PASSWORD), &large, &mut memory);
    assert!(hash.verify(&typed(PASSWORD), &mut memory));
}

#[test]
fn bcrypt_of_others_stops_at_seventy_two_bytes() {
    let hash = parsed("$2b$05$abcdefghijklmnopqrstuuLkMZtUsVwf9Ptg/wgiNv8ZhtnAHnix.").unwrap();
    assert!(hash.verify(&typed(&"0123456789".repeat(10)), &mut small()));
}

#[test]
fn word_press_hashed_passwords_trimmed_and_with_backslashes() {
    let mut memory = small();
    for text in
        ["$wp$2y$05$abcdefghijklmnopqrstuulhfAmGZSn7gNPKv/GYIYY4Fj0wZVygS", "$P$6abcdefgh04w3yicDDcGjAtLvOAv/h0"]
    {
        let hash = parsed(text).unwrap();
        assert!(hash.verify(&typed(r#"it's a "quote" \ here"#), &mut memory), "{text}");
        assert!(hash.verify(&typed(r#" it's a "quote" \ here "#), &mut memory), "{text}");
        assert!(!hash.verify(&typed(r#"it's a quote \ here"#), &mut memory), "{text}");
    }
    // the same digest written by another application means what it says
    let others = parsed("$H$6abcdefgh04w3yicDDcGjAtLvOAv/h0").unwrap();
    assert!(!others.verify(&typed(r#"it's a "quote" \ here"#), &mut memory));
}

#[test]
fn what_is_weak_unknown_or_unusable_is_refused_by_name() {
    for text in [
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
        "$1$saltsalt$dcOelce00Xd07uf/g9SC41",
        "$apr1$saltsalt$dcOelce00Xd07uf/g9SC41",
        "md5$saltSALT$dddfbc9a416981a7dd9a3ad7a7457461",
        "sha1$salt$5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
        "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
    ] {
        assert!(matches!(parsed(text), Err(HashProblem::Weak { .. })), "{text}: {:?}", parsed(text));
    }
    for text in ["$6$salt$x", "$y$j9T$.2U.1EE/4Q.07ck0AoU1D.$3f9A5qXqzi2gnbzbGP", "$2x$05$abcdefghijklmnopqrstuu"] {
        assert!(matches!(parsed(text), Err(HashProblem::Unsupported { .. })), "{text}");
    }
    for text in ["!", "!SGwdCWRDkaKCTMGXgd2MnpCvsGpL5EtGThgjXyF2", "*", "*0"] {
        assert_eq!(parsed(text), Err(HashProblem::Unusable), "{text}");
    }
    assert_eq!(parsed(""), Err(HashProblem::Empty));
    let problem = parsed("hunter2-secret").unwrap_err();
    assert_eq!(problem, HashProblem::Unknown);
    assert!(!problem.to_string().contains("hunter2"), "it may be a password");
}

#[test]
fn a_hash_that_costs_too_much_is_refused() {
    for text in [
        "$argon2id$v=19$m=2097152,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$HmWHO5wQvkULSHTvd7t68gPkOUAFr8LQIDelSwm0tdg",
        "$argon2id$v=19$m=65536,t=4294967295,p=1$AAECAwQFBgcICQoLDA0ODw$HmWHO5wQvkULSHTvd7t68gPkOUAFr8LQIDelSwm0tdg",
        "$2b$15$abcdefghijklmnopqrstuucIt5AlV2lPRHbSVNGRRcy/oatNcgHK.",
        "$scrypt$ln=20,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$K/RS0A1G1Y6YEfRRplrUlEubiMDt68S6ljpYqOFJ4hw",
        "$scrypt$ln=16,r=8,p=64$AAECAwQFBgcICQoLDA0ODw$K/RS0A1G1Y6YEfRRplrUlEubiMDt68S6ljpYqOFJ4hw",
        "pbkdf2_sha256$4000001$saltSALTsalt12$pnjtqUqtm4VDWxH+Cd6jpOhnZ1SnQKpr/h7j7N9nJss=",
        "$P$Sabcdefghh4LsvbQ3yXsq6dRJdkd4Q0",
    ] {
        assert!(matches!(parsed(text), Err(HashProblem::TooCostly { .. })), "{text}: {:?}", parsed(text));
        assert!(PasswordHash::from_stored(text).is_ok(), "{text}");
    }
}

#[test]
fn what_applications_write_today_is_within_the_cap() {
    for text in [
        "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdFNBTFRzYWx0MTI$FhyMI5loIKuzkR9oJb3JN9rwTprwG4jfJ1ooxEE0uhg",
        "$argon2id$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw$HmWHO5wQvkULSHTvd7t68gPkOUAFr8LQIDelSwm0tdg",
        "$2y$12$abcdefghijklmnopqrstuucIt5AlV2lPRHbSVNGRRcy/oatNcgHK.",
        "$scrypt$ln=17,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$K/RS0A1G1Y6YEfRRplrUlEubiMDt68S6ljpYqOFJ4hw",
        "pbkdf2_sha256$1200000$saltSALTsalt12$pnjtqUqtm4VDWxH+Cd6jpOhnZ1SnQKpr/h7j7N9nJss=",
        "$P$Babcdefghh4LsvbQ3yXsq6dRJdkd4Q0",
    ] {
        assert!(parsed(text).is_ok(), "{text}: {:?}", parsed(text));
    }
}

#[test]
fn a_damaged_hash_is_refused_wherever_it_is_cut_or_changed() {
    for (_, text) in KNOWN {
        // a tag of 128 bits or more is one, whatever its length
        for end in 1..text.rfind('$').unwrap() + 16 {
            let cut = &text[..end];
            assert!(parsed(cut).is_err(), "{cut}");
        }
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = b'!';
            let _ = parsed(&String::from_utf8(bytes).unwrap());
        }
        assert!(parsed(&format!("{text}$")).is_err() && parsed(&format!("{text}A$A")).is_err(), "{text}");
    }
    for text in [
        "$argon2id$v=19$m=8,t=1,p=16$AAECAwQFBgcICQoLDA0ODw$HmWHO5wQvkULSHTvd7t68gPkOUAFr8LQIDelSwm0tdg",
        "$argon2id$",
        "$7$é",
        "$2b$é",
        "$P$é",
    ] {
        assert!(matches!(parsed(text), Err(HashProblem::Malformed { .. })), "{text}");
    }
}

#[test]
fn a_hash_does_not_show_itself() {
    let hash = parsed(KNOWN[0].1).unwrap();
    assert_eq!(format!("{hash:?}"), "PasswordHash(argon2id, …)");
}
