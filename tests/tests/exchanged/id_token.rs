//! An `id_token` is accepted only if the provider signed it, for this client, and it is valid now.

use std::sync::OnceLock;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use colony_async::{ErrorKind, IdTokenVerifier};
use colony_cli::sandbox::{Options, Sandbox};
use colony_core::openid::id_token::{Claims, Refused};
use colony_tests::site::{Answer, DISCOVERY, KEYS};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512},
};
use serde_json::{Value, json};

use crate::place::{APP, Place};

/// Returns the provider's key, or a stranger's.
fn pair(stranger: bool) -> &'static KeyPair {
    static PAIRS: OnceLock<[KeyPair; 2]> = OnceLock::new();
    let made: [&[u8]; 2] = [
        include_bytes!("../../../colony-cli/src/sandbox/openid/made/6.der"),
        include_bytes!("../../../colony-cli/src/sandbox/openid/made/7.der"),
    ];
    let pairs = PAIRS.get_or_init(|| made.map(|key| KeyPair::from_der(key).expect("a key")));
    &pairs[usize::from(stranger)]
}

/// Returns the modulus: the public key's DER is `… INTEGER modulus, INTEGER 65537`.
fn modulus(pair: &KeyPair) -> Vec<u8> {
    let der = pair.public_key().as_ref().strip_suffix(&[0x02, 0x03, 0x01, 0x00, 0x01]).expect("the exponent");
    der[der.len() - 256..].to_vec()
}

fn jwk(stranger: bool, id: &str) -> Value {
    let modulus = BASE64_URL_SAFE_NO_PAD.encode(modulus(pair(stranger)));
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": modulus, "e": "AQAB"})
}

fn encode(part: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part)
}

/// Returns a token of these two texts, with this signature.
fn token_of(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", encode(signature))
}

fn rs256(stranger: bool) -> impl FnOnce(&[u8]) -> Vec<u8> {
    move |message| {
        let mut signature = vec![0; 256];
        let pair = pair(stranger);
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("a signature");
        signature
    }
}

struct Signer {
    place: Place,
    verifier: IdTokenVerifier,
}

impl Signer {
    fn new() -> Self {
        let place = Place::standing();
        place.site.otherwise(KEYS, Answer::Json(200, json!({"keys": [jwk(false, "a")]})));
        let verifier = place.client().transport().id_token_verifier(APP);
        Self { place, verifier }
    }

    fn claims(&self) -> Value {
        let now = self.place.clock.unix();
        json!({
            "iss": self.place.site.issuer(), "aud": APP, "sub": "user-7", "iat": now, "exp": now + 300.0,
            "preferred_username": "ada", "colony_karma": 12, "colony_verified_human": false,
            "colony_memberships": [{"id": "m", "role": "member"}],
        })
    }

    fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": "a", "typ": "JWT"})
    }

    fn token(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let (mut header, mut claims) = (self.header(), self.claims());
        change(&mut header, &mut claims);
        token_of(&header.to_string(), &claims.to_string(), rs256(false))
    }

    async fn verify(&self, token: &str) -> Result<Claims, Refused> {
        self.verifier.verify(token).await.map_err(|error| {
            assert_eq!(error.kind(), ErrorKind::Auth);
            let source = std::error::Error::source(&error).and_then(|it| it.downcast_ref::<Refused>());
            *source.unwrap_or_else(|| panic!("{error}"))
        })
    }

    async fn refused(&self, token: &str) -> Refused {
        self.verify(token).await.expect_err("not believed")
    }
}

