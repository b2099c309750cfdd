//! A mail that was taken.

use crate::base64;

/// With its envelope.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mail {
    /// How the client calls itself.
    pub hello: String,
    /// Whether it came through TLS.
    pub encrypted: bool,
    /// Who logged in.
    pub user: Option<String>,
    /// By which mechanism.
    pub mechanism: Option<String>,
    /// Of the envelope.
    pub from: String,
    /// Of the envelope.
    pub to: Vec<String>,
    /// Headers and body, as they came, without the dots that SMTP adds.
    pub data: String,
}

impl Mail {
    /// The value of the first header of this name, unfolded; encoded words are left as they are.
    pub fn header(&self, name: &str) -> Option<String> {
        let (headers, _) = self.data.split_once("\r\n\r\n")?;
        let headers = headers.replace("\r\n ", " ").replace("\r\n\t", " ");
        let mut named = headers.split("\r\n").filter_map(|line| line.split_once(": "));
        named.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    }

    /// The body as text with `\n`, decoded.
    ///
    /// # Panics
    /// It is none.
    pub fn body(&self) -> String {
        let (_, body) = self.data.split_once("\r\n\r\n").expect("a mail has a body");
        let bytes = match self.header("Content-Transfer-Encoding").as_deref() {
            Some("base64") => base64::decode(body),
            Some("quoted-printable") => unquoted(body),
            Some("7bit") | None => body.as_bytes().to_vec(),
            Some(other) => panic!("{other}: no encoding that mails have"),
        };
        String::from_utf8(bytes).expect("the body is UTF-8").replace("\r\n", "\n")
    }
}

fn unquoted(text: &str) -> Vec<u8> {
    let text = text.replace("=\r\n", "");
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let quoted = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match quoted.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'=') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(data: &str) -> Mail {
        Mail { data: data.to_owned(), ..Mail::default() }
    }

    #[test]
    fn bodies_are_decoded() {
        let quoted =
            "Subject: a\r\n b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n1=3D=\r\n1 =C3=A4\r\n";
        assert_eq!(
            (mail(quoted).header("subject"), mail(quoted).body().as_str()),
            (Some("a b".to_owned()), "1=1 ä\n")
        );
        let encoded = "Content-Transfer-Encoding: base64\r\n\r\nw6QNCg==\r\n";
        assert_eq!(mail(encoded).body(), "ä\n");
        assert_eq!(mail("A: b\r\n\r\nplain\r\n").body(), "plain\n");
    }
}
