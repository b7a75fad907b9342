/**
 * Whole clients in several tabs, whatever becomes of them.
 */
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";

import { HEARTBEAT } from "../../src/runtime/leader-election.ts";
import { picker } from "../support/browser.ts";
import type { TabClient } from "../support/window.ts";
import { Window } from "../support/window.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Long enough for everything to be found out, and for the longest wait before an attempt. */
const LONG = 90_000;

const happening = fc.record({
  what: fc.constantFrom(
    ...(["write", "write", "write", "open", "wait", "settle"] as const),
    ...(["hang", "goOn", "freeze", "resume", "shut", "crash", "cut", "lose"] as const),
    ...(["depose", "backUp", "restore", "hide", "show"] as const),
    ...(["fail", "fail", "mend", "fill", "room"] as const),
  ),
  who: fc.nat(7),
  how: fc.nat(4000),
});

type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

async function happen(window: Window, { what, who, how }: Happening): Promise<void> {
  const { browser, clients } = window;
  const client = clients[who % clients.length]!;
  const { page } = client;
  if (what === "open") await window.open();
  else if (what === "wait") await browser.wait(how);
  else if (what === "settle") await browser.settle();
  else if (what === "cut") window.cut();
  else if (what === "fail") client.disk.why = "it fails";
  // It is one disk: full for one tab, it is for all.
  else if (what === "fill" || what === "room")
    clients.forEach(({ disk }) => (disk.full = what === "fill"));
  else if (what === "mend") client.disk.why = "";
  else if (what === "depose") {
    browser.holder("rhtmx:test")?.hang();
    await browser.wait(2 * HEARTBEAT);
  } else if (what === "backUp") window.service.backUp();
  else if (what === "restore") {
    window.cut();
    window.service.restore();
  } else if (what === "lose") page.loses += 1 + (how % 3);
  else if (what === "write") {
    if (page.running) await window.write(client, how % 3 ? "x" : undefined);
  } else if (!page.gone && page.running !== ["goOn", "resume", "show"].includes(what)) {
    await browser.in(page, () => page[what]());
    if (page.gone) client.sockets.forEach((socket) => socket.cut());
  }
}

/** Everybody wakes, and everything gets its time. */
async function calm(window: Window): Promise<void> {
  const { browser, clients } = window;
  for (const { page, disk } of clients) {
    disk.why = "";
    disk.full = false;
    page.loses = 0;
    if (!page.gone && !page.running) await browser.in(page, () => page.show());
  }
  await window.open();
  await browser.settle();
  // One that crashed may have told nobody of its last write: the next one shows that it is there.
  await window.write(clients.at(-1)!);
  await browser.wait(LONG);
  // What is in the store is the same too.
  await window.open();
  await browser.settle();
}

function check(window: Window): void {
  const { service, clients, kept } = window;
  const alive = clients.filter(({ page }) => !page.gone);
  expect(new Set(service.effects).size, "nothing twice").toBe(service.effects.length);
  const lost = kept.filter((id) => !service.effects.includes(id) && !service.undone.has(id));
  expect(lost, "nothing lost").toEqual([]);
  for (const { tab, store, outcomes } of alive) {
    const shown = tab.rows("tasks").map(({ id, data, pending }) => [id, data, pending]);
    expect(shown, "all show the same").toEqual(service.shown.map((row) => [...row, false]));
    expect(tab.queue, "nothing waits").toEqual([]);
    expect(tab.connection).toBe("open");
    expect(
      [...outcomes.values()].filter((each) => each !== "durable"),
      "all are told",
    ).toEqual([]);
    const untrue = [...outcomes.keys()].filter(
      (id) => !service.effects.includes(id) && !service.undone.has(id),
    );
    expect(untrue, "what they are told is so").toEqual([]);
    expect(store.stored, "all are stored").toBe(true);
  }
  expect(
    alive.flatMap(({ sockets }) => [...sockets]),
    "one socket",
  ).toHaveLength(1);
}

it("nothing is lost, nothing doubled, and all tabs show the same", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 40 }), fc.nat(), async (happenings, seed) => {
      const window = new Window(picker(seed));
      await window.open();
      await window.open();
      for (const each of happenings) await happen(window, each);
      await calm(window);
      check(window);
    }),
    { numRuns: Number(process.env.RUNS ?? 100) },
  );
}, 60_000);

