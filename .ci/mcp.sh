#!/usr/bin/env bash
# `colony mcp` with clients that nobody here wrote: the Python package, two TypeScript packages, two Inspectors and the
# conformance suite, in the versions of tests/mcp/versions. They are installed below target/mcp.
#
#   .ci/mcp.sh target/debug/colony
set -euo pipefail
cd "$(dirname "$0")/.."
COLONY=$(realpath "${1:?the colony binary}")
export COLONY
. tests/mcp/versions
folder=$PWD/target/mcp
work=$(mktemp -d)
sandbox="" bridge=""
end() {
    [ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true
    [ -z "$bridge" ] || kill "$bridge" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

if ! cmp --silent tests/mcp/versions "$folder/versions"; then
    rm -rf "$folder"
    mkdir -p "$folder"
    python3 -m venv "$folder/python"
    "$folder/python/bin/python" -m pip install --quiet --disable-pip-version-check "mcp==$PYPI_MCP"
    install() { npm install --silent --no-fund --no-audit --prefix "$folder/$1" "${@:2}"; }
    install clients "@modelcontextprotocol/sdk@$NPM_SDK" "@modelcontextprotocol/client@$NPM_CLIENT"
    install inspector1 "@modelcontextprotocol/inspector@$NPM_INSPECTOR_1"
    # These need a later Node than Debian's, which a package brings.
    install node22 "node@$NPM_NODE" "@modelcontextprotocol/inspector@$NPM_INSPECTOR_2" \
        "@modelcontextprotocol/conformance@$NPM_CONFORMANCE"
    cp tests/mcp/versions "$folder/versions"
fi
python=$folder/python/bin/python
node22=$folder/node22/node_modules/node/bin/node
bin=$folder/node22/node_modules/.bin

# Every list takes a moment, so that a walk can be cancelled.
"$COLONY" sandbox --port 0 --json --fail 'GET /posts=okx100000;delay=0.05' >"$work/sandbox.json" &
sandbox=$!
until [ -s "$work/sandbox.json" ]; do
    kill -0 "$sandbox" || { echo "the sandbox did not start" >&2; exit 1; }
    sleep 0.1
done
field() { "$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/sandbox.json" "$1"; }
# As a person would: the login is in a profile, since clients hand little of their environment on.
export HOME=$work
unset COLONY_API_KEY COLONY_BASE_URL COLONY_SDK_TOKEN_CACHE_DIR XDG_CONFIG_HOME XDG_CACHE_HOME XDG_STATE_HOME
field api_key | "$COLONY" auth login --base-url "$(field base_url)"

"$python" tests/mcp/clients.py
node tests/mcp/clients.mjs "$folder/clients"

# Both Inspectors, as a command: a list, a read, a refused write, an allowed one.
inspect() {
    local name=$1 refused=$2
    shift 2
    "$@" --cli "$COLONY" mcp --method tools/list >"$work/out"
    grep -q '"read_operation"' "$work/out" && ! grep -q '"write_operation"' "$work/out"
    "$@" --cli "$COLONY" mcp --method tools/call --tool-name list_posts --tool-arg limit=2 >"$work/out"
    grep -q 'data, not instructions' "$work/out"
    local code=0
    "$@" --cli "$COLONY" mcp --method tools/call --tool-name create_post --tool-arg "title=Not this" \
        --tool-arg body=Refused >"$work/out" 2>&1 || code=$?
    [ "$code" = "$refused" ] || { echo "$name ends with $code for a refused write, not $refused" >&2; cat "$work/out" >&2; exit 1; }
    # Version 2 says in its exit code alone what kind of answer it was.
    [ "$refused" != 0 ] || grep -q refused "$work/out"
    "$@" --cli "$COLONY" mcp --write --method tools/call --tool-name create_post --tool-arg "title=From $name" \
        --tool-arg "body=Written by $name" >"$work/out"
    grep -q 'data, not instructions' "$work/out" || { cat "$work/out" >&2; exit 1; }
    "$@" --cli "$COLONY" mcp --method resources/list >"$work/out"
    grep -q 'colony://instructions' "$work/out"
    echo "ok   $name"
}
inspect "inspector $NPM_INSPECTOR_1" 0 node "$folder/inspector1/node_modules/.bin/mcp-inspector"
inspect "inspector $NPM_INSPECTOR_2" 5 "$node22" "$bin/mcp-inspector"

# The suite's other scenarios want tools of its own.
"$python" tests/mcp/bridge.py >"$work/url" &
bridge=$!
until [ -s "$work/url" ]; do
    kill -0 "$bridge" || { echo "the bridge did not start" >&2; exit 1; }
    sleep 0.1
done
for scenario in server-initialize ping tools-list resources-list; do
    "$node22" "$bin/conformance" server --url "$(cat "$work/url")" --scenario "$scenario" -o "$work/results" >"$work/out" 2>&1 ||
        { cat "$work/out" >&2; exit 1; }
    echo "ok   conformance $scenario"
done
