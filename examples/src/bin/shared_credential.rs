//! Servers that share one login. A refresh token can be used only once, so one of the servers refreshes and the
//! others use the credential that it stored.
//!
//! - `shared_credential login` stores a login: the token endpoint's reply, from stdin.
//! - `shared_credential serve [ADDRESS]` replies to `GET /whoami` with the provider's information about the account.
//!   Start one on each of several ports.
//! - `shared_credential logout` ends the login, here and at the provider.
//!
//! Reads `OPENID_ISSUER`, `OPENID_CLIENT_ID` and, for a client that has one, `OPENID_CLIENT_SECRET`. The endpoints
//! are those of The Colony; another provider's are in its discovery document. The store is in the user's data
//! directory, or in `COLONY_SDK_CREDENTIALS_DIR`.

use std::time::SystemTime;

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use colony_async::{
    Error, ErrorKind, Result, StatusCode,
    credential::{ClientAuth, Credential, CredentialId, CredentialStore, RotatingCredential},
};
use secrecy::{ExposeSecret, SecretString};

/// Stores the result of a login. The store waits for a refresh under way, and refuses a login that is worth less than
/// the stored one: for example one without a refresh token, or from another issuer.
async fn log_in(
    issuer: &str,
    store: &CredentialStore,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs_f64();
    let reply = std::io::read_to_string(std::io::stdin())?;
    let endpoint = format!("{issuer}/oauth/token");
    let credential = Credential::from_reply(store.id().clone(), endpoint, reply.as_bytes(), now)?;
    store.save(&credential).await?;
    println!("logged in");
    Ok(())
}

#[derive(Clone)]
struct Server {
    credential: RotatingCredential,
    http: reqwest::Client,
    userinfo: String,
}

impl Server {
    async fn whoami(&self) -> Result<String> {
        let token = self.credential.token().await?;
        let mut response = self.ask(&token).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            response = self.ask(&self.credential.token_other_than(&token).await?).await?;
        }
        response.error_for_status().map_err(unreachable)?.text().await.map_err(unreachable)
    }

    async fn ask(&self, token: &SecretString) -> Result<reqwest::Response> {
        let request = self.http.get(&self.userinfo).bearer_auth(token.expose_secret());
        request.send().await.map_err(unreachable)
    }
}

fn unreachable(error: reqwest::Error) -> Error {
    Error::build(ErrorKind::Network, "the provider did not answer").source(error.without_url()).finish()
}

async fn whoami(State(server): State<Server>) -> impl IntoResponse {
    match server.whoami().await {
        Ok(account) => (StatusCode::OK, account),
        // Only a person can help. The server continues, and works again after the next login.
        Err(error) if error.is_reauth_required() => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()),
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let issuer = std::env::var("OPENID_ISSUER")?;
    let store = CredentialStore::new(CredentialId::new(&issuer, std::env::var("OPENID_CLIENT_ID")?))?;
    let auth =
        std::env::var("OPENID_CLIENT_SECRET").map_or(ClientAuth::None, |it| ClientAuth::Basic(it.into()));
    let credential = RotatingCredential::builder(store.clone()).client_auth(auth).build();
    match arguments.first().map(String::as_str) {
        Some("login") => log_in(&issuer, &store).await,
        Some("logout") => {
            // If the provider does not confirm, nothing is removed and the logout can be repeated.
            let was_there = credential.log_out(Some(&format!("{issuer}/oauth/revoke"))).await?;
            println!("{}", if was_there { "logged out" } else { "nobody was logged in" });
            Ok(())
        }
        Some("serve") => {
            colony_async::install_tls_provider();
            let server = Server {
                credential: credential.clone(),
                http: reqwest::Client::builder().build()?,
                userinfo: format!("{issuer}/oauth/userinfo"),
            };
            let address = arguments.get(1).map_or("127.0.0.1:8080", String::as_str);
            let listener = tokio::net::TcpListener::bind(address).await?;
            println!("listening on {}", listener.local_addr()?);
            let router = Router::new().route("/whoami", get(whoami)).with_state(server);
            let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
            axum::serve(listener, router).with_graceful_shutdown(stop).await?;
            // A refresh that is under way is stored before the process ends.
            credential.close().await;
            Ok(())
        }
        _ => Err("usage: shared_credential login|logout|serve [ADDRESS]".into()),
    }
}
