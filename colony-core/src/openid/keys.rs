//! The keys that a provider signs with: a JWK set ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).
