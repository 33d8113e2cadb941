#!/usr/bin/env bash
# Published clients and the `colony` binary against the sandbox: a whole session of the API's Python package, an
# app of its package for logins, every tool of five agent toolkits, three clients without a framework, and the
# token cache that all share.
#
#   .ci/interop.sh target/debug/colony
set -euo pipefail
cd "$(dirname "$0")/.."
colony=$(realpath "${1:?the colony binary}")
environment=target/interop
cache=$(mktemp -d)
sandbox=""
trap '[ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true; rm -rf "$cache"' EXIT
# Neither side may see the other cache, wherever this runs.
export COLONY_SDK_TOKEN_CACHE_DIR=$cache
unset COLONY_API_KEY COLONY_BASE_URL COLONY_SDK_NO_TOKEN_CACHE COLONY_SDK_TOKEN_CACHE_TTL

if ! "$environment/bin/python" -c 'import colony_oidc, colony_sdk, httpx; assert (colony_sdk.__version__, colony_oidc.__version__) == ("1.38.0", "0.7.2")' 2>/dev/null; then
    python3 -m venv --clear "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check 'colony-sdk[async]==1.38.0' 'colony-oidc==0.7.2'
fi

# The environments of the clients: one each, since their requirements disagree. The packages are fixed in
# tests/interop/clients/requirements; uv installs them in a tenth of pip's time.
clients=target/interop-clients
uv=$clients/uv/bin/uv
export UV_CACHE_DIR=$PWD/$clients/cache UV_PYTHON_DOWNLOADS=never
if [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" != 0.13.9 ]; then
    python3 -m venv --clear "$clients/uv"
    "$clients/uv/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
fi
client() {
    local requirements=tests/interop/clients/requirements/$1.txt
    if ! cmp --silent "$requirements" "$clients/$1/requirements.txt"; then
        "$uv" venv --quiet --clear --python python3 "$clients/$1"
        "$uv" pip install --quiet --python "$clients/$1" --no-deps --requirements "$requirements"
        cp "$requirements" "$clients/$1/requirements.txt"
    fi
}

# Starts a sandbox with these options; sets BASE_URL, API_KEY, ISSUER, CLIENT_ID and CLIENT_SECRET.
start() {
    "$colony" sandbox --port 0 --json "$@" >"$cache/sandbox.json" &
    sandbox=$!
    until [ -s "$cache/sandbox.json" ]; do
        kill -0 "$sandbox" || { echo "the sandbox did not start" >&2; exit 1; }
        sleep 0.1
    done
    field() { "$environment/bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$cache/sandbox.json" "$1"; }
    BASE_URL=$(field base_url) API_KEY=$(field api_key)
    ISSUER=$(field issuer) CLIENT_ID=$(field client_id) CLIENT_SECRET=$(field client_secret)
    export BASE_URL API_KEY ISSUER CLIENT_ID CLIENT_SECRET
}

# Ends it as a person would; it must end well.
stop() {
    kill -INT "$sandbox"
    wait "$sandbox" || { echo "the sandbox ended with $?" >&2; exit 1; }
    sandbox=""
    rm "$cache/sandbox.json"
}

echo "a session of the Python package"
start
"$environment/bin/python" tests/interop/python_session.py
echo "python_session: 1 passed, 0 failed"
stop

echo "an app that logs users in"
start
"$environment/bin/python" tests/interop/oidc_session.py
stop

echo "clients without a framework"
client plain
start
"$clients/plain/bin/python" tests/interop/clients/plain.py
echo "plain: 1 passed, 0 failed"
stop

for toolkit in langchain crewai smolagents openai pydantic; do
    echo "every tool of $toolkit"
    client "$toolkit"
    start
    "$clients/$toolkit/bin/python" tests/interop/clients/tools.py "$toolkit"
    echo "tools_$toolkit: 1 passed, 0 failed"
    stop
done

echo "the token cache, shared"
start --auth-limit 100000 --auth-latency 50ms
COLONY=$colony "$environment/bin/python" tests/interop/cache_interop.py
stop

echo "the token cache under fire from both sides, and signatures of webhooks"
cargo build --quiet --package colony-tests --bin under_fire --locked
# Not from the environment of the sandbox above: each row has a server and a directory of its own.
target/debug/under_fire --short --row R4 --row L1 --python "$environment/bin/python"
echo "under_fire: 2 passed, 0 failed"
