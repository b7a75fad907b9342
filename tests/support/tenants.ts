/**
 * A program that reads and writes what a user of two tenants may, and says what came of it.
 *
 * Each line that comes in is a JSON object: what to do. What goes out are lines, too: the
 * answers to writes when they come, and the state when it is asked for.
 */

import { createInterface } from "node:readline";

import { type Client, connect, type Fields, type JsonValue } from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none

declare const process: { env: Record<string, string>; stdin: never; exit(code: number): never };

interface Step {
  readonly do: "set" | "patch" | "delete" | "state" | "authenticate" | "online" | "offline";
  readonly n: number;
  readonly entity: "tasks" | "docs";
  readonly id: string;
  readonly data: JsonValue;
}

const user = process.env.NAME!;
const client: Client = connect(process.env.URL!, { WebSocket, token: () => user });
const all = {
  tasks: client.collection<JsonValue>("tasks"),
  part: client.collection<JsonValue>("tasks", { where: { team: "red", status: "open" } }),
  docs: client.collection<JsonValue>("docs"),
};
for (const each of Object.values(all)) each.subscribe(() => {});
client.onConflict(() => {});
client.onError(() => {});

const say = (message: object) => console.log(JSON.stringify(message));

function write({ do: what, entity, id, data }: Step): Promise<object> {
  const collection = all[entity];
  if (what === "set") return collection.set(id, data);
  if (what === "delete") return collection.delete(id);
  return collection.patch(id, data as Fields);
}

function state(): object {
  const rows = Object.entries(all).map(([name, { snapshot }]) => [
    name,
    Object.fromEntries(snapshot.map(({ id, data }) => [id, data])),
  ]);
  return { queue: client.queue.length, rows: Object.fromEntries(rows) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line) as Step;
  const { n } = step;
  if (step.do === "state") say({ n, state: state() });
  else if (step.do === "online") client.online();
  else if (step.do === "offline") client.offline();
  else {
    const answer = step.do === "authenticate" ? client.authenticate(user) : write(step);
    answer.then(
      (told) => say({ n, told }),
      (error) => say({ n, code: error.code }),
    );
  }
}
process.exit(0);
