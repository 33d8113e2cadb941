"""Every tool of one published agent toolkit, once, with plausible arguments, against the sandbox.

    BASE_URL=http://127.0.0.1:PORT/api/v1 API_KEY=col_... python tools.py langchain|crewai|smolagents|openai|pydantic

A tool passes if it made a request, if every request was answered with a success, and if its result reports no
error. A failure that cannot be otherwise is listed in EXPLAINED with its reason; any other one ends with exit 1.
"""

import asyncio
import json
import logging
import os
import sys
import tempfile
import urllib.request
import uuid

os.environ["COLONY_SDK_TOKEN_CACHE_DIR"] = tempfile.mkdtemp(prefix="colony-interop-")
os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")
os.environ.setdefault("OTEL_SDK_DISABLED", "true")

from colony_sdk import ColonyClient  # noqa: E402

logging.disable(logging.CRITICAL)

BASE_URL = os.environ["BASE_URL"]
API_KEY = os.environ["API_KEY"]
SITE = BASE_URL.removesuffix("/api/v1")

# (toolkit, tool): why it cannot succeed.
EXPLAINED = {}


def failures():
    """How often the sandbox was asked, and how often it answered with an error, so far."""
    with urllib.request.urlopen(f"{SITE}/_stats") as reply:
        routes = json.load(reply)["routes"]
    wrong = {
        (route, status): count
        for route, counts in routes.items()
        for status, count in counts["by_status"].items()
        if int(status) >= 400
    }
    return sum(counts["total"] for counts in routes.values()), wrong


# ── How each toolkit is asked for its tools, and how a tool is called ──────────────────────────────────────


def langchain():
    from langchain_colony import ColonyToolkit

    toolkit = ColonyToolkit(api_key=API_KEY, base_url=BASE_URL)
    for tool in toolkit.get_tools():
        yield tool.name, tool.args, lambda arguments, tool=tool: tool.invoke(arguments)


def crewai():
    from crewai_colony import ColonyToolkit

    toolkit = ColonyToolkit(api_key=API_KEY, base_url=BASE_URL)
    for tool in toolkit.get_tools():
        schema = tool.args_schema.model_json_schema()
        yield tool.name, schema.get("properties", {}), lambda arguments, tool=tool: tool.run(**arguments)


def smolagents():
    from smolagents_colony import colony_tools

    for tool in colony_tools(ColonyClient(API_KEY, base_url=BASE_URL)):
        yield tool.name, tool.inputs, lambda arguments, tool=tool: tool(**arguments)


def openai():
    from agents import RunContextWrapper
    from agents.tool_context import ToolContext
    from openai_agents_colony import colony_tools

    def call(tool, arguments):
        text = json.dumps(arguments)
        context = ToolContext(
            context=None, tool_name=tool.name, tool_call_id=uuid.uuid4().hex, tool_arguments=text
        )
        assert isinstance(context, RunContextWrapper)
        return asyncio.run(tool.on_invoke_tool(context, text))

    for tool in colony_tools(ColonyClient(API_KEY, base_url=BASE_URL)):
        yield tool.name, tool.params_json_schema.get("properties", {}), lambda arguments, tool=tool: call(tool, arguments)


def pydantic():
    from pydantic_ai_colony import ColonyToolset

    for name, tool in ColonyToolset(ColonyClient(API_KEY, base_url=BASE_URL)).tools.items():

        def call(arguments, tool=tool):
            return asyncio.run(tool.function_schema.call(arguments, None))

        yield name, tool.function_schema.json_schema.get("properties", {}), call


TOOLKITS = {
    "langchain": langchain,
    "crewai": crewai,
    "smolagents": smolagents,
    "openai": openai,
    "pydantic": pydantic,
}


# ── What the tools are called with ─────────────────────────────────────────────────────────────────────────


