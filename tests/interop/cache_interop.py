"""One login shared by the published Python package (colony-sdk 1.38.0) and the `colony` binary.

Takes BASE_URL and API_KEY of a sandbox that allows many logins, and COLONY, the binary, from the
environment. Logins are counted at the server, never in a client. Exits with 0 when every promise held.

    pip install 'colony-sdk[async]==1.38.0'
    colony sandbox --port 0 --json --auth-limit 100000 --auth-latency 50ms
    BASE_URL=... API_KEY=col_... COLONY=target/debug/colony python cache_interop.py [NAME ...]
"""

import asyncio
import collections
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from colony_sdk import AsyncColonyClient, ColonyClient, RetryConfig

BASE_URL = os.environ["BASE_URL"]
API_KEY = os.environ["API_KEY"]
COLONY = os.path.abspath(os.environ["COLONY"])
SITE = BASE_URL.removesuffix("/api/v1")
ALTERNATIONS = 200
# A limit for every process, so that one that hangs is a failure and not a test without an end.
PATIENCE = 120


# ---- the server


def post(path):
    request = urllib.request.Request(f"{SITE}{path}", method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        reply.read()


def stats(route):
    with urllib.request.urlopen(f"{SITE}/_stats", timeout=PATIENCE) as reply:
        return json.load(reply)["routes"].get(route, {"total": 0, "by_status": {}})


class Door:
    """A proxy before the sandbox: notes who logs in, and can hold a request while something happens."""

    def __init__(self):
        door = self
        self.logins = collections.Counter()
        self.rules = []  # (path, which request, what happens before it goes on)
        self.lock = threading.Lock()
        address = urllib.parse.urlsplit(SITE)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                path = urllib.parse.urlsplit(self.path).path
                door.passing(path, self.headers.get("user-agent", ""))
                server = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                server.request(self.command, self.path, body, headers)
                reply = server.getresponse()
                content = reply.read()
                self.send_response(reply.status)
                for name, value in reply.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                server.close()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self.server.server_port}/api/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def passing(self, path, agent):
        act = None
        with self.lock:
            if path.endswith("/auth/token"):
                self.logins["python" if agent.startswith("colony-sdk-python") else "rust"] += 1
            for rule in self.rules:
                if path.endswith(rule["path"]):
                    rule["left"] -= 1
                    if rule["left"] == 0:
                        act = rule["act"]
        if act:
            act()

    def before(self, path, which, act):
        """Lets `act` happen before the `which`-th request of this path goes on."""
        self.rules.append({"path": path, "left": which, "act": act})


