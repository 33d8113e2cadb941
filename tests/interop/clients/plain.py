"""The published clients without a framework, against the sandbox: colony-memory, colony-chat and the agent template.

    BASE_URL=http://127.0.0.1:PORT/api/v1 API_KEY=col_... python plain.py

Every public method of colony-chat is called once. A failure that cannot be otherwise is listed in EXPLAINED.
"""

import hashlib
import hmac
import http.server
import json
import logging
import os
import sys
import tempfile
import threading
import urllib.request
import uuid
from pathlib import Path

os.environ["COLONY_SDK_TOKEN_CACHE_DIR"] = tempfile.mkdtemp(prefix="colony-interop-")

from colony_sdk import ColonyClient  # noqa: E402

logging.disable(logging.CRITICAL)

BASE_URL = os.environ["BASE_URL"]
API_KEY = os.environ["API_KEY"]
SITE = BASE_URL.removesuffix("/api/v1")

# Step: why it cannot succeed.
EXPLAINED = {
    "chat.register": "it calls ColonyClient.register, which colony-sdk 1.38.0 does not have any more",
    "chat.report_user": "colony-sdk 1.38.0 raises NotImplementedError: the service has no such report",
    "chat.report_message": "colony-sdk 1.38.0 raises NotImplementedError: the service has no such report",
}


def control(what, **fields):
    request = urllib.request.Request(f"{SITE}/_control/{what}", json.dumps(fields).encode(), method="POST")
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def register(prefix):
    name = f"{prefix}-{uuid.uuid4().hex[:8]}"
    begun = ColonyClient.register_begin(name, prefix.title(), "Another agent", base_url=BASE_URL)
    ColonyClient.register_confirm(begun["claim_token"], begun["api_key"][-6:], base_url=BASE_URL)
    return name, begun["api_key"]


class Steps:
    """Runs steps, each of which is a call that must not fail; keeps count."""

    def __init__(self, name):
        self.name, self.run, self.wrong = name, 0, []

    def __call__(self, step, call, *arguments, check=None, **named):
        self.run += 1
        try:
            result = call(*arguments, **named)
            if check is not None and not check(result):
                raise AssertionError(f"it gave {str(result)[:200]}")
            return result
        except Exception as error:  # noqa: BLE001: whatever a client raises is a failed step
            self.wrong.append((step, f"{type(error).__name__}: {str(error)[:200]}"))
            return None

    def report(self):
        unexplained = [step for step, _ in self.wrong if step not in EXPLAINED]
        for step, problem in self.wrong:
            reason = EXPLAINED.get(step)
            print(f"  {step}: {problem}" + (f". Explained: {reason}" if reason else ""))
        passed, explained = self.run - len(self.wrong), len(self.wrong) - len(unexplained)
        print(f"{self.name}: {self.run} steps run, {passed} passed, {explained} explained, {len(unexplained)} failed")
        return not unexplained and self.run > 0


def memory():
    from colony_memory import ColonyMemory

    step = Steps("colony-memory")
    store = ColonyMemory(API_KEY, base_url=BASE_URL)
    documents = {"MEMORY.md": "What I know. " * 200, "plans/today.md": "Test.\n"}
    step("memory.status", store.status)
    first = step("memory.backup", store.backup, documents)
    step("memory.restore", store.restore, check=lambda found: found == documents)
    changed = {**documents, "MEMORY.md": "What I know now."}
    step("memory.backup again", store.backup, changed)
    step("memory.restore the latest", store.restore, check=lambda found: found == changed)
    step("memory.restore the first", store.restore, snapshot_id=first.snapshot_id, check=lambda found: found == documents)
    step("memory.list_snapshots", store.list_snapshots, check=lambda rows: len(rows) == 2)
    step("memory.latest", store.latest, check=lambda info: info.snapshot_id != first.snapshot_id)
    step("memory.prune", store.prune, label="default", keep=1, check=lambda count: count == 1)
    return step.report()


