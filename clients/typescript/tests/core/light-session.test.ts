import { expect, it } from "vitest";

import type { Input } from "../../src/core/events.ts";
import { LightSession } from "../../src/core/light-session.ts";
import type { Message, Question, ServerMessage } from "../../src/messages/types.ts";
import { decode, encode } from "../../src/wire/index.ts";
import { LIGHT_CODEC } from "../../src/wire/light.ts";
import { WELCOME } from "../support/welcome.ts";

const options = { codec: LIGHT_CODEC, random: () => 0.5 };
const question: Question = {
  type: "validate_field",
  request_id: "",
  form: "contact",
  field: "name",
  value: "Ada",
  values: [],
};

class Side {
  readonly session = new LightSession(options);
  now = 0;

  take(input: Input) {
    const { frames, events, deadline } = this.session.step(input, this.now);
    return { said: frames.map((frame): Message => decode(frame, "json")), events, deadline };
  }

  hears(message: ServerMessage) {
    return this.take({ type: "frame", data: encode(message, "json") });
  }

  open() {
    this.take({ type: "tick" });
    this.take({ type: "opened" });
    this.hears(WELCOME);
  }
}

const asks = (id: string): Input => ({ type: "ask", id, question });
const answer: ServerMessage = {
  type: "validation_result",
  request_id: "q1",
  form: "contact",
  field: "name",
  valid: true,
  metadata: null,
};

it("says hello without an id, and asks once it is welcome", () => {
  const side = new Side();
  side.take(asks("q1"));
  expect(side.take({ type: "tick" }).events).toContainEqual({ type: "connect" });
  const { said } = side.take({ type: "opened" });
  expect(said).toMatchObject([{ type: "hello" }]);
  expect(said[0]).not.toHaveProperty("client_id", expect.anything());
  expect(side.hears(WELCOME).said).toMatchObject([{ type: "validate_field", request_id: "q1" }]);
  expect(side.hears(answer).events).toMatchObject([{ type: "answer", id: "q1", answer }]);
});

it("asks again on the next connection", () => {
  const side = new Side();
  side.open();
  side.take(asks("q1"));
  const { deadline } = side.take({ type: "ended", code: 1006 });
  side.now = deadline!;
  side.take({ type: "tick" });
  side.take({ type: "opened" });
  expect(side.hears(WELCOME).said).toMatchObject([{ request_id: "q1" }]);
});

it("tells of a verdict that nobody has asked for", () => {
  const side = new Side();
  side.open();
  const news = { ...answer, request_id: "", live: true };
  expect(side.hears(news).events).toMatchObject([{ type: "told", message: news }]);
});

it("answers pings, and takes an answer to its own for a sign of life", () => {
  const side = new Side();
  side.open();
  expect(side.hears({ type: "ping" }).said).toEqual([{ type: "pong" }]);
  side.now = WELCOME.heartbeat;
  expect(side.take({ type: "tick" }).said).toEqual([{ type: "ping" }]);
  side.hears({ type: "pong" });
  side.now += WELCOME.heartbeat;
  expect(side.take({ type: "tick" }).said).toEqual([{ type: "ping" }]);
  expect(side.session.state).toBe("open");
});

it("waits while the server is too busy, and asks again then", () => {
  const side = new Side();
  side.open();
  side.take(asks("q1"));
  const busy = { type: "error", code: "rate_limited", message: "later", details: null } as const;
  const { deadline, events } = side.hears({ ...busy, request_id: "q1", retry_after: 100 });
  expect(events).toEqual([]);
  side.now = deadline!;
  expect(side.take({ type: "tick" }).said).toMatchObject([{ request_id: "q1" }]);
});

it("refuses what a connection ended on as too large, and goes on", () => {
  const side = new Side();
  side.open();
  side.take(asks("q1"));
  expect(side.take({ type: "ended", code: 1009 }).events).toMatchObject([
    { type: "answer", id: "q1", error: { code: "too_large" } },
    { type: "state", state: "waiting" },
  ]);
});

it("ends for good where it ended as too large and nothing was asked", () => {
  const side = new Side();
  side.open();
  side.take({ type: "ended", code: 1009 });
  expect(side.session.state).toBe("closed");
});

it("passes over what only a client with records is told", () => {
  const side = new Side();
  side.open();
  const tasks = { entity: "tasks", epoch: "e1", version: 1, reset: false };
  expect(side.hears({ type: "sync_complete", ...tasks })).toMatchObject({ said: [], events: [] });
  expect(side.session.state).toBe("open");
});

it("presents its token on every connection", () => {
  const side = new Side();
  side.session.token = "t1";
  side.take({ type: "tick" });
  expect(side.take({ type: "opened" }).said).toMatchObject([{ type: "hello", token: "t1" }]);
  side.hears(WELCOME);
  side.take({ type: "ask", id: "q2", question: { type: "authenticate", token: "t2" } });
  side.now = side.take({ type: "ended", code: 1006 }).deadline!;
  side.take({ type: "tick" });
  expect(side.take({ type: "opened" }).said).toMatchObject([{ type: "hello", token: "t2" }]);
});
