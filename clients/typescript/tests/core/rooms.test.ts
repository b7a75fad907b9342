/** The rooms of a client with several tabs: one member, entered anew on each connection. */
import { describe, expect, it } from "vitest";
import type { Event } from "../../src/core/events.ts";
import { UNKNOWN_ROOM, wishOf } from "../../src/core/room.ts";
import { stateOf } from "../../src/core/storage-ops.ts";
import type { TabMessage } from "../../src/core/tab-messages.ts";
import type { Message, RoomMembers, ServerMessage } from "../../src/messages/types.ts";
import { codecOf, decode, encode } from "../../src/wire/index.ts";
import { TestSession } from "../support/session.ts";
import { WELCOME } from "../support/welcome.ts";

const PLACE = { entity: "orders", entity_id: "7" };
const room = "orders/7";

class Harness {
  readonly session: TestSession;
  readonly events: Event[] = [];

  constructor() {
    const state = stateOf();
    state.meta.client_id = "c1";
    this.session = new TestSession({ codec: codecOf("json"), random: () => 0.5 }, state);
    this.connect();
  }

  connect(): Message[] {
    this.session.tick(this.session.deadline ?? 0);
    this.session.opened(0);
    this.sent();
    return this.says(WELCOME);
  }

  says(...messages: ServerMessage[]): Message[] {
    for (const message of messages) this.session.receive(encode(message, "json"), 0);
    return this.sent();
  }

  tab(message: TabMessage): Message[] {
    this.session.told(message, 0);
    return this.sent();
  }

  enter(tab: string, state?: string, asked?: boolean): Message[] {
    const wish = state === undefined ? { watch: true } : { state };
    return this.tab({ type: "enter", room, tab, wish, asked });
  }

  /** Answers the last question. */
  joins(request_id: string, member = "me"): void {
    this.says({ type: "room_joined", ...PLACE, member, request_id });
  }

  members(told: Partial<RoomMembers>): void {
    this.says({ type: "room_members", ...PLACE, ...told });
  }

  /** What was told of the room last. */
  get now() {
    return this.of("room").at(-1)?.now ?? UNKNOWN_ROOM;
  }

  of<T extends Event["type"]>(type: T): Extract<Event, { type: T }>[] {
    return this.events.filter((each) => each.type === type) as Extract<Event, { type: T }>[];
  }

  sent(): Message[] {
    const { frames, events } = this.session.take();
    this.events.push(...events);
    return frames.map((frame) => decode(frame, "json"));
  }
}

const join = (state: string, request_id: string) => ({
  type: "room_join",
  ...PLACE,
  state,
  request_id,
});
const watch = (request_id: string) => ({ type: "room_join", ...PLACE, watch: true, request_id });
const leave = { type: "room_leave", ...PLACE };

it("the last one who is there says what is seen, and who watches says nothing", () => {
  expect(wishOf(new Map())).toBeUndefined();
  expect(wishOf(new Map([[1, { watch: true }]]))).toEqual({ watch: true });
  const all = new Map([
    [1, { state: "a" }],
    [2, { state: "b" }],
    [3, { watch: true }],
  ] as const);
  expect(wishOf(all)).toEqual({ state: "b" });
});

