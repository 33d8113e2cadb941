// The published TypeScript packages against `colony mcp`.
//
//   COLONY=… node clients.mjs FOLDER_OF_THE_PACKAGES
import assert from "node:assert";
import { pathToFileURL } from "node:url";
import path from "node:path";

const folder = path.resolve(process.argv[2], "node_modules/@modelcontextprotocol");
const load = (file) => import(pathToFileURL(path.join(folder, file)).href);
const sdk = { ...(await load("sdk/dist/esm/client/index.js")), ...(await load("sdk/dist/esm/client/stdio.js")) };
const modern = { ...(await load("client/dist/index.mjs")), ...(await load("client/dist/stdio.mjs")) };

const text = (result) => JSON.parse(result.content[0].text);

async function play(name, { Client, StdioClientTransport }, options, args) {
  const isWriter = args.includes("--write");
  const transport = new StdioClientTransport({ command: process.env.COLONY, args, env: process.env });
  const client = new Client({ name: "test", version: "1" }, options);
  await client.connect(transport);
  const { tools } = await client.listTools();
  assert.strictEqual(tools.length, isWriter ? 14 : 9);
  const call = (name, args, more) =>
    more ? client.callTool({ name, arguments: args }, ...more) : client.callTool({ name, arguments: args });
  assert.ok(text(await call("list_posts", { limit: 2 })).untrusted);
  const refused = await call("write_operation", { name: "delete_post", arguments: { post_id: "p" } });
  assert.ok(refused.isError);
  assert.strictEqual(text(refused).error.kind, "refused");
  const post = { title: `From ${name}`, body: `Written by ${name}, ${args.length}.` };
  const written = await call("create_post", post);
  assert.strictEqual(Boolean(written.isError), !isWriter);
  if (isWriter) assert.ok(text(await call("create_post", post)).already_done);
  const walk = { name: "iter_posts", arguments: { page_size: 1, max_results: 500 } };
  const controller = new AbortController();
  const request = { signal: controller.signal };
  const running = call("read_operation", walk, name.startsWith("sdk") ? [undefined, request] : [request]);
  setTimeout(() => controller.abort("enough"), 50);
  await assert.rejects(running);
  const { resources } = await client.listResources();
  assert.deepStrictEqual(resources.map((it) => it.uri), ["colony://instructions"]);
  assert.ok(!(await call("find_operation", { words: "mute" })).isError);
  const version = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion ?? "";
  await client.close();
  console.log(`ok   ${name} ${version} ${args.join(" ")}`);
}

for (const args of [["mcp"], ["mcp", "--write"]]) {
  await play("sdk", sdk, {}, args);
  await play("client", modern, {}, args);
  await play("client 2026-07-28", modern, { versionNegotiation: { mode: { pin: "2026-07-28" } } }, args);
}
