import { describe, expect, it } from "vitest";

import { Session } from "../src/session.ts";
import { stateOf } from "../src/store.ts";
import { decode, encode } from "../src/wire/index.ts";
import { WELCOME } from "./support/welcome.ts";
import type { Event } from "../src/events.ts";
import type { Message, ServerMessage, Welcome } from "../src/messages/types.ts";
import type { SessionOptions } from "../src/session.ts";

/** A session with its clock, and the server's side of its wire. */
class Harness {
  readonly state = stateOf();
  readonly session: Session;
  readonly events: Event[] = [];
  now = 0;

  constructor(options: Partial<SessionOptions> = {}) {
    this.state.meta.client_id = "c1";
    this.session = new Session({ format: "json", random: () => 0.5, ...options }, this.state);
  }

  dial(): Message[] {
    this.now = Math.max(this.now, this.session.deadline ?? 0);
    this.session.tick(this.now);
    this.session.opened(this.now);
    return this.sent();
  }

  open(welcome: Partial<Welcome> = {}): Message[] {
    return [...this.dial(), ...this.says({ ...WELCOME, ...welcome })];
  }

  says(...messages: ServerMessage[]): Message[] {
    for (const message of messages) this.session.receive(encode(message, "json"), this.now);
    return this.sent();
  }

  wait(milliseconds: number): Message[] {
    this.now += milliseconds;
    this.session.tick(this.now);
    return this.sent();
  }

  sent(): Message[] {
    const { frames, events } = this.session.take(this.now);
    this.events.push(...events);
    return frames.map((frame) => decode(frame, "json"));
  }

  of<T extends Event["type"]>(type: T): Extract<Event, { type: T }>[] {
    return this.events.filter((each) => each.type === type) as Extract<Event, { type: T }>[];
  }
}

describe("a connection", () => {
  it("is asked for at the first tick, and begins with hello", () => {
    const h = new Harness();
    h.wait(0);
    expect(h.events).toEqual([
      { type: "state", state: "connecting", error: undefined },
      { type: "connect" },
    ]);
    expect(h.dial()).toMatchObject([{ type: "hello", client_id: "c1", confirmed_seq: 0 }]);
  });

  it("tells the next one its epoch", () => {
    const h = new Harness();
    h.open({ epoch: "e9" });
    h.session.lost(1006, h.now);
    expect(h.dial()).toMatchObject([{ type: "hello", epoch: "e9" }]);
  });

  it("answers a ping, and pings when it has nothing to say", () => {
    const h = new Harness();
    h.open();
    expect(h.says({ type: "ping" })).toEqual([{ type: "pong" }]);
    expect(h.wait(4_999)).toEqual([]);
    expect(h.wait(1)).toEqual([{ type: "ping" }]);
  });

  it("is given up when the server is silent for two heartbeats", () => {
    const h = new Harness();
    h.open();
    h.wait(5_000);
    h.wait(5_000);
    expect(h.of("disconnect")).toEqual([{ type: "disconnect", code: 4001 }]);
    expect(h.session.state).toBe("waiting");
  });

  it("that ended is not listened to, and leaves nothing to be sent on the next one", () => {
    const h = new Harness();
    h.open();
    h.session.told({ type: "ask", id: "q", question: { type: "authenticate", token: "t" } }, h.now);
    h.session.lost(1006, h.now);
    expect(h.says(WELCOME)).toEqual([]);
    expect(h.session.state).toBe("waiting");
    expect(h.dial()).toMatchObject([{ type: "hello", token: "t" }]);
  });
});

