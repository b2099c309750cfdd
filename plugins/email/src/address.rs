//! Addresses of mail, and names of machines.

use lettre::message::Mailbox;
use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

/// `ops@example.com` or `Ops <ops@example.com>`. The name may be in any script; the address is in ASCII, as every server
/// takes it.
const SYNTAX: &str = concat!(
    r#"^([^<>"@\x00-\x1f\x7f]+ <[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+>"#,
    r"|[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+)$"
);

const EXPECTED: &str = "expected an address such as ops@example.com or \"Ops <ops@example.com>\"";

/// A sender or recipient.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Address(pub(crate) Mailbox);

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        static KNOWN: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(SYNTAX).expect("the syntax is an expression"));
        let expected = || format!("{text:?}: {EXPECTED}");
        if !KNOWN.is_match(&text) {
            return Err(expected());
        }
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (Some(name.trim().to_owned()), address),
            None => (None, text.as_str()),
        };
        // What is left to go wrong is two dots in a row and the like.
        Ok(Self(Mailbox::new(name, address.parse().map_err(|_| expected())?)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.email.fmt(f)
    }
}

impl JsonSchema for Address {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let examples = ["ops@example.com", "Ops <ops@example.com>"];
        json_schema!({ "type": "string", "pattern": SYNTAX, "examples": examples })
    }
}

/// Labels of letters, digits and hyphens, with dots between.
const MACHINE: &str = r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$";

/// A name by which a machine may call itself to a mail server.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct MachineName(pub(crate) String);

impl TryFrom<String> for MachineName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        static KNOWN: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(MACHINE).expect("the syntax is an expression"));
        if KNOWN.is_match(&text) {
            Ok(Self(text))
        } else {
            Err(format!("{text:?}: expected a name such as db1.example.com"))
        }
    }
}

impl JsonSchema for MachineName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MachineName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": MACHINE, "examples": ["db1.example.com"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_test::{agree, beyond_schema, read};

    #[test]
    fn addresses() {
        for (text, name, address) in [
            ("ops@example.com", None, "ops@example.com"),
            ("root@localhost", None, "root@localhost"),
            ("a.b+c@x-y.example.com", None, "a.b+c@x-y.example.com"),
            ("Ops <ops@example.com>", Some("Ops"), "ops@example.com"),
            ("Jörg, Betrieb <joerg@example.com>", Some("Jörg, Betrieb"), "joerg@example.com"),
        ] {
            let read = read::<Address>(&text.into()).unwrap();
            assert_eq!((read.0.name.as_deref(), read.to_string().as_str()), (name, address));
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "ops",
            "@example.com",
            "ops@",
            "a b@example.com",
            "jörg@example.com",
            "ops@exämple.com",
            "ops@example.com, a@example.com",
            "<ops@example.com>",
            "Ops ops@example.com",
            "Ops <ops@example.com",
            "a\r\nBcc: b <ops@example.com>",
        ] {
            assert!(read::<Address>(&text.into()).expect_err(text).contains(EXPECTED), "{text}");
        }
        for text in ["a..b@example.com", ".@example.com", "a@-example.com"] {
            beyond_schema::<Address>(&text.into());
        }
    }

    #[test]
    fn names_of_machines() {
        agree::<MachineName>([
            ("db1", true),
            ("db-1.example.com", true),
            ("", false),
            ("a b", false),
            ("-a", false),
            ("a..b", false),
        ]);
    }
}
