/**
 * Pushes one record through each of the URLs given on standard input, with the
 * client that the server serves to pages.
 *
 *     echo '["ws://…"]' | node push-through.mjs json 100 push
 *
 * The arguments are the format, how many clients run at a time, and what they write: a `push`, or a
 * `transaction` that counts in a record of all of them, too. Exits with 0 when all is durable.
 */
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

import { WebSocket } from "ws";

const bundle = new URL("../../../../rhtmx_server/static/client.js", import.meta.url);
const rhtmx = runInThisContext(`${readFileSync(bundle, "utf8")};rhtmx`);

const [format, atATime, what] = process.argv.slice(2);
const urls = JSON.parse(readFileSync(0, "utf8"));

async function push(url) {
  const client = rhtmx.connect(url, { format, WebSocket });
  const plan = url.split("=")[1];
  if (what === "push") await client.push("cuts", plan, { url });
  else
    await client.transaction((both) => {
      both.set("cuts", plan, { url });
      both.patch("counts", "all", { n: rhtmx.inc(1) });
    });
  client.close();
}

const waiting = urls.values();
async function work() {
  for (const url of waiting) await push(url);
}
await Promise.all(Array.from({ length: Number(atATime) }, work));
process.exit(0);