describe("it ends for good", () => {
  it("when the server says not to reconnect, with the reason that it gave", () => {
    const h = new Harness();
    h.open();
    h.says({ type: "error", code: "forbidden", message: "not you", details: null });
    h.session.lost(4504, h.now);
    h.sent();
    const error = h.of("state").at(-1)!.error!;
    expect(error.code).toBe("forbidden");
    expect(error.message).toContain("not you");
    expect(h.session.deadline).toBeUndefined();
  });

  it("but not for an expired token, if another can be had", () => {
    const h = new Harness({ token: () => "t" });
    h.open();
    h.session.lost(4503, h.now);
    expect(h.session.state).toBe("waiting");
  });

  it("when something cannot be understood, which would leave a hole", () => {
    const h = new Harness();
    h.open();
    h.session.receive('{"type":"change"}', h.now);
    h.sent();
    expect(h.of("disconnect")).toEqual([{ type: "disconnect", code: 4500 }]);
    expect(h.of("state").at(-1)).toMatchObject({ state: "closed", error: { code: "bad_message" } });
  });

  it("and stays so, whatever is wanted", () => {
    const h = new Harness();
    h.open();
    h.session.lost(4504, h.now);
    for (const type of ["offline", "online"] as const) h.session.told({ type, why: "app" }, h.now);
    h.session.told({ type: "wake" }, h.now);
    h.session.lost(1006, h.now);
    expect(h.session.state).toBe("closed");
    expect(h.sent()).toEqual([]);
  });
});

it("a message of a newer server is reported and passed over", () => {
  const h = new Harness();
  h.open();
  h.session.receive('{"type":"news","text":"x"}', h.now);
  h.sent();
  expect(h.of("problem")).toMatchObject([{ error: { code: "bad_message" } }]);
  expect(h.session.state).toBe("open");
});

it("offline ends only when nobody wants it any more", () => {
  const h = new Harness();
  h.open();
  h.session.told({ type: "offline", why: "app" }, h.now);
  h.session.told({ type: "offline", why: "network" }, h.now);
  h.session.told({ type: "online", why: "app" }, h.now);
  expect(h.session.state).toBe("offline");
  h.session.told({ type: "online", why: "network" }, h.now);
  expect(h.session.state).toBe("connecting");
});

describe("when somebody looks, or the network comes back,", () => {
  const wakes = [{ type: "wake" }, { type: "online", why: "network" }, { type: "online", why: "app" }] as const;

  it.each(wakes)("a socket that is dead is left within 3 seconds: %o", (wake) => {
    const h = new Harness();
    h.open();
    h.now = 100;
    h.session.told(wake, h.now);
    expect(h.sent()).toEqual([{ type: "ping" }]);
    expect(h.session.deadline).toBe(3_100);
    h.wait(3_000);
    expect(h.of("disconnect")).toEqual([{ type: "disconnect", code: 4001 }]);
    expect(h.session.state).toBe("waiting");
  });

  it.each(wakes)("one that waits to be made is made at once: %o", (wake) => {
    const h = new Harness();
    h.open();
    h.session.lost(1006, h.now);
    h.session.told(wake, h.now);
    h.sent();
    expect(h.of("connect")).toHaveLength(2);
  });

  it("one that answers goes on", () => {
    const h = new Harness();
    h.open();
    h.session.told({ type: "wake" }, h.now);
    h.sent();
    h.now = 2_900;
    h.says({ type: "pong" });
    h.wait(3_000);
    expect([h.session.state, h.of("disconnect")]).toEqual(["open", []]);
  });

  it("the answer to what was asked for another reason does not do", () => {
    const h = new Harness();
    h.open();
    h.session.told({ type: "ask", id: "q1", question: { type: "authenticate", token: "t" } }, h.now);
    h.sent();
    h.session.lost(4502, h.now);
    expect(h.open().map(({ type }) => type)).toContain("ping");
    h.session.told({ type: "wake" }, h.now);
    expect(h.sent()).toEqual([{ type: "ping" }]);
    h.says({ type: "pong" });
    h.wait(3_000);
    expect(h.session.state).toBe("waiting");
  });

  it("what the application wants offline stays so", () => {
    const h = new Harness();
    h.open();
    h.session.told({ type: "offline", why: "app" }, h.now);
    for (const wake of wakes.slice(0, 2)) h.session.told(wake, h.now);
    expect(h.session.state).toBe("offline");
  });
});

