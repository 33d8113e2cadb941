#!/usr/bin/env python3
"""M15: what `colony mcp` costs. Prints figures and judges nothing: machines differ.

    cargo build --release -p colony-cli --no-default-features && cp target/release/colony /tmp/without
    cargo build --release -p colony-cli
    python3 tests/mcp/light.py target/release/colony /tmp/without
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

STARTS = 100


def request(number, method, params):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


def start(program, home):
    """Starts a server, and gives the milliseconds to its first answer and its memory after a list of tools, in KiB."""
    begun = time.perf_counter()
    server = subprocess.Popen(
        [program, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"HOME": home}, bufsize=0
    )
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "light", "version": "1"}}
    server.stdin.write(request(1, "initialize", client))
    assert "serverInfo" in json.loads(server.stdout.readline())["result"]
    took = (time.perf_counter() - begun) * 1000
    server.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n' + request(2, "tools/list", {}))
    answer = b""
    while not answer.endswith(b"\n"):
        answer += server.stdout.read(65536)
    assert json.loads(answer)["result"]["tools"]
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    server.stdin.close()
    assert server.wait(10) == 0
    return took, memory


def main():
    program, *without = sys.argv[1:]
    with tempfile.TemporaryDirectory() as home:
        starts = [start(program, home) for _ in range(STARTS)]
    times = sorted(took for took, _ in starts)
    print(f"M15: first answer after {times[STARTS // 2]:.1f} ms, 99 of 100 within {times[STARTS - 2]:.1f} ms;", end=" ")
    print(f"{max(memory for _, memory in starts) / 1024:.1f} MiB after a list of tools", end="")
    if without:
        size, before = (pathlib.Path(path).stat().st_size / 1e6 for path in (program, *without))
        print(f"; binary {size:.2f} MB, without `mcp` {before:.2f} MB", end="")
    print()


if __name__ == "__main__":
    main()