#[tokio::test]
async fn a_good_token_is_believed_and_its_claims_are_typed() {
    let signer = Signer::new();
    let claims = signer.verify(&signer.token(|_, _| {})).await.expect("good");
    assert_eq!((claims.subject.as_str(), claims.audience.as_str()), ("user-7", APP));
    assert_eq!(claims.issuer, signer.place.site.issuer());
    assert_eq!(claims.preferred_username.as_deref(), Some("ada"));
    assert_eq!((claims.colony_karma, claims.colony_verified_human), (Some(12.0), Some(false)));
    assert_eq!(claims.extra["colony_memberships"][0]["role"], "member");
    // A claim of the wrong type is kept.
    let claims = signer.verify(&signer.token(|_, claims| claims["colony_karma"] = json!("much"))).await;
    let claims = claims.expect("good");
    assert_eq!((claims.colony_karma, &claims.extra["colony_karma"]), (None, &json!("much")));
    for change in [
        |_: &mut Value, claims: &mut Value| claims["aud"] = json!([APP]),
        |_: &mut Value, claims: &mut Value| claims["azp"] = json!(APP),
        |header: &mut Value, _: &mut Value| header["typ"] = json!("jwt"),
        |header: &mut Value, _: &mut Value| drop(header.as_object_mut().map(|it| it.remove("typ"))),
        |header: &mut Value, _: &mut Value| drop(header.as_object_mut().map(|it| it.remove("kid"))),
        |header: &mut Value, _: &mut Value| header["jku"] = json!("https://evil.example/keys"),
    ] {
        signer.verify(&signer.token(change)).await.expect("good");
    }
    assert_eq!((signer.place.site.count(DISCOVERY), signer.place.site.count(KEYS)), (1, 1));
}

#[tokio::test]
async fn the_token_does_not_choose_how_it_is_verified() {
    let signer = Signer::new();
    for algorithm in ["none", "None", "NONE", "", "HS256", "RS512", "PS256", "ES256", "rs256"] {
        let token = signer.token(|header, _| header["alg"] = json!(algorithm));
        assert_eq!(signer.refused(&token).await, Refused::Algorithm, "{algorithm}");
    }
    for none in [json!(null), json!(7), json!(["RS256"])] {
        let token = signer.token(|header, _| header["alg"] = none);
        assert_eq!(signer.refused(&token).await, Refused::Algorithm);
    }
    // Without a signature at all.
    let (header, claims) = (json!({"alg": "none"}).to_string(), signer.claims().to_string());
    assert_eq!(signer.refused(&token_of(&header, &claims, |_| Vec::new())).await, Refused::Algorithm);
    // The public key as the secret of an HMAC, in each of its forms.
    let der = pair(false).public_key().as_ref().to_vec();
    for secret in [der, modulus(pair(false)), jwk(false, "a").to_string().into_bytes()] {
        for algorithm in ["HS256", "RS256"] {
            let header = json!({"alg": algorithm, "kid": "a"}).to_string();
            let token = token_of(&header, &claims, |message| {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message).as_ref().to_vec()
            });
            let expected = if algorithm == "RS256" { Refused::Signature } else { Refused::Algorithm };
            assert_eq!(signer.refused(&token).await, expected);
        }
    }
    // The right key with another hash.
    let token = token_of(&signer.header().to_string(), &claims, |message| {
        let mut signature = vec![0; 256];
        let sign = pair(false).sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), message, &mut signature);
        sign.expect("a signature");
        signature
    });
    assert_eq!(signer.refused(&token).await, Refused::Signature);
}

#[tokio::test]
async fn only_the_provider_s_key_counts() {
    let signer = Signer::new();
    let (header, claims) = (signer.header(), signer.claims());
    let forged = token_of(&header.to_string(), &claims.to_string(), rs256(true));
    assert_eq!(signer.refused(&forged).await, Refused::Signature);
    // A key inside the token is not used either.
    let mut bringing = header.clone();
    bringing["jwk"] = jwk(true, "a");
    let forged = token_of(&bringing.to_string(), &claims.to_string(), rs256(true));
    assert_eq!(signer.refused(&forged).await, Refused::Signature);
    // A change of one letter in either part, or in the signature, is refused.
    let good = signer.token(|_, _| {});
    for at in [3, good.find('.').expect("a dot") + 20, good.len() - 5] {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("text");
        signer.verify(&changed).await.expect_err("changed");
    }
    let mut parts: Vec<&str> = good.split('.').collect();
    let other = encode(json!({"iss": signer.place.site.issuer(), "sub": "admin"}).to_string());
    parts[1] = &other;
    assert_eq!(signer.refused(&parts.join(".")).await, Refused::Signature);
    let empty = format!("{}.{}.", parts[0], good.split('.').nth(1).expect("claims"));
    assert_eq!(signer.refused(&empty).await, Refused::Signature);
}