describe("a connection that cannot be made", () => {
  const why = { code: "forbidden", message: "not you", details: null } as const;
  const fail = (h: Harness, times = 1) => {
    for (let each = 0; each < times; each++) {
      h.wait(Math.max(0, (h.session.deadline ?? 0) - h.now));
      h.session.lost(1006, h.now);
      h.sent();
    }
  };
  const asked = (h: Harness) => h.of("explain").map(({ times }) => times);

  it("has somebody ask why, ever less often", () => {
    const h = new Harness();
    fail(h, 5);
    expect(asked(h)).toEqual([1, 2, 4]);
  });

  it("to a server that was there has nobody ask before the fourth time in a row", () => {
    const h = new Harness();
    h.open();
    h.session.lost(1006, h.now);
    fail(h, 3);
    expect(asked(h)).toEqual([]);
    fail(h);
    expect(asked(h)).toEqual([4]);
    h.open();
    h.session.lost(1006, h.now);
    fail(h, 3);
    expect(asked(h)).toEqual([4]);
  });

  it("is one whose socket has ended: silence, a token that fails and an open socket have nothing to say", () => {
    const h = new Harness();
    h.wait(0);
    h.session.lost(undefined, h.now);
    h.wait(h.session.deadline! - h.now);
    h.wait(40_000);
    h.dial();
    h.session.lost(1006, h.now);
    h.sent();
    expect(asked(h)).toEqual([]);
  });

  it("waits with its reason, and is tried again as before", () => {
    const h = new Harness();
    fail(h);
    h.session.explained(why);
    h.sent();
    expect(h.of("state").at(-1)).toEqual({ type: "state", state: "waiting", error: why });
    h.wait(h.session.deadline! - h.now);
    expect(h.of("state").at(-1)).toEqual({ type: "state", state: "connecting", error: undefined });
    h.session.lost(1006, h.now);
    h.session.told({ type: "hello" }, h.now);
    h.sent();
    expect(h.of("state").slice(-2).map(({ error }) => error)).toEqual([why, why]);
    h.open();
    h.session.lost(1006, h.now);
    h.sent();
    expect(h.of("state").at(-1)).toEqual({ type: "state", state: "waiting", error: undefined });
  });

  it("has the reason that comes while the next one is being made", () => {
    const h = new Harness();
    fail(h);
    h.wait(h.session.deadline! - h.now);
    h.session.explained(why);
    h.session.lost(1006, h.now);
    h.sent();
    expect(h.of("state").at(-1)).toMatchObject({ state: "waiting", error: why });
  });

  it("but was made meanwhile, or is not wanted any more, has none", () => {
    const h = new Harness();
    fail(h);
    h.open();
    h.session.explained(why);
    h.session.told({ type: "offline", why: "app" }, h.now);
    h.session.explained(why);
    h.sent();
    expect(h.of("state").filter(({ error }) => error)).toEqual([]);
  });

  it("for a reason that is known has nobody ask", () => {
    const h = new Harness();
    h.wait(0);
    h.session.lost(undefined, h.now, why);
    h.sent();
    expect(asked(h)).toEqual([]);
    expect(h.of("state").at(-1)).toMatchObject({ state: "waiting", error: why });
  });
});

describe("a question", () => {
  const question = { type: "validate_form", request_id: "", form: "f", fields: [] } as const;
  const answer = { type: "form_validation_result", form: "f", valid: true, errors: [] } as const;

  it("has its answer by its id, once", () => {
    const h = new Harness();
    h.open();
    h.session.told({ type: "ask", id: "q1", question }, h.now);
    expect(h.sent()).toMatchObject([{ type: "validate_form", request_id: "q1" }]);
    h.says({ ...answer, request_id: "q2" }, { ...answer, request_id: "q1" }, { ...answer, request_id: "q1" });
    expect(h.of("answer").map(({ id }) => id)).toEqual(["q1"]);
  });

  it("that was asked before there was a connection goes out after the welcome", () => {
    const h = new Harness();
    h.session.told({ type: "ask", id: "q1", question }, h.now);
    expect(h.open().map(({ type }) => type)).toEqual(["hello", "validate_form"]);
  });

  it("that is larger than the server takes is refused here", () => {
    const h = new Harness();
    h.open({ limits: { ...WELCOME.limits, message_bytes: 200 } });
    const fields = [{ field: "a", value: "é".repeat(90) }];
    h.session.told({ type: "ask", id: "q1", question: { ...question, fields } }, h.now);
    expect(h.sent()).toEqual([]);
    expect(h.of("answer")).toMatchObject([{ id: "q1", error: { code: "too_large" } }]);
  });
});

