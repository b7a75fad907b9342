/**
 * Writes and asks faster than a server takes it, with the client that the server
 * serves to pages. Prints what became of it, as JSON.
 *
 *     node too-fast.mjs ws://SERVER json
 */
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

import { WebSocket } from "ws";

const bundle = new URL("../../../../rhtmx_server/static/client.js", import.meta.url);
const rhtmx = runInThisContext(`${readFileSync(bundle, "utf8")};rhtmx`);

Math.random = () => 0; // no wait on top of the one that the server asks for

const [server, format] = process.argv.slice(2);
const client = rhtmx.connect(server, { format, WebSocket });
const names = Array.from({ length: 60 }, (_, number) => `${number}`);
const writes = names.map((name, number) => client.push("notes", name, { number }));
const asked = names.slice(0, 20).map((name) => client.validateField("signup", "email", name));
const versions = (await Promise.all(writes)).map((written) => written.version);
const verdicts = (await Promise.all(asked)).map((verdict) => verdict.valid);
console.log(JSON.stringify({ versions, verdicts, rejected: client.rejected.length }));
process.exit(0);
