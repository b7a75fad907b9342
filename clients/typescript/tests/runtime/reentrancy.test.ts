/**
 * Listeners that call back into the client from the middle of what they are told.
 */
import { afterEach, describe, expect, it } from "vitest";

import { Collection } from "../../src/api/collection.ts";
import type { Draft } from "../../src/core/build-message.ts";
import { stateOf } from "../../src/core/storage-ops.ts";
import type { TabChannel, TabMessage } from "../../src/core/tab-messages.ts";
import { takeTurns } from "../../src/runtime/leader.ts";
import { Tab } from "../../src/runtime/tab.ts";
import type { Frame } from "../../src/wire/index.ts";
import { codecOf, decode } from "../../src/wire/index.ts";
import { record, settle } from "../support/client.ts";
import { TestStore } from "../support/driver.ts";
import { eventually } from "../support/eventually.ts";
import { FakeWebSocket } from "../support/sockets.ts";
import { WELCOME } from "../support/welcome.ts";

const TIME = "2026-11-22T10:00:00Z";
const AT = { server_timestamp: TIME, client_timestamp: TIME };

const ends: (() => void)[] = [];

afterEach(() => ends.splice(0).forEach((end) => end()));

/** A tab that leads, what it tells the others, and its socket, which may answer within `send`. */
async function client(answers: (socket: FakeWebSocket, said: { type: string }) => void = () => {}) {
  const posted: TabMessage[] = [];
  const sockets: FakeWebSocket[] = [];
  const channel: TabChannel = {
    post: (message) => void posted.push(structuredClone(message)),
    lead: (start) => start(),
    close() {},
  };
  class Socket extends FakeWebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }

    override send(data: Frame): void {
      super.send(data);
      answers(this, decode(data, "json"));
    }
  }
  const [store, state] = [new TestStore("c"), stateOf()];
  const tab = new Tab(store, channel, "one", state);
  const options = {
    url: "ws://x/",
    codec: codecOf("json"),
    random: () => 0.5,
    leader: "L1",
  } as const;
  const stop = takeTurns(tab, { ...options, WebSocket: Socket, store, channel, state });
  tab.on("error", () => {});
  ends.push(() => {
    stop();
    tab.close();
  });
  await tab.ready;
  await settle();
  const socket = sockets[0]!;
  socket.opens();
  socket.says(WELCOME);
  await settle();
  posted.length = 0;
  return { tab, posted, sockets, socket };
}

const set = (entityId: string, n: number): Draft => {
  return { entity: "tasks", entityId, action: "update", data: { n }, options: {} };
};
const types = (messages: readonly { type: string }[]) => messages.map(({ type }) => type);

