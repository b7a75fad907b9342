/**
 * Writes and asks what is too large for a server, and what is too large for a
 * proxy before it, with the client that the server serves to pages. Prints what
 * became of it, as JSON.
 *
 *     node too-large.mjs ws://SERVER ws://PROXY json
 */
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

import { WebSocket } from "ws";

const bundle = new URL("../../../../rhtmx_server/static/client.js", import.meta.url);
const rhtmx = runInThisContext(`${readFileSync(bundle, "utf8")};rhtmx`);

Math.random = () => 0; // no wait before the next attempt to connect

const [server, proxy, format] = process.argv.slice(2);

/** What became of two writes around a large one, and of a large question. */
async function run(url, size) {
  const client = rhtmx.connect(url, { format, WebSocket });
  const write = (name, data) =>
    client.push("notes", name, data).then(
      () => name,
      ({ code }) => code,
    );
  // Before there is a connection: nobody knows a limit yet.
  const writes = await Promise.all([write("a", 1), write("big", "x".repeat(size)), write("c", 1)]);
  const asked = await client.validateField("signup", "email", "x".repeat(size)).then(
    () => "answered",
    ({ code }) => code,
  );
  await client.push("notes", "d", 1);
  const told = [...writes, asked, client.state];
  const words = client.rejected[0].text;
  client.close();
  return { told, words };
}

const [one, other] = [await run(server, 2_000), await run(proxy, 700)];
console.log(JSON.stringify({ server: one.told, proxy: other.told, words: one.words }));
process.exit(0);