describe("a room", () => {
  it("is entered once for all tabs, as the last of them says", () => {
    const h = new Harness();
    expect(h.enter("t1")).toEqual([watch("room-1")]);
    expect(h.enter("t2")).toEqual([]);
    expect(h.enter("t3", "ada")).toEqual([join("ada", "room-2")]);
    expect(h.enter("t1", "ada, too")).toEqual([join("ada, too", "room-3")]);
    expect(h.tab({ type: "exit", room, tab: "t1" })).toEqual([join("ada", "room-4")]);
    expect(h.tab({ type: "exit", room, tab: "t2" })).toEqual([]);
    expect(h.tab({ type: "gone", tab: "t3" })).toEqual([leave]);
    expect(h.tab({ type: "exit", room, tab: "t3" })).toEqual([]);
  });

  it("is not asked for again by who asks for it itself", () => {
    const h = new Harness();
    expect(h.enter("t1", "ada", true)).toEqual([]);
    const question = { type: "room_join", ...PLACE, state: "ada" } as const;
    expect(h.tab({ type: "ask", id: "t1-1", question })).toEqual([join("ada", "t1-1")]);
    h.joins("t1-1");
    expect(h.of("answer").at(-1)).toMatchObject({ id: "t1-1" });
    expect(h.now.me).toBe("me");
  });

  it("is entered again on the next connection, once", () => {
    const h = new Harness();
    h.enter("t1", "ada");
    h.joins("room-1");
    h.session.lost(1006, 0);
    expect(h.connect()).toEqual([join("ada", "room-2")]);
    // Without an answer the same question waits.
    h.session.lost(1006, 0);
    expect(h.connect()).toEqual([join("ada", "room-2")]);
  });

  it("that is left without a connection is never asked for", () => {
    const h = new Harness();
    h.session.lost(1006, 0);
    h.enter("t1", "ada");
    h.tab({ type: "exit", room, tab: "t1" });
    expect(h.connect()).toEqual([]);
    expect(h.of("answer").at(-1)).toMatchObject({
      error: { code: "superseded" },
    });
  });

  it("is told to all tabs, and once more to one that comes later", () => {
    const h = new Harness();
    h.enter("t1", "ada");
    h.joins("room-1");
    h.members({ reset: true, members: [{ id: "me", state: "ada" }, { id: "bob" }] });
    const told = h.events.length;
    h.members({ gone: ["bob"], members: [{ id: "me", state: "here" }] });
    expect(h.now).toEqual({ me: "me", known: true, members: [{ id: "me", state: "here" }] });
    h.enter("t2");
    expect(h.events.slice(told).filter(({ type }) => type === "room")).toHaveLength(2);
  });

  it("that comes in several messages is shown once all is there", () => {
    const h = new Harness();
    h.enter("t1");
    h.members({ reset: true, members: [{ id: "a" }] });
    h.members({ reset: true, members: [{ id: "b" }], more: true });
    expect(h.now.members).toEqual([{ id: "a" }]);
    h.members({ members: [{ id: "c" }] });
    expect(h.now.members).toEqual([{ id: "b" }, { id: "c" }]);
  });

  it.each([
    ["refused", { type: "error", code: "not_found", message: "no", details: null } as const],
    ["closed", { type: "room_closed", ...PLACE, code: "not_found", message: "no" } as const],
  ])("that is %s is told so, and not entered again", (_, message) => {
    const h = new Harness();
    h.enter("t1", "ada");
    const refused = message.type === "error" ? { ...message, request_id: "room-1" } : message;
    if (message.type !== "error") h.joins("room-1");
    h.says(refused);
    expect(h.now).toEqual({
      members: [],
      error: { code: "not_found", message: "no", details: null },
    });
    h.session.lost(1006, 0);
    expect(h.connect()).toEqual([]);
    expect(h.enter("t1", "ada")).toHaveLength(1);
  });

  it("that is refused for now is entered again on the next connection", () => {
    const h = new Harness();
    h.enter("t1", "ada");
    const error = {
      code: "storage_failed",
      message: "no",
      details: null,
      retryable: true,
    } as const;
    h.says({ type: "error", ...error, request_id: "room-1" });
    h.session.lost(1006, 0);
    expect(h.connect()).toEqual([join("ada", "room-2")]);
  });

  it("is not left for a refusal of what was said before", () => {
    const h = new Harness();
    h.enter("t1", "ada");
    h.enter("t1", "ada, still");
    h.says({
      type: "error",
      code: "not_found",
      message: "no",
      details: null,
      request_id: "room-1",
    });
    h.joins("room-2");
    expect(h.now.me).toBe("me");
  });

  it("that refuses another state is left: it would show the one before", () => {
    const h = new Harness();
    h.enter("t1", "ada");
    h.joins("room-1");
    h.enter("t1", "ada, too");
    const error = { type: "error", code: "not_found", message: "no", details: null } as const;
    expect(h.says({ ...error, request_id: "room-2" })).toEqual([leave]);
  });

  it("takes any JSON of some size as a state, and says why it does not take more", () => {
    const h = new Harness();
    const wish = { state: { x: -1, field: "", entity: "not a name" } };
    const joining = { type: "room_join", ...PLACE, ...wish, request_id: "room-1" };
    expect(h.tab({ type: "enter", room, tab: "t1", wish })).toEqual([joining]);
    expect(h.enter("t1", "x".repeat(5000))).toEqual([leave]);
    expect(h.now.error).toMatchObject({ code: "bad_message" });
  });

  it("that is entered again does not take what was on its way when it was left", () => {
    const h = new Harness();
    h.enter("t1", "ada");
    h.joins("room-1");
    h.members({ reset: true, members: [{ id: "me" }] });
    h.tab({ type: "exit", room, tab: "t1" });
    h.enter("t1", "ada");
    const told = h.events.length;
    h.members({ members: [{ id: "bob" }] });
    h.says({ type: "room_closed", ...PLACE, code: "not_found", message: "it is gone" });
    expect(h.events.slice(told).filter(({ type }) => type === "room")).toEqual([]);
    h.joins("room-2");
    h.members({ reset: true, members: [{ id: "me" }, { id: "bob" }] });
    expect(h.now.members).toHaveLength(2);
  });

  it("has its client say how it leaves a page, so that another tab can go on", () => {
    const h = new Harness();
    const leaves = () => {
      h.tab({ type: "offline", why: "page" });
      const code = h.of("disconnect").at(-1)?.code;
      h.tab({ type: "online", why: "page" });
      h.connect();
      return code;
    };
    expect(leaves()).toBe(1000);
    h.enter("t1", "ada");
    expect(leaves()).toBe(4100);
    h.tab({ type: "exit", room, tab: "t1" });
    expect(leaves()).toBe(1000);
  });

  it("that nobody is in is no news", () => {
    const h = new Harness();
    h.members({ reset: true, members: [{ id: "a" }] });
    h.joins("x");
    expect(h.now).toBe(UNKNOWN_ROOM);
  });
});
