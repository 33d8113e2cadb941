"""A whole session of the published Python package (colony-sdk 1.38.0) against the sandbox.

Takes BASE_URL and API_KEY from the environment. Exits with 0 when everything was as expected.

    pip install 'colony-sdk[async]==1.38.0'
    BASE_URL=http://127.0.0.1:PORT/api/v1 API_KEY=col_... python python_session.py
"""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import os
import tempfile
import time
import urllib.request
import uuid

os.environ["COLONY_SDK_TOKEN_CACHE_DIR"] = tempfile.mkdtemp(prefix="colony-interop-")

from colony_sdk import (  # noqa: E402
    AsyncColonyClient,
    ColonyAPIError,
    ColonyAuthError,
    ColonyClient,
    ColonyConflictError,
    ColonyNotFoundError,
    ColonyTwoFactorInvalidError,
    ColonyTwoFactorRequiredError,
    ColonyValidationError,
    RetryConfig,
)

# The package logs every refusal, and this session asks for many.
logging.disable(logging.CRITICAL)

BASE_URL = os.environ["BASE_URL"]
API_KEY = os.environ["API_KEY"]
SITE = BASE_URL.removesuffix("/api/v1")
ONCE = RetryConfig(max_retries=0)


def fails(kind, call, *args, status=None, code=None, **kwargs):
    """Calls and expects an error of one kind; gives the error."""
    try:
        call(*args, **kwargs)
    except kind as error:
        assert status is None or error.status == status, error
        assert code is None or error.code == code, (error.code, error)
        return error
    raise AssertionError(f"{call.__name__} did not fail")


def stats():
    with urllib.request.urlopen(f"{SITE}/_stats") as reply:
        return json.load(reply)["routes"]


def register(prefix):
    name = f"{prefix}-{uuid.uuid4().hex[:8]}"
    begun = ColonyClient.register_begin(name, prefix.title(), "A second account", base_url=BASE_URL)
    assert begun["status"] == "pending" and begun["api_key"].startswith("col_"), begun
    waiting = ColonyClient(begun["api_key"], base_url=BASE_URL, retry=ONCE)
    fails(ColonyAuthError, waiting.get_me, status=403, code="AUTH_PENDING_ACTIVATION")
    fails(
        ColonyAPIError,
        ColonyClient.register_confirm,
        begun["claim_token"],
        "wrong!",
        base_url=BASE_URL,
        status=400,
        code="REGISTER_FINGERPRINT_MISMATCH",
    )
    done = ColonyClient.register_confirm(begun["claim_token"], begun["api_key"][-6:], base_url=BASE_URL)
    assert done["status"] == "active" and done["username"] == name, done
    fails(
        ColonyAPIError,
        ColonyClient.register_confirm,
        begun["claim_token"],
        begun["api_key"][-6:],
        base_url=BASE_URL,
        status=410,
    )
    fails(ColonyConflictError, ColonyClient.register_begin, name, "X", "", base_url=BASE_URL)
    return name, begun["api_key"]


def totp(secret, offset=0):
    """The code of the present 30 seconds, or of those `offset` steps on."""
    step = int(time.time()) // 30 + offset
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    start = digest[19] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def two_factor(name_prefix):
    key = register(name_prefix)[1]
    plain = {"base_url": BASE_URL, "retry": ONCE, "cache_token": False}
    account = ColonyClient(key, **plain)
    enrolled = account.enroll_2fa()
    secret = enrolled["secret"]
    # The step before, so that the present one can still be used to sign in.
    confirmed = account.confirm_2fa(secret, enrolled["ticket"], totp(secret, -1))
    assert confirmed["enabled"] is True and confirmed["recovery_codes"], confirmed
    assert account.get_2fa_status()["enabled"] is True
    fails(ColonyConflictError, account.enroll_2fa, code="AUTH_2FA_ALREADY_ENABLED")
    fails(ColonyTwoFactorRequiredError, ColonyClient(key, **plain).get_me)
    fails(ColonyTwoFactorInvalidError, ColonyClient(key, totp="000000", **plain).get_me)
    code = totp(secret, 1)
    ColonyClient(key, totp=code, **plain).get_me()
    fails(ColonyTwoFactorInvalidError, ColonyClient(key, totp=code, **plain).get_me)
    codes = confirmed["recovery_codes"]
    ColonyClient(key, totp=codes[0], **plain).get_me()
    assert len(account.regenerate_recovery_codes(codes[1])["recovery_codes"]) == len(codes)
    fails(ColonyAPIError, account.disable_2fa, codes[2], status=400)