#[tokio::test]
async fn headers_that_ask_for_more_are_refused() {
    let signer = Signer::new();
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!(null), json!("x")] {
        let token = signer.token(|header, _| header["crit"] = crit);
        assert_eq!(signer.refused(&token).await, Refused::CriticalExtension);
    }
    for kind in [json!("at+jwt"), json!("logout+jwt"), json!("dpop+jwt"), json!("JWE"), json!(7), json!(null)]
    {
        let token = signer.token(|header, _| header["typ"] = kind);
        assert_eq!(signer.refused(&token).await, Refused::Kind);
    }
    let token = signer.token(|header, _| header["kid"] = json!(7));
    assert!(matches!(signer.refused(&token).await, Refused::Malformed(_)));
    assert_eq!(signer.place.site.count(KEYS), 0, "none of these cost a request");
}

#[tokio::test]
async fn claims_must_be_ours_and_now() {
    let signer = Signer::new();
    let now = signer.place.clock.unix();
    for (name, value, expected) in [
        ("iss", json!("https://evil.example"), Refused::Issuer),
        ("iss", json!(format!("{}/", signer.place.site.issuer())), Refused::Issuer),
        ("iss", json!(null), Refused::Missing("iss")),
        ("sub", json!(""), Refused::Missing("sub")),
        ("sub", json!(7), Refused::Missing("sub")),
        ("aud", json!("colony_other"), Refused::Audience),
        ("aud", json!(["colony_other"]), Refused::Audience),
        ("aud", json!([APP, "colony_other"]), Refused::Audience),
        ("aud", json!([APP, APP]), Refused::Audience),
        ("aud", json!([]), Refused::Audience),
        ("aud", json!([[APP]]), Refused::Audience),
        ("aud", json!(null), Refused::Audience),
        ("aud", json!({APP: 1}), Refused::Audience),
        ("azp", json!("colony_other"), Refused::Audience),
        ("exp", json!(now - 61.0), Refused::Expired),
        ("exp", json!(now - 60.0), Refused::Expired),
        ("exp", json!("never"), Refused::Missing("exp")),
        ("exp", json!(null), Refused::Missing("exp")),
        ("iat", json!(now + 61.0), Refused::NotYet),
        ("iat", json!("now"), Refused::Missing("iat")),
        ("nbf", json!(now + 61.0), Refused::NotYet),
        ("nbf", json!("later"), Refused::Missing("nbf")),
    ] {
        let token = signer.token(|_, claims| claims[name] = value.clone());
        assert_eq!(signer.refused(&token).await, expected, "{name} {value}");
    }
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        let token = signer.token(|_, claims| drop(claims.as_object_mut().map(|it| it.remove(name))));
        signer.verify(&token).await.expect_err(name);
    }
    // Within the leeway of a minute.
    for (name, value) in [("exp", now - 59.0), ("iat", now + 60.0), ("nbf", now + 60.0)] {
        let token = signer.token(|_, claims| {
            claims["iat"] = json!(now - 300.0);
            claims[name] = json!(value);
        });
        signer.verify(&token).await.unwrap_or_else(|refused| panic!("{name}: {refused}"));
    }
    let token = signer.token(|_, _| {});
    signer.place.clock.jump(359.0);
    signer.verify(&token).await.expect("within the leeway");
    signer.place.clock.jump(1.0);
    assert_eq!(signer.refused(&token).await, Refused::Expired);
}

#[tokio::test]
async fn a_nonce_must_be_repeated_and_an_access_token_must_fit() {
    let signer = Signer::new();
    let expected = signer.verifier.expected().nonce("n-1");
    let code =
        |outcome: colony_async::Result<Claims>| outcome.err().and_then(|it| it.code().map(str::to_owned));
    for (nonce, refused) in
        [(json!("n-1"), None), (json!("n-2"), Some("id_token_nonce")), (json!(1), Some("id_token_nonce"))]
    {
        let token = signer.token(|_, claims| claims["nonce"] = nonce);
        assert_eq!(code(signer.verifier.verify_as(&token, &expected).await).as_deref(), refused);
    }
    let without = signer.token(|_, _| {});
    assert_eq!(code(signer.verifier.verify_as(&without, &expected).await).as_deref(), Some("id_token_nonce"));
    // The left half of SHA-256("at"), in base64url.
    let hash = {
        use sha2::Digest as _;
        encode(&sha2::Sha256::digest("at")[..16])
    };
    let token = signer.token(|_, claims| claims["at_hash"] = json!(hash));
    let expected = signer.verifier.expected();
    signer.verifier.verify_as(&token, &expected.clone().access_token("at")).await.expect("it fits");
    let other = signer.verifier.verify_as(&token, &expected.access_token("another")).await;
    assert_eq!(code(other).as_deref(), Some("id_token_access_token"));
}

