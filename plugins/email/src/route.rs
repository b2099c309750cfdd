//! The way to the mail server.

use crate::options::{Mechanism, Options, Security};
use bansuri_plugin_kit::Trust;
use lettre::transport::smtp::authentication;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use std::fmt;
use std::path::Path;

/// Where it is, and how to speak to it.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) mechanisms: Vec<authentication::Mechanism>,
}

/// When the connection is encrypted, and whom it believes.
#[derive(Clone)]
pub(crate) enum Encryption {
    None,
    StartTls(TlsParameters),
    Tls(TlsParameters),
}

impl Route {
    /// # Errors
    /// The ca-file cannot be used.
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let parameters = || parameters(&options.host, &options.trust()?);
        let encryption = match options.security {
            Security::None => {
                // It may not name an authority either.
                options.trust()?;
                Encryption::None
            }
            Security::Starttls => Encryption::StartTls(parameters()?),
            Security::Tls => Encryption::Tls(parameters()?),
        };
        let (plain, login) = (authentication::Mechanism::Plain, authentication::Mechanism::Login);
        let mechanisms = match options.auth {
            None => vec![plain, login],
            Some(Mechanism::Plain) => vec![plain],
            Some(Mechanism::Login) => vec![login],
        };
        Ok(Self { host: options.host.clone(), port: options.port(), encryption, mechanisms })
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn parameters(host: &str, trust: &Trust) -> Result<TlsParameters, String> {
    let builder = TlsParameters::builder(host.to_owned());
    let builder = match trust {
        Trust::Public => builder.certificate_store(CertificateStore::WebpkiRoots),
        Trust::Anyone => {
            builder.dangerous_accept_invalid_certs(true).dangerous_accept_invalid_hostnames(true)
        }
        Trust::File(path) => {
            builder.certificate_store(CertificateStore::None).add_root_certificate(authorities(path)?)
        }
    };
    builder.build_rustls().map_err(|error| format!("options: {error}"))
}

fn authorities(path: &Path) -> Result<Certificate, String> {
    let pem = std::fs::read(path).map_err(|error| format!("options: ca-file {path:?}: {error}"))?;
    // What is not there is no fault for the library.
    let begun = pem.windows(BEGIN.len()).any(|window| window == BEGIN);
    let certificate = Certificate::from_pem(&pem).ok().filter(|_| begun);
    certificate.ok_or_else(|| format!("options: ca-file {path:?}: holds no certificate in PEM form"))
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
