//! How servers prove who they are.

use std::{
    cell::RefCell,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use hickory_net::tls;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

type Shared = Option<(Option<PathBuf>, Weak<ClientConfig>)>;

thread_local! {
    /// The authorities take about a megabyte: one copy, as long as someone needs it.
    static STRICT: RefCell<Shared> = const { RefCell::new(None) };
}

/// A server must show a chain to one of these authorities (`None`: the system's), for its name or address.
///
/// # Errors
/// None could be read.
pub(super) fn strict(authorities: Option<&Path>) -> io::Result<Arc<ClientConfig>> {
    let kept = STRICT.with_borrow(|shared| match shared {
        Some((of, config)) if of.as_deref() == authorities => config.upgrade(),
        _ => None,
    });
    if let Some(config) = kept {
        return Ok(config);
    }
    let config = builder()?
        .with_root_certificates(read(authorities)?)
        .with_no_client_auth();
    let config = Arc::new(config);
    STRICT.set(Some((
        authorities.map(Path::to_owned),
        Arc::downgrade(&config),
    )));
    Ok(config)
}

/// Any certificate will do: encryption against those who only listen (RFC 7858, 4.1).
pub(super) fn opportunistic() -> io::Result<Arc<ClientConfig>> {
    let config = builder()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(tls::default_provider())))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn builder() -> io::Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    ClientConfig::builder_with_provider(Arc::new(tls::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)
}

fn read(authorities: Option<&Path>) -> io::Result<RootCertStore> {
    let read = match authorities {
        Some(file) => rustls_native_certs::load_certs_from_paths(Some(file), None),
        None => rustls_native_certs::load_native_certs(),
    };
    for error in &read.errors {
        tracing::warn!(%error, "an authority for TLS can't be read");
    }
    let mut roots = RootCertStore::empty();
    let (taken, ignored) = roots.add_parsable_certificates(read.certs);
    tracing::debug!(taken, ignored, "authorities for TLS");
    if roots.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "no authorities for TLS: is ca-certificates installed?",
        ));
    }
    Ok(roots)
}

/// Takes every certificate, but the server must hold its key.
#[derive(Debug)]
struct AnyCertificate(CryptoProvider);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