describe("questions beyond the server's limit", () => {
  const question = { type: "validate_form", request_id: "", form: "f", fields: [] } as const;
  const answer = { type: "form_validation_result", form: "f", valid: true, errors: [] } as const;
  const ask = (h: Harness, ...ids: string[]) => {
    for (const id of ids) h.session.told({ type: "ask", id, question }, h.now);
  };
  const ids = (sent: Message[]) => sent.flatMap((each) => ("form" in each ? [each.request_id] : []));
  const limits = { ...WELCOME.limits, requests: 2 };

  it("wait in the client, and go out in their order as others are answered", () => {
    const h = new Harness();
    h.open({ limits });
    ask(h, "t1-1", "t2-1", "t1-2", "t2-2");
    expect(ids(h.sent())).toEqual(["t1-1", "t2-1"]);
    expect(ids(h.says({ ...answer, request_id: "t2-1" }))).toEqual(["t1-2"]);
    expect(ids(h.says({ type: "error", message: "no", details: null, request_id: "t1-1" }))).toEqual(["t2-2"]);
  });

  it("keep their order over a reconnect, to a server with another limit", () => {
    const h = new Harness();
    h.open({ limits });
    ask(h, "t1-1", "t1-2", "t1-3", "t1-4");
    h.says({ ...answer, request_id: "t1-2" });
    h.session.lost(1006, h.now);
    expect(ids(h.open({ limits: { ...limits, requests: 1 } }))).toEqual(["t1-1"]);
    expect(ids(h.says({ ...answer, request_id: "t1-1" }))).toEqual(["t1-3"]);
  });

  it("keep it when the server was too busy for one", () => {
    const h = new Harness();
    h.open({ limits });
    ask(h, "t1-1", "t1-2", "t1-3");
    h.sent();
    h.says({ type: "error", message: "busy", code: "too_many_requests", details: null, request_id: "t1-1" });
    expect(ids(h.wait(500))).toEqual(["t1-1"]);
    expect(ids(h.says({ ...answer, request_id: "t1-2" }))).toEqual(["t1-3"]);
  });

  it("are 64 where it tells none", () => {
    const h = new Harness();
    h.open({ limits: { ...limits, requests: 0 } });
    ask(h, ...Array.from({ length: 65 }, (_, index) => `t1-${index}`));
    expect(ids(h.sent())).toHaveLength(64);
  });

  it("hold up no token: the others may wait for it", () => {
    const h = new Harness();
    h.open({ limits });
    ask(h, "t1-1", "t1-2", "t1-3");
    for (const token of ["older", "newer"]) {
      h.session.told({ type: "ask", id: token, question: { type: "authenticate", token } }, h.now);
    }
    expect(h.sent().slice(2)).toMatchObject([{ token: "older" }, { token: "newer" }]);
  });

  it("of a tab that is gone hold up nobody", () => {
    const h = new Harness();
    h.open({ limits });
    ask(h, "t1-1", "t1-2", "t1-3", "t12-1");
    h.sent();
    h.session.told({ type: "gone", tab: "t1" }, h.now);
    expect(ids(h.says({ ...answer, request_id: "t1-1" }))).toEqual(["t12-1"]);
  });
});

describe("an id that is another's", () => {
  const taken = { type: "error", message: "taken", code: "client_id_taken", details: null } as const;

  it.each([{ token: "t" }, { token: () => "t" }, { clientId: "c1" }])(
    "ends the client that a user or the application stands behind: %o",
    (options) => {
      const h = new Harness(options);
      h.dial();
      h.says(taken);
      expect(h.of("disconnect")).toHaveLength(1);
      expect(h.of("state").at(-1)).toMatchObject({ state: "closed", error: { code: "client_id_taken" } });
      expect([h.state.meta.client_id, h.session.deadline]).toEqual(["c1", undefined]);
    },
  );

  it("is given up for a new one by a client that is nobody", () => {
    const h = new Harness();
    h.dial();
    h.says(taken);
    expect(h.of("disconnect")).toHaveLength(1);
    expect(h.session.state).toBe("waiting");
    expect(h.dial()).toMatchObject([{ type: "hello", client_id: "80000000".repeat(4) }]);
  });

  it("since somebody was faster to number under it, is told by the next hello: nothing is rejected", () => {
    const h = new Harness({ clientId: "c1" });
    h.open();
    h.says({ ...taken, seq: 1, request_id: "w1" }, { ...taken, seq: 2, request_id: "w2" });
    expect(h.of("disconnect")).toHaveLength(1);
    expect([h.session.state, h.of("outcome")]).toEqual(["waiting", []]);
    h.dial();
    h.says(taken);
    expect(h.session.state).toBe("closed");
  });

  it("is not given up for a refusal of something else", () => {
    const h = new Harness();
    h.open();
    h.says(taken);
    expect([h.session.state, h.state.meta.client_id]).toEqual(["open", "c1"]);
  });
});

