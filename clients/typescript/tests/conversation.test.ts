import { describe, expect, it } from "vitest";

import { Harness } from "./support/harness.ts";
import { field, record } from "./support/logs.ts";
import { refusal } from "./support/refusal.ts";
import type { Log } from "../src/streams.ts";
import type { Message, ServerMessage } from "../src/messages/types.ts";

const change = (version: number): Message => ({ type: "change", change: record(version) });
const fieldChange = (version: number, name: string, more?: true): Message => {
  return { type: "field_change", change: field(version, name, more) };
};

function complete(version: number, more: { reset?: boolean; request_id?: string } = {}): Message {
  const rest = { epoch: "e1", reset: false, ...more };
  return { type: "sync_complete", entity: "users", version, ...rest };
}

/** A session that is welcomed and subscribed to records of `users`. */
function subscribed(since?: { epoch: string; version: number }): Harness {
  const h = new Harness();
  h.open();
  h.session.subscribe("records", "users", since);
  h.sent();
  return h;
}

function versions(h: Harness): number[] {
  return h.of("changed").map((each) => each.log.version);
}

describe("a subscription", () => {
  it("is sent at once on a connection, and with its position on the next", () => {
    const h = new Harness();
    h.open();
    h.session.subscribe("records", "users");
    expect(h.sent()).toEqual([{ type: "subscribe", entities: ["users"] }]);
    h.says(change(7));
    h.lose();
    expect(h.dial()[1]).toEqual({
      type: "subscribe",
      entities: ["users"],
      since: { users: { epoch: "e1", version: 7 } },
    });
  });

  it("that was made before there was a connection goes out after hello", () => {
    const h = new Harness();
    h.session.subscribe("fields", "users", { epoch: "", version: 0 });
    expect(h.dial().map((each) => each.type)).toEqual(["hello", "subscribe_fields"]);
  });

  it("ends with a message, and without one if there is no connection", () => {
    const h = subscribed();
    h.session.unsubscribe("records", "users");
    expect(h.sent()).toEqual([{ type: "unsubscribe", entities: ["users"] }]);
    h.session.unsubscribe("records", "users");
    expect(h.sent()).toEqual([]);
    h.lose();
    expect(h.dial().map((each) => each.type)).toEqual(["hello"]);
  });

  it("to the same stream twice is refused", () => {
    const h = subscribed();
    expect(refusal(() => h.session.subscribe("records", "users")).code).toBe("not_supported");
    h.session.subscribe("fields", "users");
  });

  it("that cannot be sent is refused to the caller, and leaves nothing behind", () => {
    const h = new Harness();
    expect(refusal(() => h.session.subscribe("records", "\ud800")).code).toBe("bad_message");
    expect(h.dial()).toHaveLength(1);
  });

  it("of another entity hears nothing", () => {
    const h = subscribed();
    h.says({ type: "change", change: { ...record(1), entity: "posts" } });
    expect(versions(h)).toEqual([]);
  });
});

describe("when the server could not resume", () => {
  it("the reset is told first, then all of it, then that it is in step", () => {
    const h = subscribed({ epoch: "e0", version: 90 });
    h.says(change(3), change(8), complete(9, { reset: true }));
    expect(h.events.slice(-4)).toEqual([
      { event: "reset", granularity: "records", entity: "users" },
      { event: "changed", granularity: "records", log: record(3) },
      { event: "changed", granularity: "records", log: record(8) },
      { event: "synced", granularity: "records", entity: "users", position: { epoch: "e1", version: 9 } },
    ]);
  });

  it("writes that wait are still there", () => {
    const h = subscribed({ epoch: "e0", version: 90 });
    h.session.push({ type: "push", entity: "users", entity_id: "1", action: "update", data: 1 });
    h.sent();
    h.says(complete(9, { reset: true }));
    h.lose();
    expect(h.open().map((each) => each.type)).toEqual(["hello", "subscribe", "push"]);
  });
});

describe("both granularities of one entity", () => {
  it("move together, since each commit comes once", () => {
    const h = subscribed();
    h.session.subscribe("fields", "users");
    h.says(change(5), fieldChange(6, "a", true), fieldChange(6, "b"));
    h.lose();
    const since = { users: { epoch: "e1", version: 6 } };
    expect(h.dial().slice(1)).toEqual([
      { type: "subscribe", entities: ["users"], since },
      { type: "subscribe_fields", entities: ["users"], since },
    ]);
  });

  it("do not when a commit was cut in the middle", () => {
    const h = subscribed();
    h.session.subscribe("fields", "users");
    h.says(change(5), fieldChange(6, "a", true));
    h.lose();
    expect(h.dial()[1]).toMatchObject({ since: { users: { version: 5 } } });
  });

  it("do not while a sync reads beside them", () => {
    const h = subscribed();
    h.session.subscribe("fields", "users");
    h.says(fieldChange(5, "a"));
    const id = h.session.ask({ type: "sync", entity: "users", since: 0 });
    h.says(change(9));
    h.says(complete(9, { request_id: id }));
    h.says(fieldChange(7, "a"));
    expect(versions(h)).toEqual([5, 9, 7]);
  });
});