#[tokio::test]
async fn what_two_parsers_would_read_differently_is_refused() {
    let signer = Signer::new();
    let (header, claims) = (signer.header().to_string(), signer.claims().to_string());
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    for (header, claims) in [
        (header.clone(), twice(&claims, r#""aud":"colony_other""#)),
        (header.clone(), twice(&claims, r#""sub":"admin""#)),
        (header.clone(), twice(&claims, r#""exp":9999999999"#)),
        (twice(&header, r#""alg":"none""#), claims.clone()),
        (header.clone(), format!("{claims} {{}}")),
        (header.clone(), format!("[{claims}]")),
        (header.clone(), "null".to_owned()),
        ("[]".to_owned(), claims.clone()),
        (header.clone(), String::new()),
        (header.clone(), "\u{feff}{}".to_owned()),
    ] {
        let token = token_of(&header, &claims, rs256(false));
        assert!(matches!(signer.refused(&token).await, Refused::Malformed(_)), "{header} {claims}");
    }
    let good = signer.token(|_, _| {});
    let padded = format!("{good}=");
    let spaced = format!(" {good}");
    let four = format!("{good}.e30");
    let standard = good.replace(['-', '_'], "+");
    let encrypted = format!("{good}.e30.e30");
    for text in ["", ".", "..", "a.b", "e30.e30", &padded, &spaced, &four, &encrypted, "💥.💥.💥"] {
        assert!(matches!(signer.refused(text).await, Refused::Malformed(_)), "{text}");
    }
    if standard != good {
        signer.refused(&standard).await;
    }
    assert_eq!(signer.refused(&"e".repeat(70_000)).await, Refused::TooLarge);
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_once_a_minute() {
    let signer = Signer::new();
    signer.verify(&signer.token(|_, _| {})).await.expect("good");
    assert_eq!(signer.place.site.count(KEYS), 1);
    // Unknown keys cause no second fetch within a minute of the first.
    for number in 0..50 {
        let token = signer.token(|header, _| header["kid"] = json!(format!("stranger-{number}")));
        assert_eq!(signer.refused(&token).await, Refused::UnknownKey);
    }
    assert_eq!(signer.place.site.count(KEYS), 1);
    signer.place.clock.jump(61.0);
    for number in 0..50 {
        let token = signer.token(|header, _| header["kid"] = json!(format!("stranger-{number}")));
        assert_eq!(signer.refused(&token).await, Refused::UnknownKey);
    }
    assert_eq!(signer.place.site.count(KEYS), 2);
    // The provider has a new key.
    let both = json!({"keys": [jwk(false, "a"), jwk(true, "b")]});
    signer.place.site.otherwise(KEYS, Answer::Json(200, both));
    signer.place.clock.jump(61.0);
    let mut header = signer.header();
    header["kid"] = json!("b");
    let rolled = token_of(&header.to_string(), &signer.claims().to_string(), rs256(true));
    signer.verify(&rolled).await.expect("with the new key");
    signer.verify(&signer.token(|_, _| {})).await.expect("and the old one");
    assert_eq!(signer.place.site.count(KEYS), 3);
    // Two keys, and a token that names none.
    let token = signer.token(|header, _| drop(header.as_object_mut().map(|it| it.remove("kid"))));
    assert_eq!(signer.refused(&token).await, Refused::UnknownKey);
    // A failed fetch leaves the known keys, and counts towards the limit.
    signer.place.site.otherwise(KEYS, Answer::Json(500, json!({})));
    signer.place.clock.jump(61.0);
    let strange = signer.token(|header, _| header["kid"] = json!("c"));
    assert_eq!(signer.verifier.verify(&strange).await.expect_err("failed").kind(), ErrorKind::Server);
    assert_eq!(signer.refused(&strange).await, Refused::UnknownKey);
    signer.verify(&signer.token(|_, _| {})).await.expect("still known");
    assert_eq!(signer.place.site.count(KEYS), 4);
}

#[tokio::test]
async fn keys_are_believed_for_an_hour_and_a_failure_for_a_moment() {
    let signer = Signer::new();
    signer
        .place
        .site
        .next(KEYS, [Answer::Json(503, json!({})), Answer::Hangup, Answer::Json(200, json!([]))]);
    let good = || signer.token(|_, _| {});
    for kind in [ErrorKind::Server, ErrorKind::Network, ErrorKind::Decode] {
        for _ in 0..10 {
            assert_eq!(signer.verifier.verify(&good()).await.expect_err("no keys").kind(), kind);
        }
        signer.place.clock.jump(5.0);
    }
    signer.verify(&good()).await.expect("good");
    assert_eq!(signer.place.site.count(KEYS), 4);
    signer.place.clock.jump(3_600.0);
    signer.verify(&good()).await.expect("good");
    assert_eq!(signer.place.site.count(KEYS), 4);
    // A withdrawn key is no longer trusted.
    signer.place.site.otherwise(KEYS, Answer::Json(200, json!({"keys": []})));
    signer.place.clock.jump(1.0);
    assert_eq!(signer.refused(&good()).await, Refused::UnknownKey);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_verifications_fetch_the_keys_once() {
    let signer = Signer::new();
    let token = signer.token(|_, _| {});
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (verifier, token) = (signer.verifier.clone(), token.clone());
        tasks.spawn(async move { verifier.verify(&token).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a task").expect("good");
    }
    assert_eq!((signer.place.site.count(DISCOVERY), signer.place.site.count(KEYS)), (1, 1));
}

#[tokio::test]
async fn a_provider_that_signs_otherwise_or_publishes_no_keys_is_told() {
    for (field, value, code) in [
        ("jwks_uri", json!(null), "keys_unpublished"),
        ("id_token_signing_alg_values_supported", json!(["ES256"]), "keys_other_algorithm"),
    ] {
        let signer = Signer::new();
        let mut document = signer.place.site.document();
        document[field] = value;
        signer.place.site.otherwise(DISCOVERY, Answer::Json(200, document));
        let error = signer.verifier.verify(&signer.token(|_, _| {})).await.expect_err("no keys");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Decode, Some(code)));
    }
}

#[tokio::test]
async fn the_sandbox_s_tokens_are_believed_by_both_clients() {
    let sandbox = Sandbox::start(Options::default()).await.expect("a sandbox");
    let app = sandbox.openid().app().client_id.clone();
    let directory = crate::place::directory();
    let client = colony_async::Client::builder(sandbox.api_key())
        .base_url(sandbox.base_url())
        .token_cache_dir(directory.path())
        .build()
        .expect("a client");
    let token = client.auth().audience(&app).scope("openid profile").token().await.expect("a token");
    let id_token = secrecy::ExposeSecret::expose_secret(token.id_token.as_ref().expect("one")).to_owned();
    // Verification needs no account.
    let anonymous = colony_async::Client::anonymous().base_url(sandbox.base_url()).build().expect("a client");
    let verifier = anonymous.transport().id_token_verifier(&app);
    let expected = verifier.expected().access_token(token.access_token.clone());
    let claims = verifier.verify_as(&id_token, &expected).await.expect("good");
    assert_eq!(claims.preferred_username.as_deref(), Some(sandbox.username()));
    let other = anonymous.transport().id_token_verifier("colony_other").verify(&id_token).await;
    assert_eq!(other.expect_err("for another").code(), Some("id_token_audience"));
    let (base_url, id_token, app) = (sandbox.base_url(), id_token, app);
    let blocking = tokio::task::spawn_blocking(move || {
        let client = colony_blocking::Client::anonymous().base_url(base_url).build().expect("a client");
        client.transport().id_token_verifier(app).verify(&id_token).map(|claims| claims.subject)
    });
    assert_eq!(blocking.await.expect("a thread").expect("good"), claims.subject);
}