it("the deadline is the nearest of ping, silence and retry", () => {
  const h = new Harness();
  h.open();
  expect(h.session.deadline).toBe(5_000);
  h.now = 3_000;
  h.says({ type: "ping" });
  expect(h.session.deadline).toBe(8_000);
});

describe("what is too large for the server", () => {
  const limits = { message_bytes: 100, subscriptions: 128, requests: 64 };

  it("is not sent: a subscription is reported, with its size and the limit", () => {
    const h = new Harness();
    h.session.told({ type: "open", entity: "x".repeat(100), fields: false, tab: "t1" }, 0);
    expect(h.open({ limits }).map(({ type }) => type)).toEqual(["hello"]);
    const [refused] = h.of("refused");
    expect(refused!.error.code).toBe("too_large");
    expect(refused!.error.message).toMatch(/^'x+' is not read: \d+ bytes, the server takes 100/);
    expect(h.session.state).toBe("open");
  });

  it("is not known before the next server has said so: hello is sent, however long its token", () => {
    const h = new Harness();
    h.open({ limits });
    h.session.lost(1006, h.now);
    h.session.token = "t".repeat(200);
    expect(h.dial().map(({ type }) => type)).toEqual(["hello"]);
  });
});

describe("a subscription that the server refuses", () => {
  const told = (h: Harness, ...entities: string[]) => {
    for (const entity of entities) h.session.told({ type: "open", entity, fields: false, tab: "t1" }, h.now);
  };
  const refusal = { type: "error", code: "unknown_entity", message: "no entity 'b'" } as const;

  it("is told of by its name, and the others are not", () => {
    const h = new Harness();
    told(h, "a", "b");
    h.open();
    h.says({ ...refusal, details: { entity: "b" } });
    const { code, message } = h.of("refused")[0]!.error;
    expect(h.of("refused")).toMatchObject([{ entity: "b", fields: false }]);
    expect({ code, message }).toEqual({ code: "unknown_entity", message: "no entity 'b'" });
    expect(h.of("problem")).toEqual([]);
  });

  it.each([null, {}, { entity: "c" }, { entity: 7 }, ["b"], "b"])(
    "is a problem of nobody's where the server does not say which: %o",
    (details) => {
      const h = new Harness();
      told(h, "b");
      h.open();
      h.says({ ...refusal, details });
      expect([h.of("refused"), h.of("problem").length]).toEqual([[], 1]);
    },
  );

  it("is not meant by the refusal of a question", () => {
    const h = new Harness();
    told(h, "b");
    h.open();
    h.says({ ...refusal, details: { entity: "b" }, request_id: "q1" });
    expect(h.of("refused")).toEqual([]);
  });

  it("is said again on the next connection, which may be another server's", () => {
    const h = new Harness();
    told(h, "b");
    h.open();
    h.says({ ...refusal, details: { entity: "b" } });
    h.session.lost(1006, h.now);
    expect(h.open()).toMatchObject([{ type: "hello" }, { type: "subscribe", entities: ["b"] }]);
  });

  it("because there are too many is not even said: the server has told how many it takes", () => {
    const h = new Harness();
    told(h, "a", "b", "c");
    const sent = h.open({ limits: { ...WELCOME.limits, subscriptions: 2 } });
    expect(sent.flatMap((each) => (each.type === "subscribe" ? each.entities : []))).toEqual(["a", "b"]);
    expect(h.of("refused")).toMatchObject([{ entity: "c", error: { code: "too_many_subscriptions" } }]);
    expect(h.of("refused")[0]!.error.message).toContain("'c' is not read: the server takes 2 entities");
  });

  it("is read as soon as there is room", () => {
    const h = new Harness();
    told(h, "a", "b", "c");
    h.open({ limits: { ...WELCOME.limits, subscriptions: 2 } });
    h.session.told({ type: "shut", entity: "a", tab: "t1" }, h.now);
    expect(h.sent()).toMatchObject([
      { type: "unsubscribe", entities: ["a"] },
      { type: "subscribe", entities: ["c"] },
    ]);
  });
});

