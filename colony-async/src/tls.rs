//! TLS: the trusted authorities, and this client's own certificate.

use std::{
    fs,
    path::{Path, PathBuf},
};

use colony_core::{Error, ErrorKind, Result};

/// The program's settings for certificates.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Certificates {
    /// A file of certificate authorities that are trusted in addition to the system's, PEM.
    pub(crate) authorities: Option<PathBuf>,
    /// This client's certificate with its chain, and its key, PEM; both can be in one file.
    pub(crate) own: Option<(PathBuf, PathBuf)>,
}

/// Makes ring the cryptography provider of this process's TLS, unless it has one.
///
/// The clients of this crate use the provider of the process, or ring if there is none, so they do not need this
/// function. A [`reqwest::Client`] of the program's own needs a provider if the program has chosen none of reqwest's
/// TLS features: then call this before the first such client is built. Building a client of this crate also does it.
///
/// ```
/// colony_async::install_tls_provider();
/// let own = reqwest::Client::new();
/// ```
pub fn install_tls_provider() {
    #[cfg(feature = "rustls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have installed one first, which is fine.
        let _ = by_rustls::own_provider().install_default();
    }
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
pub(crate) use by_nothing::Tls;
#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
pub(crate) use by_rustls::Tls;
#[cfg(feature = "native-tls")]
pub(crate) use by_system::Tls;

#[cfg(feature = "redis")]
pub(crate) use by_rustls::settings_without_http;

fn read(what: &str, path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| unusable(what, path, &error))
}

fn unusable(what: &str, path: &Path, why: &dyn std::fmt::Display) -> Error {
    let message = format!("the {what} {} cannot be used: {why}", path.display());
    Error::build(ErrorKind::Config, message).hint("Give a file in PEM format").finish()
}

#[cfg(feature = "rustls")]
mod by_rustls {
    use std::{env, path::Path, sync::Arc};

    use colony_core::{Error, ErrorKind, Result};
    use rustls::{
        ClientConfig, RootCertStore,
        crypto::CryptoProvider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    };

    use super::{Certificates, read, unusable};

    /// Returns the provider to use when the process has none.
    pub(super) fn own_provider() -> CryptoProvider {
        #[cfg(feature = "aws-lc")]
        return rustls::crypto::aws_lc_rs::default_provider();
        #[cfg(not(feature = "aws-lc"))]
        return rustls::crypto::ring::default_provider();
    }

    /// The settings of TLS connections. Cloning shares the certificates and the sessions agreed with servers.
    #[derive(Clone)]
    #[cfg_attr(feature = "native-tls", allow(dead_code, reason = "reqwest prefers the system's library"))]
    pub(crate) struct Tls(ClientConfig);