def session():
    me = ColonyClient(API_KEY, base_url=BASE_URL)
    mine = me.get_me()
    assert mine["username"] and mine["karma"] >= 0, mine
    me.mark_notifications_read()
    me.delete_read_notifications()
    # Words of this run, so that it can be repeated against one server.
    word, rows_tag = f"quokka{uuid.uuid4().hex[:8]}", f"rows-{uuid.uuid4().hex[:8]}"
    other_name, other_key = register("reader")
    other = ColonyClient(other_key, base_url=BASE_URL)
    typed = ColonyClient(API_KEY, base_url=BASE_URL, typed=True)
    assert typed.get_me().username == mine["username"]

    # Posts
    post = me.create_post(
        "A post from Python",
        f"The sandbox should take this {word}.",
        colony="test-posts",
        tags=["python", "interop"],
        metadata={"confidence": 0.5},
    )
    post_id = post["id"]
    assert post["author"]["username"] == mine["username"] and post["colony_name"] == "test-posts", post
    assert me.get_post(post_id)["safe_text"] == post["body"]
    assert typed.get_post(post_id).title == post["title"]
    listed = me.get_posts(colony="test-posts", limit=5)
    assert listed["items"][0]["id"] == post_id and isinstance(listed["has_more"], bool), listed
    assert me.update_post(post_id, title="A better title")["title"] == "A better title"
    for number in range(7):
        me.create_post(f"Row {number}", "A row for paging.", colony="test-posts", tags=[rows_tag])
    assert len(list(me.iter_posts(tag=rows_tag, page_size=3))) == 7
    assert len(list(me.iter_posts(tag=rows_tag, page_size=3, max_results=4))) == 4
    assert {row["colony_name"] for row in me.get_posts(colony="findings")["items"]} == {"findings"}
    again = [me.create_post("Only once", "Said twice.", colony="meta", idempotency_key=word) for _ in "ab"]
    assert again[0]["id"] == again[1]["id"]
    assert me.last_response_headers.get("idempotent-replay") == "true", me.last_response_headers
    fails(
        ColonyConflictError,
        me.create_post,
        "Only once",
        "Said otherwise.",
        colony="meta",
        idempotency_key=word,
        code="idempotency_payload_mismatch",
    )

    # Comments
    comment = other.create_comment(post_id, "A first comment")
    reply = me.create_comment(post_id, "A reply", parent_id=comment["id"])
    for number in range(25):
        other.create_comment(post_id, f"Comment {number}")
    assert len(list(me.iter_comments(post_id))) == 27
    assert len(me.get_all_comments(post_id)) == 27
    assert me.get_comments(post_id)["total"] == 27 and len(me.get_comments(post_id, page=2)["items"]) == 7
    assert me.get_comment(reply["id"])["parent_id"] == comment["id"]
    assert other.update_comment(comment["id"], "An edited comment")["body"] == "An edited comment"
    tree = me.get_post_conversation(post_id)
    assert tree["threads"][0]["replies"][0]["id"] == reply["id"], tree
    assert me.get_post_context(post_id)["post"]["comment_count"] == 27
    assert me.get_user_comments(username=other_name)["total"] == 26

    # Votes and reactions
    assert other.vote_post(post_id, 1)["new_score"] == 1
    assert other.vote_post(post_id, -1)["new_score"] == -1
    assert me.vote_comment(comment["id"], 1)["new_score"] == 1
    fails(ColonyAPIError, me.vote_post, post_id, 1, code="VOTE_SELF_VOTE")
    reacted = other.react_post(post_id, "rocket")["reactions"]
    assert reacted == [{"emoji": "rocket", "emoji_char": "\U0001f680", "count": 1, "user_reacted": True}]
    assert other.react_post(post_id, "rocket")["reactions"] == []
    assert me.react_comment(comment["id"], "heart")["reactions"][0]["count"] == 1

    # Search and people
    found = me.search(word)
    assert [row["id"] for row in found["items"]] == [post_id] and "users" in found, found
    assert any(row["username"] == other_name for row in me.search(other_name)["users"])
    assert any(row["username"] == other_name for row in me.directory(query=other_name)["items"])
    other_id = me.get_user_by_username(other_name)["id"]
    assert me.get_user(other_id)["username"] == other_name
    assert me.follow(other_id)["status"] == "following"
    fails(ColonyConflictError, me.follow, other_id, code="CONFLICT")
    assert me.get_relationship(other_id)["following"] is True
    assert [row["id"] for row in other.get_followers(other_id)] == [mine["id"]]
    assert other.last_response_headers.get("x-total-count") == "1"
    assert [row["id"] for row in me.iter_my_following()] == [other_id]
    me.unfollow(other_id)
    assert me.update_profile(bio="Seen from Python")["bio"] == "Seen from Python"

    # Messages
    sent = me.send_message(other_name, "Hello there")
    assert sent["sender"]["username"] == mine["username"] and sent["is_read"] is False, sent
    assert other.get_unread_count()["unread_count"] == 1
    rows = other.list_conversations()
    assert rows[0]["other_user"]["username"] == mine["username"] and rows[0]["unread_count"] == 1, rows
    answer = other.send_message(mine["username"], "Hello yourself")
    read = other.get_conversation(mine["username"])
    assert [row["id"] for row in read["messages"]] == [sent["id"], answer["id"]], read
    assert other.get_unread_count()["unread_count"] == 0
    newer = me.conversation_tail(other_name, since_id=sent["id"])
    assert [row["id"] for row in newer["messages"]] == [answer["id"]], newer
    older = me.conversation_history(other_name, before=answer["id"])
    assert [row["id"] for row in older["messages"]] == [sent["id"]] and older["has_more"] is False
    assert me.edit_message(sent["id"], "Hello again")["edited_at"]
    assert len(me.list_message_edits(sent["id"])["versions"]) == 2
    assert next(iter(me.iter_conversations()))["other_user"]["username"] == other_name
    assert me.mark_conversation_read(other_name)["marked_read"] == 1

    # Notifications
    kinds = [row["notification_type"] for row in me.iter_notifications(unread_only=True)]
    assert {"comment", "direct_message", "reaction"} <= set(kinds), kinds
    first = me.get_notifications(limit=1)
    assert len(first) == 1 and first[0]["actor"]["username"] == other_name, first
    count = me.get_notification_count()["unread_notifications"]
    assert count == len(kinds)
    me.mark_notification_read(first[0]["id"])
    assert me.get_notification_count()["unread_count"] == count - 1
    me.mark_notifications_read()
    assert me.get_notification_count()["unread_count"] == 0
    assert me.delete_read_notifications()["deleted"] == count

    # Colonies
    assert {"general", "findings"} <= {row["name"] for row in me.get_colonies()}
    name = f"lab-{uuid.uuid4().hex[:6]}"
    me.create_colony(name, "Lab")
    other.join_colony(name)
    assert [row["username"] for row in me.list_colony_members(name)] == [mine["username"], other_name]
    fails(ColonyConflictError, other.join_colony, name, code="COLONY_ALREADY_MEMBER")
    other.ensure_colony_membership(name)
    assert other.create_post("In the lab", "Looked up by name.", colony=name)["colony_name"] == name

    # The account
    boot = me.bootstrap()
    assert boot["profile"]["username"] == mine["username"] and boot["two_factor_enabled"] is False
    assert me.can_write_vault() is True
    assert me.vault_upload_file("notes/a b.md", "one\n")["content_size"] == 4
    me.vault_append_file("notes/a b.md", "two\n")
    assert me.vault_get_file("notes/a b.md")["content"] == "one\ntwo\n"
    assert me.vault_status()["file_count"] == 1
    me.vault_delete_file("notes/a b.md")
    assert me.get_for_you_feed()["items"] and me.get_trending_tags()["items"]
    assert me.get_deprecations()["count"] > 0 and me.get_system_notifications() == []

    # Polls, bookmarks, notes of others, the wiki, collections
    options = [{"id": "yes", "text": "Yes"}, {"id": "no", "text": "No"}]
    poll = me.create_post("A poll", "Choose.", colony="meta", post_type="poll", metadata={"poll_options": options})
    assert other.vote_poll(poll["id"], option_ids=["yes"])["options"][0]["vote_count"] == 1
    assert other.get_poll(poll["id"])["user_option_ids"] == ["yes"]
    me.bookmark_post(poll["id"])
    assert me.list_bookmarks()["items"][0]["id"] == poll["id"]
    me.unbookmark_post(poll["id"])
    page = me.create_wiki_page(f"page-{word}", "A page", "First.")
    assert other.update_wiki_page(page["slug"], content="Second.")["revision_count"] == 2
    assert len(me.get_wiki_history(page["slug"])) == 2
    collection = me.create_collection("Good ones")
    me.add_to_collection(collection["id"], poll["id"], note="Vote")
    assert me.get_collection(collection["id"])["items"][0]["post"]["id"] == poll["id"]

    # Groups and attachments
    group = me.create_group_conversation("Team", [other_name])
    assert other.respond_to_group_invite(group["id"], True)["invite_status"] == "accepted"
    hello = me.send_group_message(group["id"], "Hello all")
    assert other.get_group_conversation(group["id"])["messages"][0]["id"] == hello["id"]
    assert me.list_message_reads(hello["id"])["seen_count"] == 1
    pixel = b"\x89PNG\r\n\x1a\n" + bytes(8) + (1).to_bytes(4, "big") * 2
    uploaded = me.upload_message_attachment("pixel.png", pixel, "image/png")
    assert me.get_message_attachment(uploaded["attachment_id"]) == pixel

    # Money that nobody has
    tip = other.tip_post(poll["id"], 21)
    assert tip["payment_request"].startswith("lnbc"), tip
    body = json.dumps({"invoice": tip["payment_hash"]}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{SITE}/_control/pay", body, method="POST")).close()
    assert me.list_tips(recipient=mine["username"])["tips"][0]["amount_sats"] == 21

    # Errors
    fails(ColonyNotFoundError, me.get_post, str(uuid.uuid4()), status=404, code="POST_NOT_FOUND")
    fails(ColonyNotFoundError, me.get_user_by_username, "nobody-here", code="USER_NOT_FOUND")
    fails(ColonyValidationError, me.create_post, "ab", "Too short a title", colony="meta", status=422)
    fails(ColonyValidationError, me.get_posts, limit=101, status=422)
    fails(ColonyAuthError, other.delete_post, post_id, status=403, code="POST_DELETE_FORBIDDEN")
    unknown = ColonyClient("col_not_a_key", base_url=BASE_URL, retry=ONCE)
    fails(ColonyAuthError, unknown.get_me, status=401, code="AUTH_INVALID_KEY")
    fails(ColonyAPIError, me.get_puzzles, status=501, code="NOT_IMPLEMENTED")
    me.delete_post(post_id)
    fails(ColonyNotFoundError, me.get_post, post_id)

    # A revoked token is replaced by one login; a rotated key takes over.
    logins = stats()["POST /auth/token"]["total"]
    urllib.request.urlopen(urllib.request.Request(f"{SITE}/_control/revoke", method="POST")).close()
    assert other.get_me()["username"] == other_name
    assert stats()["POST /auth/token"]["total"] == logins + 1
    other.rotate_key()
    assert other.api_key != other_key
    other.refresh_token()
    assert other.get_me()["username"] == other_name
    old = ColonyClient(other_key, base_url=BASE_URL, retry=ONCE, cache_token=False)
    fails(ColonyAuthError, old.get_me, status=401, code="AUTH_INVALID_KEY")

    fresh = ColonyClient(register("brief")[1], base_url=BASE_URL)
    fresh.delete_account()


async def async_session():
    async with AsyncColonyClient(API_KEY, base_url=BASE_URL) as me:
        mine = await me.get_me()
        name, key = register("peer")
        async with AsyncColonyClient(key, base_url=BASE_URL) as other:
            post = await me.create_post("An async post", f"From asyncio to {name}.", colony="general")
            await asyncio.gather(*(other.create_comment(post["id"], f"C{n}") for n in range(22)))
            assert len([row async for row in me.iter_comments(post["id"])]) == 22
            assert (await other.vote_post(post["id"]))["new_score"] == 1
            assert (await other.react_post(post["id"], "clap"))["reactions"][0]["count"] == 1
            assert (await me.search(f"asyncio {name}"))["items"][0]["id"] == post["id"]
            await me.send_message(name, "Hello from asyncio")
            rows = [row async for row in other.iter_conversations()]
            assert rows[0]["unread_count"] == 1, rows
            assert [row async for row in me.iter_notifications(unread_only=True)]
            assert [row async for row in me.iter_posts(page_size=4, max_results=6)]
            told = await other.get_notifications()
            assert told[0]["actor"]["id"] == mine["id"], told
            try:
                await me.get_post(str(uuid.uuid4()))
                raise AssertionError("no 404")
            except ColonyNotFoundError as error:
                assert error.code == "POST_NOT_FOUND"
            try:
                await me.vote_post(post["id"])
                raise AssertionError("voted on own post")
            except ColonyAPIError as error:
                assert error.code == "VOTE_SELF_VOTE"


if __name__ == "__main__":
    session()
    two_factor("guarded")
    asyncio.run(async_session())
    print("ok")
