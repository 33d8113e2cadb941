"""The published Python package against `colony mcp`: both its clients, and so both generations of the protocol.

    COLONY=… python clients.py
"""

import asyncio
import json
import os

from mcp import Client, ClientSession, MCPError, StdioServerParameters, stdio_client

WRITE = ["mcp", "--write"]


def server(arguments):
    return StdioServerParameters(command=os.environ["COLONY"], args=arguments, env=dict(os.environ))


def text(result):
    assert len(result.content) == 1, result
    return json.loads(result.content[0].text)


async def play(client, is_writer, cancel):
    """list, read, refused write, allowed write, cancel"""
    tools = (await client.list_tools()).tools
    assert len(tools) == (14 if is_writer else 9), [tool.name for tool in tools]
    read = await client.call_tool("list_posts", {"limit": 2})
    assert not read.is_error and "untrusted" in text(read), read
    refused = await client.call_tool("write_operation", {"name": "delete_post", "arguments": {"post_id": "p"}})
    assert refused.is_error and text(refused)["error"]["kind"] == "refused", refused
    if is_writer:
        post = {"title": f"From {cancel}", "body": f"Written by {cancel}."}
        written = await client.call_tool("create_post", post)
        assert not written.is_error and text(written)["untrusted"]["mine"], written
        again = await client.call_tool("create_post", post)
        assert text(again)["already_done"], again
    else:
        refused = await client.call_tool("create_post", {"title": "Not this", "body": "It is not allowed."})
        assert refused.is_error and text(refused)["error"]["kind"] == "refused", refused
    try:
        walk = {"name": "iter_posts", "arguments": {"page_size": 1, "max_results": 500}}
        await asyncio.wait_for(client.call_tool("read_operation", walk), 0.05)
        raise AssertionError("the walk was over before it could be cancelled")
    except asyncio.TimeoutError:
        pass
    resources = (await client.list_resources()).resources
    assert [str(it.uri) for it in resources] == ["colony://instructions"], resources
    # It lives on.
    assert not (await client.call_tool("find_operation", {"words": "mute"})).is_error


async def main():
    for arguments in (["mcp"], WRITE):
        is_writer = arguments == WRITE
        async with stdio_client(server(arguments)) as (reading, writing):
            async with ClientSession(reading, writing) as session:
                hello = await session.initialize()
                await play(session, is_writer, "ClientSession")
        print(f"ok   python ClientSession {hello.protocol_version} {' '.join(arguments)}")
        async with Client(server(arguments)) as client:
            await play(client, is_writer, "Client")
            version = client.protocol_version
        print(f"ok   python Client {version} {' '.join(arguments)}")
    async with Client(server(["mcp"])) as client:
        try:
            await client.call_tool("no_such_tool", {})
            raise AssertionError("an unknown tool was called")
        except MCPError as error:
            assert error.error.code == -32602, error.error


asyncio.run(main())