/** Two tabs, the first of which leads. */
async function two(pick = (_count: number) => 0): Promise<Window> {
  const window = new Window(pick);
  await window.open();
  await window.browser.settle();
  await window.open();
  await window.browser.settle();
  return window;
}

/** What a client's sockets send from now on. */
function listen({ service }: Window, { sockets }: TabClient): string[] {
  const sent: string[] = [];
  const hear = service.hear.bind(service);
  vi.spyOn(service, "hear").mockImplementation((socket, message) => {
    if (sockets.has(socket as never)) sent.push(message.type);
    hear(socket, message);
  });
  return sent;
}

it("a leader that hung asks the store before it sends anything", async () => {
  // What came last comes first: the server's words before those of the lock.
  const window = await two((count) => count - 1);
  const { browser, clients } = window;
  const [old, next] = clients as [TabClient, TabClient];
  const [socket] = old.sockets;
  old.page.hang();
  await browser.wait(2 * HEARTBEAT);
  expect(next.sockets.size).toBe(1);
  const sent = listen(window, old);
  socket!.says({ type: "ping" });
  old.page.goOn();
  await browser.settle();
  expect(sent).toEqual([]);
  expect(old.sockets.size).toBe(0);
});

it("one that hung alone goes on where it was", async () => {
  const window = await two();
  const { browser, clients } = window;
  const [only, other] = clients as [TabClient, TabClient];
  other.page.crash();
  only.page.hang();
  await browser.wait(10 * HEARTBEAT);
  const [socket] = only.sockets;
  only.page.goOn();
  await window.write(only);
  await browser.settle();
  expect([...only.sockets]).toEqual([socket]);
  expect([...only.outcomes.values()]).toEqual(["durable"]);
});

it("one tab takes all offline: those that are there, the next leader, and new ones", async () => {
  const window = await two();
  const { browser, clients } = window;
  const states = () => clients.filter(({ page }) => !page.gone).map(({ tab }) => tab.connection);
  await browser.in(clients[1]!.page, () => clients[1]!.tab.send({ type: "offline", why: "app" }));
  await browser.settle();
  expect(states()).toEqual(["offline", "offline"]);
  await window.open();
  await browser.settle();
  clients[0]!.page.shut();
  clients[1]!.page.shut();
  await browser.wait(2 * HEARTBEAT);
  expect(states()).toEqual(["offline"]);
  await browser.in(clients[2]!.page, () => clients[2]!.tab.send({ type: "online", why: "app" }));
  await browser.settle();
  expect(states()).toEqual(["open"]);
});

it("a tab that missed that all are online again does not take them offline", async () => {
  const window = await two();
  const { browser, clients } = window;
  const [leader, other] = clients as [TabClient, TabClient];
  await browser.in(other.page, () => other.tab.send({ type: "offline", why: "app" }));
  await browser.settle();
  await browser.in(other.page, () => other.page.freeze());
  other.page.loses = 1000;
  await browser.in(leader.page, () => leader.tab.send({ type: "online", why: "app" }));
  await browser.settle();
  other.page.loses = 0;
  await browser.in(other.page, () => other.page.resume());
  await browser.settle();
  leader.page.shut();
  await browser.settle();
  expect(other.tab.connection).toBe("open");
});

it("a question that is told again is asked once", async () => {
  const window = await two();
  const { browser, clients } = window;
  const [leader, other] = clients as [TabClient, TabClient];
  const sent = listen(window, leader);
  const question = { type: "validate_form", request_id: "", form: "f", fields: [] } as const;
  await browser.in(other.page, () => void other.tab.ask(question));
  await browser.settle();
  await browser.in(other.page, () => other.page.freeze());
  await browser.in(other.page, () => other.page.resume());
  await browser.settle();
  expect(sent.filter((each) => each === "validate_form")).toHaveLength(1);
});

it.each(["crash", "shut", "freeze", "hide"] as const)(
  "what only a tab read that is gone (%s) is read no longer",
  async (end) => {
    const window = await two();
    const { browser, clients } = window;
    const [leader, other] = clients as [TabClient, TabClient];
    const sent = listen(window, leader);
    await browser.in(other.page, () => other.tab.open("posts", false));
    await browser.settle();
    await browser.in(other.page, () => other.page[end]());
    await browser.settle();
    expect(sent).toEqual(["subscribe", "unsubscribe"]);
    if (other.page.gone) return;
    await browser.in(other.page, () => other.page.show());
    await browser.settle();
    expect(sent.slice(2)).toEqual(["ping", "subscribe"]);
  },
);

