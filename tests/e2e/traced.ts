/** A program that writes and asks while it is in a trace, and says so with each of these. */

import { connect } from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none

declare const process: { env: Record<string, string>; exit(code: number): never };

let span = process.env.HELLO;
const client = connect(process.env.URL ?? "", { WebSocket, traceparent: () => span });
await new Promise<void>((open) => {
  client.onState((state) => state === "open" && open());
});
span = process.env.PUSH;
await client.push("tasks", "1", { title: "traced" });
await client.pushFields("tasks", "1", { title: "traced again" });
span = undefined;
await client.push("tasks", "2", { title: "in no trace" });
process.exit(0);