def world():
    """Things of another account to read, vote on and answer; and two own posts, to change and to delete."""
    name = f"peer-{uuid.uuid4().hex[:8]}"
    begun = ColonyClient.register_begin(name, "Peer", "Another agent", base_url=BASE_URL)
    key = begun["api_key"]
    ColonyClient.register_confirm(begun["claim_token"], key[-6:], base_url=BASE_URL)
    me, peer = ColonyClient(API_KEY, base_url=BASE_URL), ColonyClient(key, base_url=BASE_URL)
    post = peer.create_post("A post to read", "About retries and jitter.", colony="general")
    options = [{"id": "opt_a", "text": "Yes"}, {"id": "opt_b", "text": "No"}]
    poll = peer.create_post(
        "A poll", "Choose.", colony="general", post_type="poll", metadata={"poll_options": options}
    )
    comment = peer.create_comment(post["id"], "A comment to answer")
    peer.send_message(me.get_me()["username"], "Hello")
    hook = me.create_webhook("http://127.0.0.1:9/hook", ["mention"], "a-secret-of-length")
    own = {what: me.create_post(f"A post to {what}", "Mine.", colony="general") for what in ("update", "delete")}
    peer_id = peer.get_me()["id"]
    return {
        "query": "retries",
        "colony": "general",
        "colony_name": "general",
        "limit": 5,
        "max_results": 5,
        "max_comments": 5,
        "page": 1,
        "sort": "newest",
        "user_type": "agent",
        "post_type": "discussion",
        "unread_only": False,
        "post_id": post["id"],
        "post_ids": [post["id"], poll["id"]],
        "parent_id": comment["id"],
        "comment_id": comment["id"],
        "user_id": peer_id,
        "user_ids": [peer_id],
        "username": name,
        "title": "A title of the tools",
        "body": "A body of the tools.",
        "value": 1,
        "emoji": "rocket",
        "option_id": "opt_a",
        "option_ids": ["opt_a"],
        "display_name": "Sandbox agent",
        "bio": "Called by a tool",
        "url": "http://127.0.0.1:9/other",
        "events": ["mention"],
        "secret": "a-secret-of-length",
        "webhook_id": hook["id"],
        # By the tool's name without its prefix.
        "@update_post": {"post_id": own["update"]["id"]},
        "@delete_post": {"post_id": own["delete"]["id"]},
        "@get_poll": {"post_id": poll["id"]},
        "@vote_poll": {"post_id": poll["id"]},
        "@join_colony": {"colony": "art"},
        "@leave_colony": {"colony": "art"},
    }


def fitting(value, schema):
    """The value, or the first of the words that a parameter takes if it is none of them."""
    words = [word for part in [schema, *schema.get("anyOf", [])] for word in part.get("enum", [])]
    return words[0] if words and value not in words else value


def reports_error(result):
    if not isinstance(result, str):
        result = json.dumps(result, default=str)
    text = result.lower()
    return text.startswith(("error", "failed")) or '"error"' in text or "'error'" in text


def main(toolkit):
    values = world()
    if toolkit == "crewai":
        values["events"] = "mention"
    run = passed = 0
    wrong = []
    for name, parameters, call in TOOLKITS[toolkit]():
        special = values.get("@" + name.removeprefix("colony_"), {})
        arguments = {key: fitting(special.get(key, values[key]), schema) for key, schema in parameters.items()}
        asked, before = failures()
        try:
            result = call(arguments)
            problem = f"it says {str(result)[:200]!r}" if reports_error(result) else None
        except Exception as error:  # noqa: BLE001: whatever a toolkit raises is a failed tool
            problem = f"{type(error).__name__}: {str(error)[:300]}"
        now, after = failures()
        answers = [f"{route} {status}" for (route, status), count in after.items() if count > before.get((route, status), 0)]
        if answers:
            problem = f"{problem or 'a refusal'} ({', '.join(answers)})"
        elif now == asked and problem is None:
            problem = f"it asked nothing and says {str(result)[:300]!r}"
        run += 1
        if problem is None:
            passed += 1
        else:
            reason = EXPLAINED.get((toolkit, name))
            wrong.append((name, problem, reason))
    unexplained = [row for row in wrong if row[2] is None]
    for name, problem, reason in wrong:
        print(f"  {name}: {problem}" + (f". Explained: {reason}" if reason else ""))
    print(f"{toolkit}: {run} tools run, {passed} passed, {len(wrong) - len(unexplained)} explained, {len(unexplained)} failed")
    return 1 if unexplained or run == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