class Scene:
    """An empty cache of its own, and a count of the logins from now on."""

    def __init__(self, base_url=BASE_URL):
        self.base_url = base_url
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="colony-interop-"))
        os.environ["COLONY_SDK_TOKEN_CACHE_DIR"] = str(self.directory)
        self.before = stats("POST /auth/token")["total"]

    def logins(self):
        return stats("POST /auth/token")["total"] - self.before

    def expect_logins(self, count):
        assert self.logins() == count, f"{self.logins()} logins, {count} expected"

    def file(self):
        files = [path for path in self.directory.iterdir() if path.suffix == ".json"]
        assert len(files) == 1, files
        return files[0]

    def token(self):
        return json.loads(self.file().read_text())["token"]

    def environment(self):
        return {
            **os.environ,
            "COLONY_BASE_URL": self.base_url,
            "COLONY_API_KEY": API_KEY,
            "NO_PROXY": "127.0.0.1",
        }

    def python(self):
        return ColonyClient(API_KEY, base_url=self.base_url, retry=RetryConfig(max_retries=0))

    def async_python(self):
        return AsyncColonyClient(API_KEY, base_url=self.base_url, retry=RetryConfig(max_retries=0))

    def rust(self, *arguments):
        """Runs the binary; its output when it succeeded."""
        done = subprocess.run(
            [COLONY, *arguments], env=self.environment(), capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, f"colony {' '.join(arguments)}: {done.returncode}: {done.stderr}"
        return done.stdout.strip()


# ---- the promises


def rust_writes_python_reads():
    """A token from `colony auth token` serves both Python clients without a login, file untouched."""
    scene = Scene()
    token = scene.rust("auth", "token")
    scene.expect_logins(1)
    written = scene.file().read_bytes()
    assert stat.S_IMODE(scene.file().stat().st_mode) == 0o600
    python = scene.python()
    python.get_me()
    assert python._token == token

    async def through_asyncio():
        async with scene.async_python() as client:
            await client.get_me()
            assert client._token == token

    asyncio.run(through_asyncio())
    scene.expect_logins(1)
    assert scene.file().read_bytes() == written
    # The very bytes that Python would have written.
    assert written.decode() == json.dumps(json.loads(written))


def python_writes_rust_reads():
    """A token from either Python client serves `colony` without a login, file untouched."""

    async def through_asyncio(scene):
        async with scene.async_python() as client:
            await client.get_me()

    for fill in (lambda scene: scene.python().get_me(), lambda scene: asyncio.run(through_asyncio(scene))):
        scene = Scene()
        fill(scene)
        scene.expect_logins(1)
        written = scene.file().read_bytes()
        assert scene.rust("auth", "token") == scene.token()
        assert json.loads(scene.rust("whoami", "--json"))["username"]
        status = json.loads(scene.rust("auth", "status", "--json"))
        assert status["cache"]["fresh"] and status["cache"]["file"] == str(scene.file()), status
        scene.expect_logins(1)
        assert scene.file().read_bytes() == written


def walk(scene, rows):
    """Walks the prepared posts one a page: many requests of one running process."""
    arguments = json.dumps({"colony": "test-posts", "page_size": 1, "max_results": rows})
    return json.loads(scene.rust("call", "iter_posts", "--args", arguments))


def revoked_while_both_run():
    """A running `colony` takes the token that Python got after a revocation; and then Python rust's."""
    rows = 12
    scene = Scene()
    python = scene.python()
    for number in range(rows):
        python.create_post(f"Row {number}", "A row for paging.", colony="test-posts")

    # Python logs in anew while a Rust process is in the middle of its list.
    door = Door()
    scene = Scene(door.base_url)
    python = scene.python()
    python.get_me()
    old = python._token

    def revoke_and_let_python_log_in():
        post("/_control/revoke")
        python.get_me()

    refused = stats("GET /posts")["by_status"].get("401", 0)
    door.before("/posts", rows // 2, revoke_and_let_python_log_in)
    assert len(walk(scene, rows)) == rows
    assert stats("GET /posts")["by_status"].get("401", 0) == refused + 1, "the revocation missed"
    assert python._token != old and scene.token() == python._token
    assert door.logins == {"python": 2}, door.logins

    # Nobody but the running Rust process notices: it logs in, and Python's next client takes that token.
    door = Door()
    scene = Scene(door.base_url)
    python = scene.python()
    python.get_me()
    old = python._token
    door.before("/posts", rows // 2, lambda: post("/_control/revoke"))
    assert len(walk(scene, rows)) == rows
    assert door.logins == {"python": 1, "rust": 1}, door.logins
    assert scene.token() != old
    newcomer = scene.python()
    newcomer.get_me()
    assert newcomer._token == scene.token()
    assert door.logins == {"python": 1, "rust": 1}, door.logins
    # A Python client that still holds the revoked token logs in by itself; Rust follows it.
    python.get_me()
    scene.rust("whoami")
    assert door.logins == {"python": 2, "rust": 1}, door.logins


PYTHON_WORKER = """
import os, sys
from colony_sdk import ColonyClient, RetryConfig
client = ColonyClient(os.environ["COLONY_API_KEY"], base_url=os.environ["COLONY_BASE_URL"],
                      retry=RetryConfig(max_retries=0))
print("ready", flush=True)
sys.stdin.readline()
client.get_me()
print("ok", flush=True)
"""


def mixed_start():
    """8 Python and 8 Rust processes on an empty cache at one moment: one Rust login at most."""
    for _ in range(5):
        door = Door()
        scene = Scene(door.base_url)
        crew = []
        for number in range(8):
            client = "async" if number % 2 else "blocking"
            crew.append(("rust", [COLONY, "demo-worker", "--client", client]))
            crew.append(("python", [sys.executable, "-c", PYTHON_WORKER]))
        crew = [
            (
                kind,
                subprocess.Popen(
                    command,
                    env=scene.environment(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                ),
            )
            for kind, command in crew
        ]
        try:
            for kind, process in crew:
                assert process.stdout.readline() == "ready\n", (kind, process.stderr.read())
            assert not list(scene.directory.iterdir()), "the cache was not cold"
            for _, process in crew:
                process.stdin.write("go\n")
                process.stdin.flush()
            for kind, process in crew:
                output, errors = process.communicate(timeout=PATIENCE)
                assert (process.returncode, output) == (0, "ok\n"), (kind, process.returncode, errors)
        finally:
            for _, process in crew:
                process.kill()
                process.wait()
        scene.expect_logins(sum(door.logins.values()))
        assert 1 <= door.logins["rust"] + door.logins["python"], door.logins
        assert door.logins["rust"] <= 1 and door.logins["python"] <= 8, door.logins
        for path in scene.directory.iterdir():
            if path.suffix == ".json":
                assert json.loads(path.read_text())["token"]
            known = (".json", ".lock", ".note", ".jsonl")
            assert path.suffix in known, f"left behind: {path}"
        logins = scene.logins()
        assert scene.rust("auth", "token") == scene.token()
        scene.python().get_me()
        scene.expect_logins(logins)


def alternations():
    """Each side in turn gets a new token, and the other side uses it: one login a turn."""
    scene = Scene()
    held = None
    for number in range(ALTERNATIONS):
        if number % 2:
            scene.rust("auth", "refresh")
            python = scene.python()
            python.get_me()
            token = python._token
        else:
            python = scene.python()
            python.refresh_token()
            python.get_me()
            token = scene.rust("auth", "token")
            assert token == python._token, f"turn {number}"
        assert token == scene.token() and token != held, f"turn {number}"
        held = token
        scene.expect_logins(number + 1)


def rust_writes_whole_files():
    """Whoever opened the file before a Rust write reads the old token to its end; nobody reads half."""
    scene = Scene()
    scene.rust("auth", "token")
    file = scene.file()
    stop = threading.Event()
    reads, torn = [0], []

    def read():
        while not stop.is_set():
            with contextlib.suppress(FileNotFoundError):
                text = file.read_bytes()
                reads[0] += 1
                try:
                    assert json.loads(text)["token"]
                except (ValueError, AssertionError, KeyError):
                    torn.append(text)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(25):
            before = scene.token()
            with file.open("rb") as opened:
                scene.rust("auth", "refresh")
                assert json.loads(opened.read())["token"] == before, "written in place"
            assert scene.token() != before
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert not torn, f"{len(torn)} of {reads[0]} reads were torn: {torn[0]!r}"
    assert reads[0] > 1000, f"only {reads[0]} reads: this proves nothing"


def rust_among_writing_pythons():
    """While 6 Python threads write the file all the time, torn now and then, no Rust call fails."""
    scene = Scene()
    stop = threading.Event()
    envelope = json.loads(
        json.dumps({"v": 1, "token": scene.rust("auth", "token"), "expiry": time.time() + 23 * 3600})
    )
    file = scene.file()
    writes, trouble = [0], []

    def write():
        # The package's own writer, without the login before it.
        client = scene.python()
        client._token, client._token_expiry = envelope["token"], envelope["expiry"]
        while not stop.is_set():
            try:
                client._save_cached_token()
            except Exception as error:  # noqa: BLE001: any is a finding
                trouble.append(error)
            writes[0] += 1

    writers = [threading.Thread(target=write) for _ in range(6)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(60):
            assert scene.rust("auth", "token"), "no token"
            assert json.loads(scene.rust("whoami", "--json"))["username"]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert not trouble, trouble[0]
    assert writes[0] > 1000, f"only {writes[0]} writes: this proves nothing"
    assert json.loads(file.read_text())["token"]


PROMISES = [
    rust_writes_python_reads,
    python_writes_rust_reads,
    revoked_while_both_run,
    mixed_start,
    alternations,
    rust_writes_whole_files,
    rust_among_writing_pythons,
]


def main(names):
    chosen = [promise for promise in PROMISES if not names or promise.__name__ in names]
    assert chosen, f"no such promise; there are {[promise.__name__ for promise in PROMISES]}"
    failed = 0
    for promise in chosen:
        post("/_control/reset")
        started = time.monotonic()
        try:
            promise()
            outcome = "ok"
        except Exception as error:  # noqa: BLE001: one failure does not hide the next
            failed += 1
            where = error.__traceback__
            while where.tb_next:
                where = where.tb_next
            outcome = f"FAILED, line {where.tb_lineno}: {type(error).__name__}: {error}"
        print(f"{promise.__name__:<28} {time.monotonic() - started:6.1f} s  {outcome}", flush=True)
    print(f"cache_interop: {len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
