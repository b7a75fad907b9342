/** A program in which clients meet in a room, and which says what each of them has seen. */
import { type Client, connect, type Member } from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none

declare const process: { env: Record<string, string>; exit(code: number): never };

interface Desk {
  readonly name: string;
  readonly x?: number;
}

const format = process.env.FORMAT === "proto" ? "proto" : "json";
const client = (clientId: string): Client =>
  connect(process.env.URL ?? "", { WebSocket, clientId, format });
const [ada, bob] = [client("ada"), client("bob")];
const [here, there] = [ada.room<Desk>("orders/7"), bob.room<Desk>("orders/7")];

/** Waits until the members of a room are so. */
const until = (room: typeof here, wanted: (members: readonly Member<Desk>[]) => boolean) =>
  new Promise<readonly Member<Desk>[]>((done) => {
    const stop = room.subscribe((members) => {
      if (!wanted(members)) return;
      queueMicrotask(() => stop());
      done(members);
    });
  });
const names = (members: readonly Member<Desk>[]) => members.map(({ state }) => state?.name).sort();
const are = (...wanted: string[]) => {
  return (members: readonly Member<Desk>[]) => `${names(members)}` === `${wanted}`;
};

await here.join({ name: "ada", x: -1 });
const [first] = await until(there, are("ada"));
await there.join({ name: "bob" });
await until(here, are("ada", "bob"));

const heard = new Promise((done) => here.onMessage((data, member) => done([data, member])));
there.send({ typing: true });
const told = (await heard) as [unknown, string];

const refused = await there.join({ name: "x".repeat(5000) }).catch(({ code }) => code);
bob.offline();
await until(here, are("ada"));
bob.online();
await until(here, are("ada", "bob"));
await there.join({ name: "bob, again" });
await until(here, are("ada", "bob, again"));
bob.close();
await until(here, are("ada"));
const missing = await ada
  .room("orders/8")
  .join()
  .catch(({ code }) => code);
console.log(JSON.stringify([first?.state, told[0], told[1] !== here.me?.id, refused, missing]));
process.exit(0);
