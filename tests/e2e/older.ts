/**
 * A program with the first version of a schema, on a server of whichever: what it writes, typed and
 * as JSON, and what becomes of it. Its schema is generated beside it.
 */
import { add, connect, inc, type RhtmxError } from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none
import { schema, Task } from "./first/index.ts";

declare const process: { env: Record<string, string>; exit(code: number): never };

const options = { WebSocket: WebSocket as never, schema };
const format = process.env.FORMAT === "proto" ? "proto" : "json";
const client = connect(process.env.URL ?? "", { ...options, format });
const tasks = client.of(Task);
await tasks.synced;
const code = (error: RhtmxError) => error.code;

await tasks.create({ title: "Write", minutes: 5, priority: "high" }, "1");
await tasks.edit("1", { title: "Read", labels: add("a"), votes: inc(2) });
await client.transaction((writes) => {
  writes.patch("tasks", "1", { place: "here" });
  writes.set("tasks", "2", { title: "Two" });
});
const counted = await client.pushFields("tasks", "1", { minutes: inc(1) }).catch(code);
const long = await tasks.edit("1", { title: "much too long a name" }).catch(code);
const { snapshot, unreadable } = tasks;
const said = {
  counted,
  long,
  rejected: client.rejected.map((each) => [each.code, each.message.schema_version]),
  server: client.serverSchema?.version,
  rows: snapshot.map(({ id }) => id),
  unreadable: unreadable.map(({ id }) => id),
};
console.log(JSON.stringify(said));
process.exit(0);
