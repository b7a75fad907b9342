import { describe, expect, it } from "vitest";
import type { Event } from "../../src/core/events.ts";
import type { SessionOptions } from "../../src/core/session.ts";
import { apply, stateOf } from "../../src/core/storage-ops.ts";
import type { Message, ServerMessage, Welcome } from "../../src/messages/types.ts";
import { codecOf, decode, encode } from "../../src/wire/index.ts";
import { PLANS, SERVER } from "../../src/wire/plan.ts";
import { TestSession } from "../support/session.ts";
import { good } from "../support/vectors.ts";
import { WELCOME } from "../support/welcome.ts";

/** A session with its clock, and the server's side of its wire. */
class Harness {
  readonly state = stateOf();
  readonly session: TestSession;
  readonly events: Event[] = [];
  now = 0;

  constructor(options: Partial<SessionOptions> = {}) {
    this.state.meta.client_id = "c1";
    this.session = new TestSession(
      { codec: codecOf("json"), random: () => 0.5, ...options },
      this.state,
    );
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
    const { frames, events } = this.session.take();
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

describe("a newer server", () => {
  const h = () => {
    const harness = new Harness();
    harness.open();
    return harness;
  };
  const hear = (harness: Harness, ...frames: string[]) => {
    for (const frame of frames) harness.session.receive(frame, harness.now);
    return harness.sent();
  };
  const said = (words: string) => ({
    error: {
      code: "not_supported",
      message: `the server is newer than this client: ${words}`,
      details: null,
    },
  });

  it("may say what is not known: it is told once, also on the next connection", () => {
    const harness = h();
    const news = '{"type":"news","text":"x"}';
    hear(harness, news, news);
    harness.session.lost(1006, harness.now);
    harness.open();
    hear(harness, news, '{"type":"pong","later":1}', '{"type":"pong","later":2}');
    expect(harness.of("problem")).toMatchObject([
      said('type: message "news"'),
      said('pong: field "later"'),
    ]);
    expect(harness.session.state).toBe("open");
  });

  it("that says something new each time fills nothing", () => {
    const harness = h();
    for (let number = 0; number < 200; number += 1) hear(harness, `{"type":"news${number}"}`);
    expect(harness.of("problem")).toHaveLength(100);
  });

  it("that says what is broken ends the client", () => {
    const harness = h();
    hear(harness, '{"type":"change"}');
    expect(harness.session.state).toBe("closed");
    expect(harness.of("disconnect").at(-1)).toMatchObject({ code: 4500 });
  });

  it.each([
    [4500, "closed"],
    [4999, "closed"],
    [4000, "waiting"],
    [1006, "waiting"],
  ])(
    "that refuses a hello in a word of its own is believed by its close code %d",
    (code, state) => {
      const harness = new Harness();
      harness.dial();
      hear(harness, '{"type":"error","message":"moved","code":"tenant_moved"}');
      expect(harness.session.state).toBe("connecting");
      harness.session.lost(code, harness.now);
      expect(harness.session.state).toBe(state);
    },
  );

  it("that refuses a hello in a word of its own, and says that it passes, is tried again", () => {
    const harness = new Harness();
    harness.dial();
    hear(harness, '{"type":"error","message":"moved","code":"tenant_moved","retry_after":9}');
    expect(harness.session.state).toBe("waiting");
  });
});

describe("every message of a server has a handler:", () => {
  const types = PLANS.filter((plan) => plan.sides & SERVER).map((plan) => plan.type);

  it.each(types)("%s", (type) => {
    for (const { json } of good.filter((each) => each.case === type)) {
      const harness = new Harness();
      harness.open();
      harness.session.receive(json, harness.now);
      harness.sent();
      const told = harness.of("problem").map(({ error }) => error.message);
      expect(told.filter((each) => each.includes("newer than this client"))).toEqual([]);
      const ephemeral = ["room_members", "room_message", "room_closed"].includes(type);
      // A verdict of an open form is told where nobody asked.
      const others = harness
        .of("told")
        .filter(({ message }) => message.type !== "validation_result");
      expect(others).toHaveLength(ephemeral ? 1 : 0);
    }
  });

  it("and there are vectors of each", () => {
    expect(types).not.toEqual([]);
    expect([...new Set(good.map((each) => each.case))]).toEqual(expect.arrayContaining(types));
  });
});

describe("what is told and never stored", () => {
  const tell = (token: string) =>
    ({ type: "tell", message: { type: "authenticate", token } }) as never;

  it("is sent at once where there is a connection, and else never", () => {
    const h = new Harness();
    h.session.told(tell("early"), h.now);
    h.open();
    h.session.told(tell("now"), h.now);
    expect(h.sent()).toEqual([{ type: "authenticate", token: "now" }]);
  });

  it("is a problem where the server would not take it", () => {
    const h = new Harness();
    h.open({ limits: { ...WELCOME.limits, message_bytes: 100 } });
    h.session.told(tell("x".repeat(100)), h.now);
    expect(h.sent()).toEqual([]);
    expect(h.of("problem").map(({ error }) => error.code)).toEqual(["too_large"]);
  });
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
  const wakes = [
    { type: "wake" },
    { type: "online", why: "network" },
    { type: "online", why: "app" },
  ] as const;

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
    h.session.told(
      { type: "ask", id: "q1", question: { type: "authenticate", token: "t" } },
      h.now,
    );
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
    expect(
      h
        .of("state")
        .slice(-2)
        .map(({ error }) => error),
    ).toEqual([why, why]);
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

  it("is not explained by what came too late: the next one has reasons of its own", () => {
    const h = new Harness();
    h.open();
    h.session.explained(why);
    h.session.lost(1006, h.now);
    h.sent();
    expect(h.of("state").at(-1)).toEqual({ type: "state", state: "waiting", error: undefined });
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
    h.says(
      { ...answer, request_id: "q2" },
      { ...answer, request_id: "q1" },
      { ...answer, request_id: "q1" },
    );
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

it("a verdict that nobody asked for is told to all tabs", () => {
  const h = new Harness();
  h.open();
  const verdict = { type: "validation_result", form: "f", field: "name", valid: false } as const;
  const news = { ...verdict, request_id: "", form_instance: "1", metadata: null };
  h.says(news);
  expect(h.of("told")).toMatchObject([{ message: news }]);
  h.says({ ...news, request_id: "of another time" });
  expect(h.of("told")).toHaveLength(1);
});

describe("questions beyond the server's limit", () => {
  const question = { type: "validate_form", request_id: "", form: "f", fields: [] } as const;
  const answer = { type: "form_validation_result", form: "f", valid: true, errors: [] } as const;
  const ask = (h: Harness, ...ids: string[]) => {
    for (const id of ids) h.session.told({ type: "ask", id, question }, h.now);
  };
  const ids = (sent: Message[]) =>
    sent.flatMap((each) => (each.type === "validate_form" ? [each.request_id] : []));
  const limits = { ...WELCOME.limits, requests: 2 };

  it("wait in the client, and go out in their order as others are answered", () => {
    const h = new Harness();
    h.open({ limits });
    ask(h, "t1-1", "t2-1", "t1-2", "t2-2");
    expect(ids(h.sent())).toEqual(["t1-1", "t2-1"]);
    expect(ids(h.says({ ...answer, request_id: "t2-1" }))).toEqual(["t1-2"]);
    expect(
      ids(h.says({ type: "error", message: "no", details: null, request_id: "t1-1" })),
    ).toEqual(["t2-2"]);
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
    h.says({
      type: "error",
      message: "busy",
      code: "too_many_requests",
      details: null,
      request_id: "t1-1",
    });
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
  const taken = {
    type: "error",
    message: "taken",
    code: "client_id_taken",
    details: null,
  } as const;

  it.each([{ token: "t" }, { token: () => "t" }, { clientId: "c1" }])(
    "ends the client that a user or the application stands behind: %o",
    (options) => {
      const h = new Harness(options);
      h.dial();
      h.says(taken);
      expect(h.of("disconnect")).toHaveLength(1);
      expect(h.of("state").at(-1)).toMatchObject({
        state: "closed",
        error: { code: "client_id_taken" },
      });
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
    const [refused] = h.of("rejected");
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
    for (const entity of entities)
      h.session.told({ type: "open", entity, fields: false, tab: "t1" }, h.now);
  };
  const refusal = { type: "error", code: "unknown_entity", message: "no entity 'b'" } as const;

  it("is told of by its name, and the others are not", () => {
    const h = new Harness();
    told(h, "a", "b");
    h.open();
    h.says({ ...refusal, details: { entity: "b" } });
    const { code, message } = h.of("rejected")[0]!.error;
    expect(h.of("rejected")).toMatchObject([{ entity: "b", fields: false }]);
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
      expect([h.of("rejected"), h.of("problem").length]).toEqual([[], 1]);
    },
  );

  it("is not meant by the refusal of a question", () => {
    const h = new Harness();
    told(h, "b");
    h.open();
    h.says({ ...refusal, details: { entity: "b" }, request_id: "q1" });
    expect(h.of("rejected")).toEqual([]);
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
    expect(sent.flatMap((each) => (each.type === "subscribe" ? each.entities : []))).toEqual([
      "a",
      "b",
    ]);
    expect(h.of("rejected")).toMatchObject([
      { entity: "c", error: { code: "too_many_subscriptions" } },
    ]);
    expect(h.of("rejected")[0]!.error.message).toContain(
      "'c' is not read: the server takes 2 entities",
    );
  });

  it("is read as soon as there is room", () => {
    const h = new Harness();
    told(h, "a", "b", "c");
    h.open({ limits: { ...WELCOME.limits, subscriptions: 2 } });
    h.says({ type: "sync_complete", entity: "a", epoch: "e1", version: 9, reset: false });
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
    h.says({ type: "sync_complete", entity: "a", epoch: "e1", version: 9, reset: false });
    h.session.told({ ...open, type: "shut" }, h.now);
    h.session.told(open, h.now);
    expect(h.sent()).toEqual([{ type: "unsubscribe", entities: ["a"] }, { type: "ping" }]);
    h.events.length = 0;
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
  const limited = {
    type: "error",
    message: "slower",
    code: "rate_limited",
    details: null,
    retry_after: 2_000,
  } as const;

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
    for (const entity of ["a", "b"])
      h.session.told({ type: "open", entity, fields: false, tab: "t1" }, 0);
    h.open();
    const of = { details: { entity: "b" } };
    h.says(
      { type: "sync_complete", entity: "a", epoch: "e1", version: 0, reset: false },
      { ...limited, ...of },
    );
    expect(h.of("rejected")).toEqual([]);
    expect(h.session.deadline).toBe(h.now + 2_500);
    expect(h.wait(2_499)).toEqual([]);
    expect(h.wait(1)).toMatchObject([{ type: "subscribe", entities: ["b"] }]);
    expect(h.of("problem")).toHaveLength(1);
  });

  it.each(["internal", "storage_failed"] as const)(
    "to answer hello (%s) is asked again on another connection",
    (code) => {
      const h = new Harness({ token: "t" });
      h.dial();
      h.says({ type: "error", message: "not now", code, details: null });
      expect(h.session.state).toBe("waiting");
      expect(h.of("disconnect")).toEqual([{ type: "disconnect", code: 1000 }]);
      expect(h.open().map(({ type }) => type)).toEqual(["hello"]);
      expect(h.session.state).toBe("open");
    },
  );

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

describe("what a tab wants", () => {
  it("to hear everything again, and what the store has, is asked for where something was lost", () => {
    const h = new Harness();
    h.open();
    h.events.length = 0;
    h.session.told({ type: "lost" }, h.now);
    h.sent();
    expect(h.events).toEqual([{ type: "again" }, { type: "reload" }]);
    h.events.length = 0;
    h.session.told({ type: "hole" }, h.now);
    h.sent();
    expect(h.events).toEqual([{ type: "reload" }]);
  });

  it("to know how the connection is, is told", () => {
    const h = new Harness();
    h.open();
    h.events.length = 0;
    h.session.told({ type: "hello" }, h.now);
    h.sent();
    expect(h.events).toEqual([{ type: "state", state: "open", error: undefined }]);
  });

  it("to hear the changes of an entity, is subscribed to until it wants no more", () => {
    const h = new Harness();
    h.open();
    h.session.told({ type: "watch", entity: "a", tab: "t" }, h.now);
    expect(h.sent()).toMatchObject([{ type: "subscribe", entities: ["a"] }]);
    h.says({ type: "sync_complete", entity: "a", epoch: "e1", version: 9, reset: false });
    h.session.told({ type: "unwatch", entity: "a", tab: "t" }, h.now);
    expect(h.sent()).toMatchObject([{ type: "unsubscribe", entities: ["a"] }]);
  });

  it("to hear the changes again, of which it has missed some, is told so", () => {
    const h = new Harness();
    h.open();
    h.session.told({ type: "watch", entity: "a", tab: "t" }, h.now);
    h.says({ type: "sync_complete", entity: "a", epoch: "e1", version: 5, reset: false });
    h.events.length = 0;
    h.session.told({ type: "watch", entity: "a", tab: "other", missed: true }, h.now);
    h.sent();
    expect(h.events).toEqual([{ type: "seen", entity: "a", change: null }]);
  });

  it("to connect now, does so", () => {
    const h = new Harness();
    h.open();
    h.session.lost(1006, h.now);
    h.sent();
    h.session.told({ type: "wake" }, h.now);
    expect(h.session.state).toBe("connecting");
  });
});

describe("a connection that is not there", () => {
  it("is connecting until the server has said welcome", () => {
    const h = new Harness();
    h.dial();
    expect(h.session.state).toBe("connecting");
    h.says(WELCOME);
    expect(h.session.state).toBe("open");
  });

  it("and is not wanted is not made again when its socket ends", () => {
    const h = new Harness();
    h.open();
    h.session.told({ type: "offline", why: "app" }, h.now);
    h.session.lost(1000, h.now);
    expect([h.session.state, h.session.deadline]).toEqual(["offline", undefined]);
  });

  it("ends for good with a token that expired and cannot be had anew", () => {
    const h = new Harness({ token: "t" });
    h.open();
    h.session.lost(4503, h.now);
    expect(h.session.state).toBe("closed");
  });

  it("ends for good where the server says so, whatever token can be had", () => {
    const h = new Harness({ token: () => "t" });
    h.open();
    h.session.lost(4504, h.now);
    expect(h.session.state).toBe("closed");
  });
});

describe("the token", () => {
  const question = { type: "validate_form", request_id: "", form: "f", fields: [] } as const;

  it("that was given is presented on every connection, whatever is asked", () => {
    const h = new Harness({ token: "t" });
    expect(h.open()).toMatchObject([{ type: "hello", token: "t" }]);
    h.session.told({ type: "ask", id: "q", question }, h.now);
    h.session.lost(1006, h.now);
    expect(h.open()[0]).toMatchObject({ type: "hello", token: "t" });
  });

  it("is none until it was fetched", () => {
    expect(
      (new Harness({ token: () => "t" }).open()[0] as { token?: string }).token,
    ).toBeUndefined();
  });
});

it("the epoch is stored when it is another one", () => {
  const h = new Harness();
  const stored = () => h.session.take().ops;
  h.dial();
  for (const epoch of ["e1", "e1", "e2"]) {
    h.session.receive(encode({ ...WELCOME, epoch }, "json"), h.now);
  }
  expect(stored()).toEqual([
    ["epoch", "e1"],
    ["epoch", "e2"],
  ]);
});

it("a hello that may be taken later says so", () => {
  const h = new Harness();
  h.dial();
  h.says({ type: "error", message: "m", code: "internal", details: null });
  expect(h.of("problem")).toMatchObject([{ error: { message: "m" } }]);
});

describe("the limit of a message", () => {
  it.each(["json", "proto"] as const)(
    "is one of bytes, and what fills it is sent: %s",
    (format) => {
      const question = {
        type: "validate_form",
        request_id: "",
        form: "é".repeat(90),
        fields: [],
      } as const;
      const { length } = Buffer.from(encode({ ...question, request_id: "q" }, format));
      for (const message_bytes of [length, length - 1]) {
        const session = new TestSession({ codec: codecOf(format), random: () => 0.5 }, stateOf());
        const limits = { ...WELCOME.limits, message_bytes };
        session.tick(0);
        session.opened(0);
        session.receive(encode({ ...WELCOME, limits }, format), 0);
        session.take();
        session.told({ type: "ask", id: "q", question }, 0);
        const { frames, events } = session.take();
        expect(frames).toHaveLength(message_bytes === length ? 1 : 0);
        const refused = message_bytes === length ? [] : [{ error: { code: "too_large" } }];
        expect(events).toMatchObject(refused);
      }
    },
  );
});

describe("when a connection ends on what was too large", () => {
  const question = { type: "validate_form", request_id: "", form: "f", fields: [] } as const;
  const answer = { type: "form_validation_result", form: "f", valid: true, errors: [] } as const;
  const asked = (messages: Message[]) =>
    messages.map((each) => ("request_id" in each && each.request_id) || each.type);

  function suspected(...ids: string[]): Harness {
    const h = new Harness();
    h.open();
    h.says({ type: "pong" });
    for (const id of ids) h.session.told({ type: "ask", id, question }, h.now);
    h.sent();
    h.session.lost(1009, h.now);
    return h;
  }

  it("what was alone is not blamed before it ends one by itself, after a sign of life", () => {
    const h = suspected("q1");
    expect(h.of("answer")).toEqual([]);
    expect(asked(h.open())).toEqual(["hello", "ping"]);
    expect(asked(h.says({ type: "pong" }))).toEqual(["q1"]);
    h.session.lost(1009, h.now);
    h.sent();
    expect(h.of("answer")).toMatchObject([{ id: "q1", error: { code: "too_large" } }]);
  });

  it("what was under way goes one at a time, and what comes later with the last of it", () => {
    const h = suspected("q1", "q2");
    h.open();
    expect(asked(h.says({ type: "pong" }))).toEqual(["q1"]);
    h.session.told({ type: "ask", id: "q3", question }, h.now);
    h.session.told({ type: "ask", id: "q4", question }, h.now);
    expect(h.sent()).toEqual([]);
    expect(asked(h.says({ ...answer, request_id: "q1" }))).toEqual(["q2"]);
    expect(asked(h.says({ ...answer, request_id: "q2" }))).toEqual(["q3", "q4"]);
  });

  it("a write that comes meanwhile waits for its turn", () => {
    const h = suspected("q1");
    h.open();
    h.says({ type: "pong" });
    const message = {
      type: "push",
      entity: "t",
      entity_id: "1",
      action: "update",
      data: 1,
    } as const;
    const write = { id: "w1", seq: 1, entity: "t", entityId: "1", message, since: 0 };
    apply(h.state, ["write", "w1", write]);
    h.session.told({ type: "added", write }, h.now);
    expect(h.sent()).toEqual([]);
    expect(asked(h.says({ ...answer, request_id: "q1" }))).toEqual(["w1"]);
    h.session.lost(1009, h.now);
    h.open();
    expect(asked(h.says({ type: "pong" }))).toEqual(["w1"]);
    const next = { ...write, id: "w2", seq: 2 };
    apply(h.state, ["write", "w2", next]);
    h.session.told({ type: "added", write: next }, h.now);
    expect(h.sent()).toEqual([]);
  });
});
