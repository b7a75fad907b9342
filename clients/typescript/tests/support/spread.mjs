/**
 * Changes the name of a record and writes all of it back, whole and as one field, with the
 * client that the server serves to pages. Prints what it had read, and the refusal of a
 * number that JavaScript has rounded.
 *
 *     node spread.mjs ws://SERVER json records
 */
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

import { WebSocket } from "ws";

const bundle = new URL("../../../../rhtmx_server/static/client.js", import.meta.url);
const rhtmx = runInThisContext(`${readFileSync(bundle, "utf8")};rhtmx`);

const [server, format, granularity] = process.argv.slice(2);
const client = rhtmx.connect(server, { format, WebSocket });
const tasks = client.collection("tasks", { granularity });
await tasks.synced;
const { data } = await tasks.get("1");
await tasks.set("1", { ...data, name: "set" });
await tasks.patch("2", { votes: data.votes, low: -data.votes, debt: -5, name: undefined });
const refused = await tasks
  .set("3", { votes: 2 ** 53 + 2 })
  .catch(({ code, message }) => [code, message]);
await tasks.set("4", -0.5);
console.log(JSON.stringify({ read: String(data.votes), type: typeof data.votes, refused }));
process.exit(0);
