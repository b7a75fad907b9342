/**
 * A program that writes a record over TLS, and says how its connection is.
 *
 * Whom it trusts is what Node is told: `NODE_EXTRA_CA_CERTS`. Ends when the record is
 * durable, or when it was told that no connection was made.
 */

import { connect } from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none

declare const process: { env: Record<string, string>; exit(code: number): never };

const client = connect(process.env.URL ?? "", { WebSocket });

client.onState((state) => {
  console.log(state);
  if (state === "waiting") process.exit(0);
});
const { version } = await client.push("tasks", "typescript", { title: "over TLS" });
console.log("version", version);
process.exit(0);
