/**
 * A page's client that says that it is there, prints what somebody else whispers then and what is
 * answered to a question of its own, and ends.
 *
 *     node whispering.mjs ws://127.0.0.1:3000/api/ws json
 *
 * Lies beside the bundled client and a `node_modules` with `ws`: see `test_new_message.py`.
 */
import { WebSocket } from "ws";

import { connect } from "./client.mjs";

const [url, format] = process.argv.slice(2);
const client = connect(url, { WebSocket, format, storage: false });

client.onState((state) => {
  if (state !== "open") return;
  client.changes("tasks", () => {});
  // Said behind the subscription: whoever hears it can be sure that this page reads.
  if (!client.whisper("tasks", "here")) throw new Error("not sent");
});
client.on("whisper", async ({ entity, text }) => {
  if (text === "here") return; // its own: whoever reads hears all of it
  const again = await client.echo(`again ${text}`);
  console.log(`${entity} ${text}, and asked: ${again}`);
  client.close();
  process.exit(0);
});
