"""Puts `colony mcp` behind HTTP, for the conformance suite, which speaks nothing else. Only for that: it listens on
loopback, and has one server for each session.

    COLONY=… python bridge.py    prints its URL
"""

import json
import os
import queue
import subprocess
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Session:
    def __init__(self):
        self.process = subprocess.Popen(
            [os.environ["COLONY"], "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.lock = threading.Lock()
        self.waiting = {}
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            answer = self.waiting.pop(json.loads(line).get("id"), None)
            if answer is not None:
                answer.put(line)

    def send(self, message):
        answer = queue.Queue()
        is_request = "id" in message and "method" in message
        with self.lock:
            if is_request:
                self.waiting[message["id"]] = answer
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
        return answer.get(timeout=30) if is_request else None


sessions = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(405)

    def do_DELETE(self):
        session = sessions.pop(self.headers.get("Mcp-Session-Id"), None)
        if session:
            session.process.stdin.close()
        self.answer(200)

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = self.headers.get("Mcp-Session-Id")
        if name is None:
            name = uuid.uuid4().hex
            sessions[name] = Session()
        if name not in sessions:
            return self.answer(404)
        said = sessions[name].send(message)
        headers = [("Mcp-Session-Id", name)]
        if said is None:
            return self.answer(202, headers=headers)
        self.answer(200, said.encode(), [("Content-Type", "application/json"), *headers])


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port}/mcp", flush=True)
server.serve_forever()