def chat():
    from colony_chat import ColonyChat

    step = Steps("colony-chat")
    name, key = register("chat")
    me, peer = ColonyChat(API_KEY, base_url=BASE_URL), ColonyChat(key, base_url=BASE_URL)
    mine = step("chat.me", me.me)["username"]
    peer_id = peer.me()["id"]
    step("chat.register", ColonyChat.register, handle=f"new-{uuid.uuid4().hex[:8]}", display_name="New", base_url=BASE_URL)
    step("chat.update_profile", me.update_profile, bio="Chats")
    sent = step("chat.send", me.send, name, "Hello", idempotency_key=uuid.uuid4().hex)
    step("chat.inbox", peer.inbox, check=lambda rows: [row["id"] for row in rows] == [sent["id"]])
    step("chat.unread", peer.unread, check=lambda rows: rows and "sent you a message" in rows[0]["message"])
    answer = peer.send(mine, "Hello yourself")
    step("chat.thread", me.thread, name, check=lambda thread: len(thread["messages"]) == 2)
    step("chat.tail", me.tail, name, since_id=sent["id"], check=lambda rows: rows[0]["id"] == answer["id"])
    step("chat.history", me.history, name, before=answer["id"], check=lambda rows: rows[0]["id"] == sent["id"])
    step("chat.contacts", me.contacts, check=lambda rows: any(row["other_user"]["username"] == name for row in rows))
    step("chat.cold_dm_budget", me.cold_dm_budget, check=lambda budget: budget["daily"]["cap"] > 0)
    step("chat.cold_dm_local_budget", me.cold_dm_local_budget)
    step("chat.cold_dm_peers", me.cold_dm_peers, check=lambda page: any(row["handle"] == name for row in page["items"]))
    step("chat.set_inbox_mode", me.set_inbox_mode, "quiet", quiet_min_karma=3)
    step("chat.react", me.react, answer["id"], "fire")
    step("chat.unreact", me.unreact, answer["id"], "fire")
    step("chat.edit", me.edit, sent["id"], "Hello again")
    step("chat.star", me.star, answer["id"], check=lambda state: state["saved"] is True)
    third, _ = register("third")
    step("chat.forward", me.forward, answer["id"], third)
    step("chat.delete", me.delete, sent["id"])
    step("chat.mute", me.mute, name, check=lambda state: state["muted"] is True)
    step("chat.unmute", me.unmute, name, check=lambda state: state["muted"] is False)
    step("chat.mark_spam", me.mark_spam, name, check=lambda state: state["idempotency_replayed"] is False)
    step("chat.mark_spam again", me.mark_spam, name, check=lambda state: state["idempotency_replayed"] is True)
    step("chat.unmark_spam", me.unmark_spam, name)
    step("chat.block", me.block, name)
    step("chat.list_blocked", me.list_blocked, check=lambda rows: rows[0]["id"] == peer_id)
    step("chat.unblock", me.unblock, name)
    step("chat.report_user", me.report_user, name, "spam")
    step("chat.report_message", me.report_message, answer["id"], "spam")
    step("chat.presence", me.presence, [peer_id], check=lambda rows: rows[peer_id]["online"] is True)
    step("chat.set_status", me.set_status, presence_status="away", custom_status_text="Testing")
    step("chat.status", me.status, check=lambda status: status["presence_status"] == "away")

    owner_name, owner_key = register("owner")
    control("user", username=owner_name, user_type="human")
    owner = ColonyClient(owner_key, base_url=BASE_URL)
    claims = [owner._raw_request("POST", "/claims", body={"agent_username": mine}) for _ in "ab"]
    step("chat.pending_claims", me.pending_claims, check=lambda rows: len(rows) == 2)
    step("chat.get_claim", me.get_claim, claims[0]["id"])
    step("chat.reject_claim", me.reject_claim, claims[0]["id"])
    step("chat.accept_claim", me.accept_claim, claims[1]["id"])
    step("chat.list_claims", me.list_claims, check=lambda rows: [row["status"] for row in rows] == ["confirmed"])

    group = step("chat.create_group", me.create_group, title="Team", members=[name])
    step("chat.send_group", me.send_group, group["id"], "Hello all")

    with Receiver() as receiver:
        secret = "a-secret-of-length"
        hook = step("chat.subscribe_webhook", me.subscribe_webhook, url=receiver.url, secret=secret)
        step("chat.list_webhooks", me.list_webhooks, check=lambda rows: any(row["id"] == hook["id"] for row in rows))
        step("chat.update_webhook", me.update_webhook, hook["id"], events=["direct_message", "mention"])
        peer.send(mine, "Ring")
        body, headers = receiver.wait()
        signature = headers["X-Colony-Signature"]
        step("chat.verify_signature", me.verify_signature, body, signature, secret, check=bool)
        at, digest = (part.split("=")[1] for part in headers["X-Colony-Signature-256"].split(","))
        signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        step("chat: the signature over the time as well", lambda: signed, check=lambda expected: expected == digest)
        step("chat.unsubscribe_webhook", me.unsubscribe_webhook, hook["id"])
    return step.report()


class Receiver:
    """A web server that keeps what it is sent."""

    def __init__(self, reply=b"ok"):
        self.arrived, self.requests = threading.Event(), []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                receiver.requests.append((body, self.headers))
                receiver.arrived.set()
                self.send_response(200)
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def wait(self):
        assert self.arrived.wait(10), "nothing arrived"
        return self.requests[0]


def agent():
    """One heartbeat of the agent template: it introduces itself and answers a direct message."""
    from colony_agent.agent import ColonyAgent
    from colony_agent.config import AgentConfig

    step = Steps("colony-agent-template")
    name, key = register("template")
    other = ColonyClient(API_KEY, base_url=BASE_URL)
    other.send_message(name, "What are you working on?")
    answer = "I am testing a local Colony."
    completion = json.dumps({"choices": [{"message": {"content": answer}}]}).encode()
    with Receiver(completion) as model, tempfile.TemporaryDirectory() as folder:
        config = AgentConfig(api_key=key, state_file=str(Path(folder, "state.json")), memory_file=str(Path(folder, "memory.json")))
        config.llm.base_url = model.url
        running = ColonyAgent(config)
        # The only thing changed: the template has no setting for the address.
        running.client = ColonyClient(key, base_url=BASE_URL)
        step("agent.run_once", running.run_once)
        thread = step("agent: the conversation", other.get_conversation, name)
        step("agent: it answered", lambda: thread["messages"][-1], check=lambda last: last["body"] == answer and last["sender"]["username"] == name)
        posts = other.get_posts(author=name)
        step("agent: it introduced itself", lambda: posts, check=lambda page: page["total"] == 1)
        step("agent: it does not answer twice", running._check_dms)
        step("agent: one answer", other.get_conversation, name, check=lambda thread: len(thread["messages"]) == 2)
    return step.report()


if __name__ == "__main__":
    sys.exit(0 if all([memory(), chat(), agent()]) else 1)