describe("what was closed and is read again", () => {
  const open = { type: "open", entity: "a", fields: false, tab: "t1" } as const;

  it("is asked for once all of what was before has come", () => {
    const h = new Harness();
    h.session.told(open, h.now);
    h.open();
    h.session.told({ ...open, type: "shut" }, h.now);
    h.session.told(open, h.now);
    expect(h.sent()).toEqual([{ type: "unsubscribe", entities: ["a"] }, { type: "ping" }]);
    h.says({ type: "sync_complete", entity: "a", epoch: "e1", version: 9, reset: false });
    expect(h.of("synced")).toEqual([]);
    expect(h.says({ type: "pong" })).toMatchObject([{ type: "subscribe", entities: ["a"] }]);
    h.says({ type: "sync_complete", entity: "a", epoch: "e1", version: 9, reset: false });
    expect(h.of("synced")).toHaveLength(1);
  });

  it("is asked for at once on the next connection", () => {
    const h = new Harness();
    h.session.told(open, h.now);
    h.open();
    h.session.told({ ...open, type: "shut" }, h.now);
    h.session.told(open, h.now);
    h.sent();
    h.session.lost(1006, h.now);
    expect(h.open().map(({ type }) => type)).toEqual(["hello", "subscribe"]);
    expect(h.says({ type: "pong" })).toEqual([]);
  });
});

describe("a server that is too busy", () => {
  const limited = { type: "error", message: "slower", code: "rate_limited", details: null, retry_after: 2_000 } as const;

  it("for a hello is left alone as long as it says", () => {
    const h = new Harness();
    h.dial();
    h.says(limited);
    expect(h.of("disconnect")).toHaveLength(1);
    expect(h.session.deadline).toBe(h.now + 2_500);
    h.open();
    h.session.lost(1006, h.now);
    expect(h.session.deadline).toBe(h.now + 1_000);
  });

  it("for a subscription is told of it again, and of none that has caught up", () => {
    const h = new Harness();
    for (const entity of ["a", "b"]) h.session.told({ type: "open", entity, fields: false, tab: "t1" }, 0);
    h.open();
    const of = { details: { entity: "b" } };
    h.says({ type: "sync_complete", entity: "a", epoch: "e1", version: 0, reset: false }, { ...limited, ...of });
    expect(h.of("refused")).toEqual([]);
    expect(h.session.deadline).toBe(h.now + 2_500);
    expect(h.wait(2_499)).toEqual([]);
    expect(h.wait(1)).toMatchObject([{ type: "subscribe", entities: ["b"] }]);
    expect(h.of("problem")).toHaveLength(1);
  });

  it.each(["internal", "storage_failed"] as const)("to answer hello (%s) is asked again on another connection", (code) => {
    const h = new Harness({ token: "t" });
    h.dial();
    h.says({ type: "error", message: "not now", code, details: null });
    expect(h.session.state).toBe("waiting");
    expect(h.of("disconnect")).toEqual([{ type: "disconnect", code: 1000 }]);
    expect(h.open().map(({ type }) => type)).toEqual(["hello"]);
    expect(h.session.state).toBe("open");
  });

  it("for a hello hears nothing else before it has welcomed the client", () => {
    const h = new Harness();
    h.session.told({ type: "open", entity: "a", fields: false, tab: "t1" }, 0);
    h.dial();
    h.says(limited);
    expect(h.wait(2_500)).toEqual([]);
  });

  it("and refuses what nobody waits for changes nothing", () => {
    const h = new Harness();
    h.open();
    h.says({ ...limited, request_id: "x" });
    expect(h.session.deadline).toBe(h.now + WELCOME.heartbeat);
  });
});
