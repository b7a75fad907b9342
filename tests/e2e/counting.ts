/**
 * A program in which two clients count one field, one of them offline half of the time, and which
 * says what each of them has in the end.
 */
import { add, type Client, type Collection, connect, inc } from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none

declare const process: { env: Record<string, string>; exit(code: number): never };

interface Task {
  readonly votes: number;
  readonly by: readonly string[];
}

const TIMES = 100;
const format = process.env.FORMAT === "proto" ? "proto" : "json";
const granularity = process.env.GRANULARITY === "fields" ? "fields" : "records";
const url = process.env.URL ?? "";

const clients = ["ada", "bob"].map((clientId): Client => {
  return connect(url, { WebSocket, clientId, format });
});
const [ada, bob] = clients.map((each): Collection<Task> => {
  return each.collection<Task>("tasks", { granularity });
}) as [Collection<Task>, Collection<Task>];

/** What bob sees of the field, each time that it is another value. */
const seen: number[] = [];
bob.subscribe((rows) => {
  const votes = rows[0]?.data.votes ?? 0;
  if (seen.at(-1) !== votes) seen.push(votes);
});

await Promise.all([ada.synced, bob.synced]);
const writes: Promise<unknown>[] = [];
for (let time = 0; time < TIMES; time += 1) {
  if (time % 20 === 0) clients[1]!.offline();
  if (time % 20 === 10) clients[1]!.online();
  writes.push(ada.patch("7", { votes: inc(1), by: add("ada") }));
  writes.push(bob.patch("7", { votes: inc(1), by: add("bob") }));
  // They take turns with what arrives.
  await (time % 4 ? Promise.resolve() : writes.at(-2));
}
await Promise.all(writes);
for (const each of [ada, bob]) {
  await new Promise<void>((done) => {
    each.subscribe(([row]) => {
      if (row?.data.votes === 2 * TIMES && !row.pending) done();
    });
  });
}
// Nobody takes away: a count that goes back was shown twice for a while.
const fell = seen.filter((votes, at) => votes < (seen[at - 1] ?? 0));
console.log(JSON.stringify([ada.row("7")?.data, bob.row("7")?.data, fell]));
process.exit(0);