it("a tab that is taken for gone while it is there says what it reads", async () => {
  const window = await two();
  const { browser, clients } = window;
  const [leader, other] = clients as [TabClient, TabClient];
  await browser.in(other.page, () => other.tab.open("posts", false));
  await browser.settle();
  const sent = listen(window, leader);
  await browser.in(other.page, () => other.page.freeze());
  // Nothing tells it that it runs again.
  await browser.in(other.page, () => other.page.goOn());
  await browser.settle();
  expect(sent).toEqual(["unsubscribe", "ping", "subscribe"]);
});

/** The ids of the clients that wrote, in order. */
const authors = ({ service }: Window) =>
  [...service.records.values()]
    .sort((a, b) => a.version - b.version)
    .map(({ client_id }) => client_id);

it("a tab whose store fails writes as a client of its own, the others go on, and it comes back", async () => {
  const window = await two();
  const { browser, clients } = window;
  const [first, second] = clients as [TabClient, TabClient];
  first.disk.why = "it was closed";
  await window.write(first);
  await browser.settle();
  expect(first.errors).toHaveLength(1);
  expect(second.errors).toEqual([]);
  expect([first.store.stored, second.store.stored]).toEqual([false, true]);
  await window.write(second);
  await browser.settle();
  expect(authors(window)).toEqual(["tab0 1", "c1"]);
  expect(first.tab.rows("tasks")).toEqual(second.tab.rows("tasks"));
  first.disk.why = "";
  await browser.wait(10 * HEARTBEAT);
  await window.write(first);
  await browser.wait(HEARTBEAT);
  expect(authors(window)).toEqual(["tab0 1", "c1", "c1"]);
  check(window);
});

it("what waits when the store is lost for good is sent by the tab that holds it, once, in order", async () => {
  const window = await two();
  const { browser, clients, service } = window;
  const [leader] = clients as [TabClient, TabClient];
  const offline = (type: "offline" | "online") =>
    Promise.all(
      clients.map(({ tab, page }) => browser.in(page, () => tab.send({ type, why: "app" }))),
    );
  await offline("offline");
  await browser.settle();
  for (let count = 0; count < 3; count += 1) await window.write(leader, "x");
  await browser.settle();
  await window.wipe();
  await window.write(leader, "x");
  await browser.settle();
  expect(leader.tab.queue.map(({ seq }) => seq)).toEqual([1, 2, 3, undefined]);
  await offline("online");
  await browser.wait(LONG);
  expect(service.effects).toEqual(["w001", "w002", "w003", "w004"]);
  expect([...leader.outcomes.values()]).toEqual(["durable", "durable", "durable", "durable"]);
  for (const { disk } of clients) disk.why = "";
  await browser.wait(LONG);
  check(window);
  expect(clients.map(({ state }) => state.meta.client_id)).toEqual(["c1 after 3", "c1 after 3"]);
});

it("what was written offline, while the store failed, is stored when that works again", async () => {
  const window = await two();
  const { browser, clients, store } = window;
  const [only, other] = clients as [TabClient, TabClient];
  other.page.shut();
  await browser.in(only.page, () => only.tab.send({ type: "offline", why: "network" }));
  only.disk.why = "it was closed";
  for (let count = 0; count < 2; count += 1) await window.write(only);
  await browser.settle();
  expect((await store.load()).writes.size).toBe(0);
  const shown = only.tab.rows("tasks");
  expect(shown).toHaveLength(2);
  only.disk.why = "";
  await browser.wait(2 * HEARTBEAT);
  await browser.settle();
  expect([...(await store.load()).writes.values()].map(({ seq }) => seq)).toEqual([1, 2]);
  expect(only.tab.rows("tasks")).toEqual(shown);
  expect(only.tab.connection).toBe("offline");
  only.page.crash();
  await window.open();
  await browser.wait(LONG);
  expect(window.service.effects).toEqual(["w001", "w002"]);
});