describe("a question", () => {
  const validate = {
    type: "validate_field",
    request_id: "",
    form: "contact",
    field: "email",
    value: "x",
  } as const;

  function result(id: string): ServerMessage {
    const rest = { form: "contact", field: "email", valid: true, metadata: null };
    return { type: "validation_result", request_id: id, ...rest };
  }

  it("has its answer by its id, whatever comes first", () => {
    const h = new Harness();
    h.open();
    const [a, b] = [h.session.ask(validate), h.session.ask(validate)];
    h.says(result(b), result(a));
    expect(h.of("answered").map((each) => each.id)).toEqual([b, a]);
  });

  it("is asked again on the next connection", () => {
    const h = new Harness();
    h.open();
    const id = h.session.ask(validate);
    h.lose();
    expect(h.dial()[1]).toMatchObject({ type: "validate_field", request_id: id });
  });

  it("is answered once", () => {
    const h = new Harness();
    h.open();
    const id = h.session.ask(validate);
    h.says(result(id), result(id), result("r99"));
    expect(h.of("answered")).toHaveLength(1);
  });

  it("is refused by an error with its id, even if trying again may help", () => {
    const h = new Harness();
    h.open();
    const id = h.session.ask(validate);
    h.says({ type: "error", message: "slow", code: "timeout", request_id: id, details: null });
    expect(h.of("refused")).toMatchObject([{ id, error: { code: "timeout", retryable: true } }]);
  });

  it("that is larger than the server takes is refused here", () => {
    const h = new Harness();
    h.open();
    const id = h.session.ask({ ...validate, value: "x".repeat(70_000) });
    expect(h.sent()).toEqual([]);
    expect(h.of("refused")).toMatchObject([{ id, error: { code: "too_large" } }]);
  });

  it("that cannot be sent is refused to the caller", () => {
    const ask = () => new Harness().session.ask({ ...validate, value: "\0" });
    expect(refusal(ask).message).toMatch(/^validate_field\.value: /);
  });
});

describe("a sync", () => {
  function logs(h: Harness): number[] {
    return h.of("answered").flatMap((each) => (each.before as Log[]).map((log) => log.version));
  }

  it("is answered with the changes that came for it", () => {
    const h = new Harness();
    h.open();
    const id = h.session.ask({ type: "sync", entity: "users", since: 0 });
    h.says(change(1), fieldChange(2, "a"), change(3), complete(3, { request_id: id }));
    expect(logs(h)).toEqual([1, 3]);
    expect(versions(h)).toEqual([]);
  });

  it("that was cut begins anew", () => {
    const h = new Harness();
    h.open();
    const id = h.session.ask({ type: "sync", entity: "users", since: 0 });
    h.says(change(1));
    h.lose();
    h.open();
    h.says(change(1), change(2), complete(2, { request_id: id }));
    expect(logs(h)).toEqual([1, 2]);
  });

  it("never starts after the stream of the same records, which would hide a hole", () => {
    const h = subscribed({ epoch: "e1", version: 10 });
    h.session.ask({ type: "sync", entity: "users", since: 100, epoch: "e1" });
    expect(h.sent()).toMatchObject([{ type: "sync", since: 10, epoch: "e1" }]);
    h.session.ask({ type: "sync_fields", entity: "users", since: 100 });
    expect(h.sent()).toMatchObject([{ type: "sync_fields", since: 100 }]);
  });

  it("does not end the catching up of the stream", () => {
    const h = subscribed({ epoch: "e1", version: 10 });
    const id = h.session.ask({ type: "sync", entity: "users", since: 0 });
    h.says(change(12), complete(12, { request_id: id }));
    expect(h.of("synced")).toEqual([]);
    h.says(complete(12));
    expect(versions(h)).toEqual([12]);
  });
});

it("an error that answers nothing is a problem", () => {
  const h = new Harness();
  h.open();
  h.says({ type: "error", message: "m", code: "too_many_subscriptions", details: null });
  expect(h.of("problem")).toMatchObject([{ error: { code: "too_many_subscriptions" } }]);
});
