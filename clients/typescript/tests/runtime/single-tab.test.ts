import { afterEach, describe, expect, it, vi } from "vitest";
import type { TabMessage } from "../../src/core/tab-messages.ts";
import { alone } from "../../src/runtime/single-tab.ts";
import { open, settle } from "../support/client.ts";
import { WELCOME } from "../support/welcome.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A page, and what its client is told of it. */
function page() {
  const events = new EventTarget();
  const told: string[] = [];
  const port = alone({ addEventListener: events.addEventListener.bind(events) });
  port.onmessage = (message: TabMessage) =>
    told.push(`${message.type} ${(message as { why: string }).why}`);
  const happens = (...names: string[]) =>
    names.forEach((name) => events.dispatchEvent(new Event(name)));
  return { happens, told, port };
}

it("leads at once, and again and again", () => {
  const start = vi.fn();
  alone().lead(start, () => {});
  expect(start).toHaveBeenCalledExactlyOnceWith();
});

describe("a page", () => {
  it.each([
    [["pagehide", "pageshow"]],
    [["freeze", "resume"]],
    [["pagehide", "freeze", "resume", "pageshow"]],
  ])("that is put aside leaves once, and comes back once: %o", (names) => {
    const { happens, told } = page();
    happens(...names);
    expect(told).toEqual(["offline page", "online page"]);
    happens(...names);
    expect(told).toHaveLength(4);
  });

  it.each(["freeze", "pagehide"])(
    "that runs on after %s comes back though nothing says so, once",
    (leaves) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const { happens, told, port } = page();
      happens(leaves);
      vi.advanceTimersByTime(4_999);
      expect(told).toEqual(["offline page"]);
      vi.advanceTimersByTime(1);
      expect(told).toEqual(["offline page", "online page"]);
      happens("pageshow", leaves, "resume");
      expect(told).toHaveLength(4);
      happens(leaves);
      port.close();
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it("that is shown for the first time was never away", () => {
    const { happens, told } = page();
    happens("pageshow");
    expect(told).toEqual([]);
  });

  it("whose client is closed is left alone", () => {
    const { happens, told, port } = page();
    port.close();
    happens("pagehide", "pageshow");
    expect(told).toEqual([]);
  });
});

describe("a client in memory", () => {
  it("has no connection while its page is put aside, and then at once one that goes on where it was", async () => {
    const events = new EventTarget();
    vi.stubGlobal("addEventListener", events.addEventListener.bind(events));
    const { client, socket, sockets } = await open();
    void client.authenticate("newer");
    client.collection("tasks");
    socket().says({
      type: "sync_complete",
      entity: "tasks",
      epoch: "e1",
      version: 7,
      reset: false,
    });
    const answer = client.validateField("f", "a", "1");
    await settle();
    events.dispatchEvent(new Event("pagehide"));
    expect([client.state, sockets[0]!.closedWith]).toEqual(["offline", 1000]);
    events.dispatchEvent(new Event("pageshow"));
    expect(sockets).toHaveLength(2);
    socket().opens();
    socket().says(WELCOME);
    expect(socket().heard()).toMatchObject([
      { type: "hello", token: "newer" },
      { type: "subscribe", entities: ["tasks"], since: { tasks: { version: 7 } } },
      { type: "authenticate" },
      { type: "validate_field", form: "f" },
    ]);
    expect(client.state).toBe("open");
    client.close();
    await expect(answer).rejects.toMatchObject({ code: "closed" });
  });

  it("stays offline if the application wants that", async () => {
    const events = new EventTarget();
    vi.stubGlobal("addEventListener", events.addEventListener.bind(events));
    const { client, sockets } = await open();
    client.offline();
    events.dispatchEvent(new Event("pagehide"));
    events.dispatchEvent(new Event("pageshow"));
    expect([client.state, sockets.length]).toEqual(["offline", 1]);
    client.online();
    expect(client.state).toBe("connecting");
    client.close();
  });
});

function opened() {
  const port = alone();
  const calls: string[] = [];
  const lead = () =>
    port.lead(
      () => calls.push("start"),
      () => calls.push("stop"),
    );
  return { port, calls, lead };
}

describe("a client in one tab", () => {
  it("leads at once", () => {
    const { calls, lead } = opened();
    lead();
    expect(calls).toEqual(["start"]);
  });

  it("begins anew as another client, or with what is stored, and rests between", () => {
    const { port, calls, lead } = opened();
    lead();
    port.stand!("alone");
    port.stand!("nowhere");
    expect(calls).toEqual(["start", "stop", "start", "stop"]);
    port.stand!("shared");
    expect(calls.at(-1)).toBe("start");
  });

  it("does not begin before it is asked to", () => {
    const { port, calls, lead } = opened();
    port.stand!("alone");
    expect(calls).toEqual([]);
    lead();
    expect(calls).toEqual(["start"]);
  });
});
