/**
 * A program in which two customers' orders have conflicts, and each part of the orders is asked for
 * its own; and in which one who may not update them asks.
 */
import { type Client, connect, type RhtmxError } from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none

declare const process: { env: Record<string, string>; exit(code: number): never };

const url = process.env.URL ?? "";
const open = (token: string): Client => connect(url, { WebSocket, token });
const [clerk, other, guest] = [open("clerk"), open("other"), open("guest")];
guest.onError(() => {});
const orders = clerk.collection("orders");
const again = other.collection("orders");
await Promise.all([orders.synced, again.synced]);
for (const id of ["7", "8"]) await orders.set(id, { customer: id, goods: "tea" });
await new Promise<void>((done) => {
  again.subscribe((rows) => rows.length === 2 && done());
});
other.offline();
const late: Promise<unknown>[] = [];
for (const id of ["7", "8"]) {
  await orders.patch(id, { goods: `more of ${id}` });
  late.push(again.patch(id, { goods: `less of ${id}` }));
}
other.online();
await Promise.all(late);

/** The losers of a part, once they are there. */
const lost = (client: Client, customer: string) =>
  new Promise<readonly unknown[]>((done) => {
    client.collection("orders", { where: { customer } }).conflicts.subscribe((all) => {
      if (all.length) done(all.map((each) => each.lost.value));
    });
  });
const said = [await lost(clerk, "7"), await lost(other, "8")];

// Another customer has it by now, and the conflict with it.
await orders.patch("7", { customer: "8" });
const moved = await new Promise<number>((done) => {
  const all = clerk.collection("orders", { where: { customer: "8" } }).conflicts;
  all.subscribe(({ length }) => length === 2 && done(length));
});

const reading = guest.collection("orders");
await reading.synced;
const refused = await reading.conflicts.synced.then(
  () => reading.conflicts.snapshot.length,
  (error: RhtmxError) => error.code,
);
console.log(JSON.stringify({ lost: said, moved, refused, shown: reading.snapshot.length }));
process.exit(0);