describe("a listener that calls back", () => {
  it("and wants a connection again as it hears of its end is the last word, in other tabs too", async () => {
    const { tab, posted } = await client();
    const states: string[] = [];
    tab.on("state", (state: string) => {
      states.push(state);
      if (state === "offline") tab.send({ type: "online", why: "app" });
    });
    tab.send({ type: "offline", why: "app" });
    expect(states).toEqual(["offline", "connecting"]);
    const said = posted.map((each) => ("state" in each ? each.state : each.type));
    expect(said).toEqual(["offline", "offline", "online", "connecting"]);
  });

  it.each([
    [1, "1: a, 2: ab, 1: ab"],
    [2, "1: a, 2: a, 1: ab, 2: ab"],
  ])(
    "and writes is told of it after all, and so is everybody, as number %i of two",
    async (which, expected) => {
      const { tab } = await client();
      const heard: string[] = [];
      const tasks = new Collection<{ n: number }>(tab, "tasks");
      await settle();
      for (const number of [1, 2]) {
        tasks.subscribe((rows) => {
          heard.push(`${number}: ${rows.map(({ id }) => id).join("")}`);
          if (number === which && rows.length === 1) void tasks.set("b", { n: 2 });
        });
      }
      await settle();
      heard.length = 0;
      void tasks.set("a", { n: 1 });
      await settle();
      expect(heard.join(", "), "rows are those of the moment").toBe(expected);
    },
  );

  it("and closes the client finds what was answered answered, and has nothing sent any more", async () => {
    const { tab, socket } = await client();
    const tasks = new Collection(tab, "tasks");
    await settle();
    tasks.synced.catch(() => {});
    socket.heard();
    tab.on("conflict", () => tab.close());
    const written = tab.write({ ...set("1", 1), action: "update" } as Draft);
    await settle();
    const conflict = {
      entity: "tasks",
      entity_id: "1",
      seq: 1,
      field: "n",
      strategy: "last_write_wins",
    } as const;
    const values = { client_value: 1, server_value: 2, winner: "server", ...AT } as const;
    socket.says({ type: "field_conflict", ...conflict, ...values, version: 2 } as never);
    socket.says({ type: "push_ack", entity: "tasks", entity_id: "1", version: 2, seq: 1 });
    await settle();
    await expect(written, "it had its answer before").resolves.toMatchObject({ version: 2 });
    expect(tab.connection).toBe("closed");
    socket.heard();
    await expect(tab.write(set("2", 2))).rejects.toMatchObject({ code: "closed" });
    await settle();
    expect(socket.heard()).toEqual([]);
  });

  it("and opens another collection has it read like any other", async () => {
    const { tab, socket } = await client();
    const tasks = new Collection(tab, "tasks");
    let other: Collection | undefined;
    tasks.subscribe((rows) => {
      if (rows.length) other ??= new Collection(tab, "users");
    });
    await settle();
    socket.heard();
    socket.says({ type: "change", change: record("1", 1, { n: 1 }) });
    const reads = { type: "subscribe", entities: ["users"] };
    await eventually(() => expect(other).toBeDefined());
    expect(socket.heard()).toMatchObject([reads]);
    const synced = { type: "sync_complete", epoch: "e1", version: 1, reset: false } as const;
    socket.says({ ...synced, entity: "users" });
    await other!.synced;
  });
});

describe("a socket that answers within the call of send", () => {
  it("is heard after all that was to be sent was, in its order", async () => {
    const acks = { n: 0 };
    const { tab, socket } = await client((socket, said) => {
      if (said.type !== "push") return;
      acks.n += 1;
      socket.says({
        type: "push_ack",
        entity: "tasks",
        entity_id: "1",
        version: acks.n,
        seq: acks.n,
      });
    });
    socket.heard();
    const told: number[] = [];
    const written = [1, 2, 3].map((n) =>
      tab
        .write<{ type: "push_ack"; version: number } & never>(set("1", n))
        .then(() => told.push(n)),
    );
    await Promise.all(written);
    expect(told).toEqual([1, 2, 3]);
    expect(types(socket.heard())).toEqual(["push", "push", "push"]);
    expect(tab.queue).toEqual([]);
  });

  it("and asks within it is answered after the rest of what was to be sent", async () => {
    let asks = 0;
    const { tab, sockets } = await client((socket, said) => {
      if (said.type === "push" && asks++ === 0) socket.says({ type: "ping" });
    });
    sockets[0]!.ends(1006);
    for (const n of [1, 2]) void tab.write(set("1", n));
    await settle();
    tab.send({ type: "wake" });
    sockets[1]!.opens();
    sockets[1]!.says(WELCOME);
    expect(types(sockets[1]!.heard())).toEqual(["hello", "push", "push", "pong"]);
  });

  it("and that ends within it is followed by another one, once", async () => {
    let cuts = 1;
    const { tab, sockets } = await client((socket, said) => {
      if (said.type === "push" && cuts-- > 0) socket.ends(1006);
    });
    const states: string[] = [];
    tab.on("state", (state: string) => states.push(state));
    void tab.write(set("1", 1));
    await settle();
    expect(states).toEqual(["waiting"]);
    tab.send({ type: "wake" });
    expect(sockets).toHaveLength(2);
    sockets[1]!.opens();
    sockets[1]!.says(WELCOME);
    expect(types(sockets[1]!.heard())).toEqual(["hello", "push"]);
  });
});
