/**
 * A program that reads parts of an entity, and says what it has each time that it is asked.
 *
 * Each line that comes in is a JSON object: what to do. What goes out after it is one line.
 */

import { createInterface } from "node:readline";

import { type Client, type Collection, connect } from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none

declare const process: { env: Record<string, string>; stdin: never; exit(code: number): never };

interface Step {
  readonly until?: Readonly<Record<string, readonly string[]>>;
  readonly set?: readonly [string, { readonly [field: string]: string | number }];
}

const client: Client = connect(process.env.URL ?? "", { WebSocket, token: process.env.TOKEN });
const all: Record<string, Collection> = {
  whole: client.collection("orders"),
  open: client.collection("orders", { where: { status: "open" } }),
  either: client.collection("orders", { where: { customer: ["ada", "eve"], status: "done" } }),
};

/** Waits until these collections have just these records; says what they had if they never do. */
async function until(expected: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const shown = () =>
    JSON.stringify(
      Object.fromEntries(
        Object.keys(expected).map((name) => [name, all[name]!.snapshot.map(({ id }) => id).sort()]),
      ),
    );
  const wanted = JSON.stringify(expected);
  for (let left = 500; left && shown() !== wanted; left -= 1)
    await new Promise((go) => setTimeout(go, 10));
  return shown();
}

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line) as Step;
  if (step.set) {
    const code = await all.whole!.set(...step.set).then(
      () => "written",
      (error) => error.code,
    );
    console.log(code);
  }
  if (step.until) console.log(await until(step.until));
}
process.exit(0);