    #[cfg_attr(feature = "native-tls", allow(dead_code, reason = "reqwest prefers the system's library"))]
    impl Tls {
        /// Loads the certificates of the system and those of the program.
        pub(crate) fn load(certificates: &Certificates) -> Result<Self> {
            let mut extra = Vec::new();
            if let Some(path) = &certificates.authorities {
                extra = chain("CA file", path)?;
            }
            let provider = provider();
            let verifier =
                rustls_platform_verifier::Verifier::new_with_extra_roots(extra, Arc::clone(&provider));
            let verifier = verifier.map_err(no_authorities)?;
            let builder = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(config)?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier));
            let settings = match &certificates.own {
                None => builder.with_no_client_auth(),
                Some((certificate, key)) => {
                    let chain = chain("client certificate", certificate)?;
                    let content = read("client certificate's key", key)?;
                    // The reason may quote the content.
                    let key_of = PrivateKeyDer::from_pem_slice(&content);
                    let private =
                        key_of.map_err(|_| unusable("client certificate's key", key, &"it holds no key"))?;
                    builder
                        .with_client_auth_cert(chain, private)
                        .map_err(|error| unusable("client certificate", certificate, &error))?
                }
            };
            Ok(Self(with_protocols(settings)))
        }

        /// Returns settings that trust no server, so a TLS connection that should not have used them fails.
        pub(crate) fn none() -> Result<Self> {
            let builder = ClientConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .map_err(config)?;
            Ok(Self(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()))
        }

        pub(crate) fn apply(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
            builder.tls_backend_preconfigured(self.0.clone())
        }
    }

    /// Returns the settings of TLS connections that do not use HTTP.
    #[cfg(feature = "redis")]
    pub(crate) fn settings_without_http(certificates: &Certificates) -> Result<ClientConfig> {
        let mut settings = Tls::load(certificates)?.0;
        settings.alpn_protocols.clear();
        Ok(settings)
    }

    /// Returns the process's provider, which a program may have chosen, or the default.
    fn provider() -> Arc<CryptoProvider> {
        CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(own_provider()))
    }

    fn with_protocols(mut settings: ClientConfig) -> ClientConfig {
        settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        settings
    }

    fn chain(what: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
        let content = read(what, path)?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
        let found = found.map_err(|error| unusable(what, path, &error))?;
        if found.is_empty() { Err(unusable(what, path, &"it holds no certificate")) } else { Ok(found) }
    }

    fn no_authorities(error: rustls::Error) -> Error {
        let named: Vec<String> = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
            .iter()
            .filter_map(|name| Some(format!("{name}={}", env::var_os(name)?.display())))
            .collect();
        let from = if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) };
        Error::build(ErrorKind::Config, format!("no certificate authorities could be loaded{from}: {error}"))
            .hint("Install the system's CA certificates, or name a PEM file with SSL_CERT_FILE or `ca_file`")
            .source(error)
            .finish()
    }

    fn config(error: rustls::Error) -> Error {
        Error::build(ErrorKind::Config, "TLS cannot be set up").source(error).finish()
    }
}

#[cfg(feature = "native-tls")]
mod by_system {
    use colony_core::Result;

    use super::{Certificates, read, unusable};

    /// The settings of TLS connections.
    #[derive(Clone, Default)]
    pub(crate) struct Tls {
        authorities: Vec<reqwest::Certificate>,
        own: Option<reqwest::Identity>,
        trusts_nobody: bool,
    }

    impl Tls {
        /// Loads the certificates of the program; the library loads the system's.
        pub(crate) fn load(certificates: &Certificates) -> Result<Self> {
            let mut tls = Self::default();
            if let Some(path) = &certificates.authorities {
                let found = reqwest::Certificate::from_pem_bundle(&read("CA file", path)?);
                tls.authorities = found.map_err(|error| unusable("CA file", path, &error))?;
            }
            if let Some((certificate, key)) = &certificates.own {
                let (chain, content) =
                    (read("client certificate", certificate)?, read("client certificate's key", key)?);
                let own = reqwest::Identity::from_pkcs8_pem(&chain, &content);
                tls.own = Some(own.map_err(|error| unusable("client certificate", certificate, &error))?);
            }
            Ok(tls)
        }

        /// Returns settings that trust no server, so a TLS connection that should not have used them fails.
        pub(crate) fn none() -> Result<Self> {
            Ok(Self { trusts_nobody: true, ..Self::default() })
        }

        pub(crate) fn apply(&self, mut builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
            if self.trusts_nobody {
                return builder.tls_certs_only([]);
            }
            if !self.authorities.is_empty() {
                builder = builder.tls_certs_merge(self.authorities.clone());
            }
            match &self.own {
                Some(own) => builder.identity(own.clone()),
                None => builder,
            }
        }
    }
}

/// The variant without TLS.
#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
mod by_nothing {
    use colony_core::Result;

    use super::{Certificates, read};

    /// No settings.
    #[derive(Clone)]
    pub(crate) struct Tls;

    impl Tls {
        /// Reads the files, so that a wrong path is reported with native-tls too.
        pub(crate) fn load(certificates: &Certificates) -> Result<Self> {
            if let Some(path) = &certificates.authorities {
                read("CA file", path)?;
            }
            if let Some((certificate, key)) = &certificates.own {
                read("client certificate", certificate)?;
                read("client certificate's key", key)?;
            }
            Ok(Self)
        }

        pub(crate) fn none() -> Result<Self> {
            Ok(Self)
        }

        pub(crate) fn apply(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
            builder
        }
    }
}
