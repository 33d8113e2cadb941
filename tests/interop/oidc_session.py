"""The published Python packages for "Login with the Colony" (colony-oidc 0.7.2) and the API (colony-sdk
1.38.0) against the sandbox as OpenID provider: what an app has to accept.

Takes BASE_URL, API_KEY, ISSUER, CLIENT_ID and CLIENT_SECRET from the environment, as `colony sandbox --json`
prints them. Exits with 0 when everything was as expected.
"""

import json
import os
import tempfile
import time
import urllib.request
from urllib.parse import parse_qs, urlsplit

os.environ["COLONY_SDK_TOKEN_CACHE_DIR"] = tempfile.mkdtemp(prefix="colony-oidc-")

import requests  # noqa: E402
from colony_oidc import (  # noqa: E402
    ColonyOIDCClient,
    ColonyOIDCError,
    ColonyOIDCTokenError,
    ColonyOIDCVerificationError,
)
from colony_sdk import ColonyClient  # noqa: E402

BASE_URL = os.environ["BASE_URL"]
API_KEY = os.environ["API_KEY"]
ISSUER = os.environ["ISSUER"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
REDIRECT = "http://127.0.0.1:4711/callback"


def app(**options):
    return ColonyOIDCClient(CLIENT_ID, CLIENT_SECRET, REDIRECT, issuer=ISSUER, **options)


def control(what, **fields):
    body = json.dumps(fields).encode()
    request = urllib.request.Request(f"{ISSUER}/_control/openid/{what}", body, method="POST")
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def fails(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as error:
        return str(error)
    raise AssertionError(f"{call.__name__} did not fail")


def discovery_is_read():
    client = app()
    assert client.discovery["issuer"] == ISSUER
    for name in ("token_endpoint", "jwks_uri", "userinfo_endpoint", "revocation_endpoint"):
        assert client.discovery[name].startswith(ISSUER), name
    assert "issuer" in fails(ColonyOIDCError, lambda: ColonyOIDCClient(
        CLIENT_ID, CLIENT_SECRET, issuer=ISSUER.replace("127.0.0.1", "localhost")).discovery)


def an_exchanged_id_token_verifies():
    agent = ColonyClient(API_KEY, base_url=BASE_URL)
    tokens = agent.exchange_token(audience=CLIENT_ID, scope="openid profile colony:karma offline_access")
    assert "refresh_token" not in tokens and tokens["scope"] == "openid profile colony:karma", tokens["scope"]
    client = app()
    claims = client.verify_id_token(tokens["id_token"], access_token=tokens["access_token"])
    assert claims["sub"] == agent.get_me()["id"]
    assert claims["preferred_username"] == agent.get_me()["username"]
    assert 0 < claims["exp"] - time.time() <= 300
    assert client.fetch_userinfo(tokens["access_token"])["sub"] == claims["sub"]
    # And not for another app, nor with another access token, nor changed.
    other = ColonyOIDCClient("colony_other", "s", issuer=ISSUER)
    fails(ColonyOIDCVerificationError, other.verify_id_token, tokens["id_token"])
    fails(ColonyOIDCVerificationError, client.verify_id_token, tokens["id_token"], access_token="at_other")
    head, _, signature = tokens["id_token"].split(".")
    fails(ColonyOIDCVerificationError, client.verify_id_token, f"{head}.e30.{signature}")


def rolled_keys_are_fetched_once_more():
    agent, client = ColonyClient(API_KEY, base_url=BASE_URL), app()
    first = agent.exchange_token(audience=CLIENT_ID)["id_token"]
    client.verify_id_token(first)
    control("keys")
    second = agent.exchange_token(audience=CLIENT_ID)["id_token"]
    client.verify_id_token(second)
    client.verify_id_token(first)
    control("keys", withdraw=True)
    fails(ColonyOIDCVerificationError, app().verify_id_token, second)


def a_key_is_no_subject_token():
    assert "invalid_grant" in fails(ColonyOIDCTokenError, app().exchange_token, API_KEY)


def a_browser_login_and_its_refresh_tokens():
    client = app(scope="openid profile offline_access")
    login = client.create_login()
    waiting = requests.get(login.authorization_url, timeout=10).json()
    callback = control("approve", request=waiting["request"])["redirect_to"]
    answer = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
    client.raise_for_callback_error(answer)
    tokens, user = client.complete_login(
        code=answer["code"], returned_state=answer["state"], state=login.state, nonce=login.nonce,
        code_verifier=login.code_verifier, fetch_userinfo=True)
    assert user.username == ColonyClient(API_KEY, base_url=BASE_URL).get_me()["username"]
    assert user.is_agent and user.sid and user.auth_time and not user.is_mfa
    assert user.granted_scopes == ["openid", "profile", "offline_access"]
    renewed = client.refresh_token(tokens["refresh_token"])
    assert renewed["refresh_token"] != tokens["refresh_token"]
    client.verify_id_token(renewed["id_token"], access_token=renewed["access_token"])
    # A spent one ends the family.
    assert "invalid_grant" in fails(ColonyOIDCTokenError, client.refresh_token, tokens["refresh_token"])
    assert "invalid_grant" in fails(ColonyOIDCTokenError, client.refresh_token, renewed["refresh_token"])
    fails(ColonyOIDCTokenError, client.fetch_userinfo, renewed["access_token"])


def refusals_and_revocation():
    client = app(scope="openid offline_access", token_endpoint_auth_method="client_secret_post")
    fails(ColonyOIDCError, client.raise_for_callback_error, callback_of_a_refusal(client))
    login = client.create_login()
    waiting = requests.get(login.authorization_url, timeout=10).json()
    callback = control("approve", request=waiting["request"])["redirect_to"]
    answer = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
    tokens = client.fetch_token(answer["code"], login.code_verifier)
    client.revoke_token(tokens["refresh_token"], token_type_hint="refresh_token")
    client.revoke_token("nothing of the kind")
    assert "invalid_grant" in fails(ColonyOIDCTokenError, client.refresh_token, tokens["refresh_token"])


def callback_of_a_refusal(client):
    waiting = requests.get(client.create_login().authorization_url, timeout=10).json()
    callback = control("deny", request=waiting["request"])["redirect_to"]
    return {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}


CHECKS = (
    discovery_is_read,
    an_exchanged_id_token_verifies,
    rolled_keys_are_fetched_once_more,
    a_key_is_no_subject_token,
    a_browser_login_and_its_refresh_tokens,
    refusals_and_revocation,
)

if __name__ == "__main__":
    for check in CHECKS:
        check()
        print(f"  {check.__name__}")
    print(f"oidc_session: {len(CHECKS)} passed, 0 failed")
