//! The client of one address.

use crate::Url;
use bansuri_plugin_kit::Trust;
use std::fs;
use std::time::Duration;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};

/// How requests to one address are made. The statuses 4xx and 5xx are answers like any other, and no connection is
/// kept for a later request. Proxies are taken from the environment of the process (`HTTPS_PROXY` and the like), but
/// not for the machine itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// For one request, from the lookup of the name to the end of the answer; redirects are part of it.
    pub timeout: Duration,
    /// How many are followed. With 0 the redirect is the answer.
    pub redirects: u32,
    /// Which servers.
    pub trust: Trust,
    /// What it calls itself.
    pub user_agent: &'static str,
}

impl Client {
    /// The agent that makes the requests; `shutdown` of a clone ends those under way.
    ///
    /// # Errors
    /// The ca-file cannot be used.
    pub fn agent(&self, url: &Url) -> Result<Agent, String> {
        let proxy = if url.is_loopback() { None } else { Proxy::try_from_env() };
        let config = Agent::config_builder()
            .tls_config(tls_config(&self.trust)?)
            .timeout_global(Some(self.timeout))
            .max_redirects(self.redirects)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .user_agent(self.user_agent)
            .proxy(proxy)
            .build();
        Ok(config.new_agent())
    }
}

fn tls_config(trust: &Trust) -> Result<TlsConfig, String> {
    let builder = TlsConfig::builder();
    Ok(match trust {
        Trust::Public => builder.root_certs(RootCerts::WebPki),
        Trust::Anyone => builder.disable_verification(true),
        Trust::File(path) => {
            let pem = fs::read(path).map_err(|error| format!("ca-file {path:?}: {error}"))?;
            let mut certificates = Vec::new();
            for item in parse_pem(&pem) {
                if let PemItem::Certificate(certificate) =
                    item.map_err(|error| format!("ca-file {path:?}: {error}"))?
                {
                    certificates.push(certificate);
                }
            }
            if certificates.is_empty() {
                return Err(format!("ca-file {path:?}: holds no certificate in PEM form"));
            }
            builder.root_certs(certificates.into())
        }
    }
    .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(content: Option<&str>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let client = Client {
            timeout: Duration::from_secs(1),
            redirects: 0,
            trust: Trust::File(path),
            user_agent: "test",
        };
        client.agent(&Url::try_from("https://example.com".to_owned()).unwrap()).unwrap_err()
    }

    #[test]
    fn a_ca_file_that_cannot_be_used() {
        assert!(error(None).ends_with("ca.pem\": No such file or directory (os error 2)"));
        assert!(error(Some("no certificate")).ends_with("ca.pem\": holds no certificate in PEM form"));
        let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        assert!(error(Some(broken)).contains("ca.pem\": "));
    }
}
