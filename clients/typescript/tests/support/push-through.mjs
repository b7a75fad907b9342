/**
 * Pushes one record through each of the URLs given on standard input, with the
 * client that the server serves to pages.
 *
 *     echo '["ws://…"]' | node push-through.mjs json 100
 *
 * The arguments are the format, and how many clients run at a time. Exits with
 * 0 when every push is durable.
 */
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

import { WebSocket } from "ws";

const bundle = new URL("../../../../rhtmx_server/static/client.js", import.meta.url);
const rhtmx = runInThisContext(`${readFileSync(bundle, "utf8")};rhtmx`);

const [format, atATime] = process.argv.slice(2);
const urls = JSON.parse(readFileSync(0, "utf8"));

async function push(url) {
  const client = rhtmx.connect(url, { format, WebSocket });
  await client.push("cuts", url.split("=")[1], { url });
  client.close();
}

const waiting = urls.values();
async function work() {
  for (const url of waiting) await push(url);
}
await Promise.all(Array.from({ length: Number(atATime) }, work));
process.exit(0);
