/**
 * A program in which one client writes two records together, over and over, and which says how
 * often another one has seen only one of them changed.
 */
import { type Client, connect, type RhtmxError } from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none

declare const process: { env: Record<string, string>; exit(code: number): never };

interface Counted {
  readonly n: number;
}

const TIMES = 200;
const format = process.env.FORMAT === "proto" ? "proto" : "json";
const granularity = process.env.GRANULARITY === "fields" ? "fields" : "records";
const url = process.env.URL ?? "";

/** Looks after each message, not only when a listener is called. */
class Watched extends WebSocket {
  override set onmessage(take: ((event: never) => void) | null) {
    super.onmessage = (event) => {
      take?.(event as never);
      look();
    };
  }
}

const reader = connect(url, { WebSocket: Watched as never, clientId: "reader", format });
const [orders, stock] = ["orders", "stock"].map((entity) => {
  return reader.collection<Counted>(entity, { granularity });
});

/** How often half of a transaction was there to be seen. */
let torn = 0;
const seen = new Set<number>();
function look(): void {
  const [order, tea] = [orders!.row("7")?.data.n, stock!.row("tea")?.data.n];
  if (order !== tea) torn += 1;
  if (order !== undefined) seen.add(order);
}
for (const each of [orders!, stock!]) each.subscribe(look);
await Promise.all([orders!.synced, stock!.synced]);

/** The control: the changes as they come. */
const watcher = connect(url, { WebSocket, clientId: "watcher", format });
const last = new Map<string, unknown>();
let tornChanges = 0;
for (const entity of ["orders", "stock"]) {
  watcher.changes(entity, (change) => {
    last.set(entity, (change?.data as unknown as Counted)?.n);
    if (last.get("orders") !== last.get("stock")) tornChanges += 1;
  });
}

const writer = connect(url, { WebSocket, clientId: "writer", format });
const write = (n: number, client: Client = writer) =>
  client.transaction((writes) => {
    writes.set("orders", "7", { n });
    writes.patch("stock", "tea", { n });
  });

/** The reader has seen this. */
const shows = (n: number) =>
  new Promise<void>((done) => {
    const stop = stock!.subscribe(([row]) => row?.data.n === n && (stop?.(), done()));
  });

const writes: Promise<unknown>[] = [];
for (let n = 1; n <= TIMES; n += 1) {
  // Some are under way together, and the reader is away for some.
  if (n % 40 === 20) reader.offline();
  if (n % 40 === 30) reader.online();
  writes.push(write(n));
  if (n % 5 === 0) await writes.at(-1);
}
await Promise.all(writes);
await shows(TIMES);

writer.offline();
const offline = write(TIMES + 1);
const queued = writer.queue.map(({ message }) => message.type);
reader.offline();
writer.online();
const { results } = await offline;
reader.online();
await shows(TIMES + 1);

/** One of its records has moved on: none is written. */
const refused = await writer
  .transaction((writes) => {
    writes.set("stock", "tea", { n: 0 });
    writes.set("orders", "7", { n: 0 }, { baseVersion: 1 });
  })
  .catch((error: RhtmxError) => [error.code, Object(error.details).writes[0].index]);

console.log(
  JSON.stringify({
    torn,
    control: tornChanges > 0,
    many: seen.size > 2,
    queued,
    results: results.map(({ entity }) => entity),
    refused,
    last: [orders!.row("7")?.data.n, stock!.row("tea")?.data.n],
  }),
);
process.exit(0);
