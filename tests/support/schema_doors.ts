/**
 * A program that writes to typed collections what it is told to, and shows what it has.
 *
 * Each line that comes in is a JSON object: what to do. Each is answered by one line, at the time
 * when there is an answer. Its schema is generated beside it.
 */

import { createInterface } from "node:readline";

import {
  add,
  append,
  type Collection,
  connect,
  deleteKey,
  inc,
  max,
  min,
  remove,
  setKey,
} from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none
import { Line, Order, schema } from "./schema/index.ts";

declare const process: { env: Record<string, string>; stdin: never; exit(code: number): never };

interface Step {
  readonly do: "create" | "edit" | "delete" | "rows" | "online" | "offline";
  readonly n: number;
  readonly entity: "orders" | "lines";
  readonly id: string;
  readonly fields: readonly { field: string; action: string; value: unknown }[];
}

const options = { WebSocket: WebSocket as never, schema, clientId: "node" };
const client = connect(process.env.URL!, options);
const granularity = process.env.GRANULARITY as "records" | "fields";
const typed = {
  orders: client.of(Order, { granularity }),
  lines: client.of(Line, { granularity }),
};
/** The same records as they are, without what stands for nothing. */
const raw = {
  orders: client.collection("orders", { granularity }),
  lines: client.collection("lines", { granularity }),
};
await Promise.all([typed.orders.synced, typed.lines.synced]);
client.onConflict(() => {});
client.onError(() => {});

const make: Record<string, (value: never) => unknown> = {
  update: (value: unknown) => value,
  increment: (by: number) => inc(by),
  max,
  min,
  append: (items: number[]) => append(...items),
  add: (items: string[]) => add(...items),
  remove: (items: string[]) => remove(...items),
  set_key: (keys: Record<string, number>) => setKey(keys),
  delete_key: (keys: string[]) => deleteKey(...keys),
};

const given = ({ action, value }: Step["fields"][number]) => make[action]!(value as never);

function write({ do: what, entity, id, fields }: Step): Promise<unknown> {
  const collection = typed[entity] as unknown as Collection<object> & {
    create(record: object, id: string): Promise<unknown>;
    edit(id: string, fields: object): Promise<unknown>;
  };
  if (what === "delete") return collection.delete(id);
  const said = Object.fromEntries(fields.map((each) => [each.field, given(each)]));
  return what === "create" ? collection.create(said, id) : collection.edit(id, said);
}

const say = (message: object) => console.log(JSON.stringify(message));

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line) as Step;
  const { n } = step;
  if (step.do === "rows") {
    const rows = Object.entries(raw).map(([name, { snapshot }]) => [
      name,
      Object.fromEntries(snapshot.map(({ id, data }) => [id, data])),
    ]);
    say({ n, rows: Object.fromEntries(rows), queue: client.queue.length });
  } else if (step.do === "online" || step.do === "offline") {
    client[step.do]();
    say({ n });
  } else {
    write(step).then(
      () => say({ n, code: "" }),
      (error) => say({ n, code: error.code ?? String(error) }),
    );
  }
}
process.exit(0);
