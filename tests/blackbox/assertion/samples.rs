//! The samples of `docs/assertion.md`, run as they stand there: the site's URL is put in, and a loop that gives them one assertion after the
//! other and says what each came to.

use crate::harness::children::{Output, fresh_folder, run};
use crate::harness::gateway::installed;
use serde_json::Value;
use std::process::Command;

const DOCUMENT: &str = include_str!("../../../docs/assertion.md");
const SITE_THERE: &str = "https://marketing.example.com";

#[derive(Clone, Copy, Debug)]
pub(super) enum Sample {
    Python,
    Node,
    Php,
}

/// What a sample makes of an assertion.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Claims(Value),
    Refused(String),
}

impl Sample {
    pub(super) const ALL: [Self; 3] = [Self::Python, Self::Node, Self::Php];

    /// Gives `assertions` to the sample, at the site with this URL and by a clock that is `seconds` ahead.
    pub(super) fn judges(self, site: &str, seconds: u32, assertions: &[&str]) -> Vec<Verdict> {
        self.runs(self.code(), site, seconds, assertions)
    }

    /// As `judges`, but without looking at `iss`: an assertion for another site has both wrong, and each has to be enough.
    pub(super) fn judges_by_audience_alone(self, site: &str, assertion: &str) -> Verdict {
        let check = match self {
            Self::Python => "issuer=SITE, ",
            Self::Node => "issuer: SITE, ",
            Self::Php => r#" || $claims["iss"] !== SITE"#,
        };
        let code = self.code().replace(check, "");
        assert_ne!(code, self.code(), "{self:?}");
        self.runs(&code, site, 0, &[assertion]).remove(0)
    }

    fn runs(self, code: &str, site: &str, seconds: u32, assertions: &[&str]) -> Vec<Verdict> {
        let folder = fresh_folder("sample");
        let (name, before, after) = match self {
            Self::Python => ("sample.py", "", PYTHON_LOOP),
            Self::Node => ("sample.mjs", "", NODE_LOOP),
            Self::Php => ("sample.php", "<?php\n", PHP_LOOP),
        };
        assert_eq!(code.matches(SITE_THERE).count(), 1, "{self:?}");
        let program = folder.path().join(name);
        std::fs::write(&program, format!("{before}{}\n{after}", code.replace(SITE_THERE, site))).unwrap();
        let mut command = Command::new("faketime");
        command.args(["-f", &format!("+{seconds}s")]).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        match self {
            Self::Python => command.arg(installed("assertion-python/bin/python")).arg(&program),
            Self::Node => {
                std::os::unix::fs::symlink(
                    installed("assertion-node/node_modules"),
                    folder.path().join("node_modules"),
                )
                .unwrap();
                // The gateway of a test listens on 127.0.0.1 alone, and a name is not tried twice by older releases.
                command.env("NODE_OPTIONS", "--dns-result-order=ipv4first").arg("node").arg(&program)
            }
            Self::Php => command.arg("php").arg(&program),
        };
        let output = run(command, &assertions.iter().map(|assertion| format!("{assertion}\n")).collect::<String>());
        read(&output, assertions.len())
    }

    /// What stands in the block of this language.
    fn code(self) -> &'static str {
        let language = match self {
            Self::Python => "python",
            Self::Node => "javascript",
            Self::Php => "php",
        };
        let (_, rest) = DOCUMENT.split_once(&format!("```{language}\n")).expect("the document has the sample");
        rest.split_once("```").expect("the block ends").0
    }

    /// A word of the refusal for each reason.
    pub(super) fn words(self) -> Words {
        match self {
            Self::Python => Words {
                issuer: "InvalidIssuerError",
                audience: "InvalidAudienceError",
                old: "ExpiredSignatureError",
                algorithm: "InvalidAlgorithmError",
                signature: "InvalidSignatureError",
                key: "Unable to find a signing key",
            },
            Self::Node => Words {
                issuer: "unexpected \"iss\"",
                audience: "unexpected \"aud\"",
                old: "\"exp\" claim timestamp check failed",
                algorithm: "not allowed",
                signature: "signature verification failed",
                key: "no applicable key",
            },
            Self::Php => Words {
                issuer: "for another site",
                audience: "for another site",
                old: "too old",
                algorithm: "not signed by Vestibule",
                signature: "not signed by Vestibule",
                key: "unknown key",
            },
        }
    }
}

pub(super) struct Words {
    pub(super) issuer: &'static str,
    pub(super) audience: &'static str,
    pub(super) old: &'static str,
    pub(super) algorithm: &'static str,
    pub(super) signature: &'static str,
    pub(super) key: &'static str,
}

impl Verdict {
    #[track_caller]
    pub(super) fn claims(&self) -> &Value {
        match self {
            Self::Claims(claims) => claims,
            Self::Refused(why) => panic!("refused: {why}"),
        }
    }

    #[track_caller]
    pub(super) fn refusal(&self) -> &str {
        match self {
            Self::Claims(claims) => panic!("accepted: {claims}"),
            Self::Refused(why) => why,
        }
    }
}

#[track_caller]
fn read(output: &Output, expected: usize) -> Vec<Verdict> {
    let verdicts: Vec<Verdict> = output
        .stdout
        .lines()
        .map(|line| {
            let said: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}: {output:?}"));
            match said["refused"].as_str() {
                Some(why) => Verdict::Refused(why.to_owned()),
                None => Verdict::Claims(said["claims"].clone()),
            }
        })
        .collect();
    assert_eq!(verdicts.len(), expected, "{output:?}");
    verdicts
}

const PYTHON_LOOP: &str = r#"
import json, sys
for line in sys.stdin:
    try:
        said = {"claims": who_asks(line.strip())}
    except Exception as error:
        said = {"refused": f"{type(error).__name__}: {error}"}
    print(json.dumps(said))
"#;

const NODE_LOOP: &str = r#"
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try { said = { claims: await whoAsks(line) }; } catch (error) { said = { refused: String(error) }; }
  console.log(JSON.stringify(said));
}
process.exit(0);
"#;

const PHP_LOOP: &str = r#"
ini_set("display_errors", "stderr");
while (($line = fgets(STDIN)) !== false) {
    try { $said = ["claims" => who_asks(trim($line))]; } catch (Throwable $error) { $said = ["refused" => $error->getMessage()]; }
    echo json_encode($said), "\n";
}
"#;
