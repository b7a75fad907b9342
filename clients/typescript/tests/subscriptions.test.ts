import { expect, it } from "vitest";

import { Runner } from "../src/runner.ts";
import { Subscriptions } from "../src/subscriptions.ts";
import { record } from "./support/logs.ts";
import { fakeSockets } from "./support/sockets.ts";

function make(): Subscriptions {
  const { WebSocket } = fakeSockets();
  const options = { url: "ws://x/", WebSocket, format: "json", random: () => 0 } as const;
  return new Subscriptions(new Runner(options, () => {}));
}

const changed = { event: "changed", granularity: "records", log: record(1) } as const;

it("an event of a stream goes to its listeners and to no others", () => {
  const subscriptions = make();
  const heard: string[] = [];
  subscriptions.add("records", "users", () => heard.push("users"), {});
  subscriptions.add("fields", "users", () => heard.push("fields"), {});
  subscriptions.add("records", "posts", () => heard.push("posts"), {});
  expect(subscriptions.handle(changed)).toBe(true);
  expect(heard).toEqual(["users"]);
});

it("a listener that stops another one is obeyed for the next event", () => {
  const subscriptions = make();
  const heard: string[] = [];
  let stopSecond = () => {};
  subscriptions.add("records", "users", () => stopSecond(), {});
  stopSecond = subscriptions.add("records", "users", () => heard.push("second"), {});
  subscriptions.handle(changed);
  subscriptions.handle(changed);
  expect(heard).toEqual(["second"]);
});

it("a stream that ended can be subscribed to anew, from anywhere", () => {
  const subscriptions = make();
  subscriptions.add("records", "users", () => {}, {})();
  subscriptions.add("records", "users", () => {}, { since: 0 });
});

it("an event of no stream, or of one that ended, does no harm", () => {
  const subscriptions = make();
  expect(subscriptions.handle({ event: "connect" })).toBe(false);
  expect(subscriptions.handle(changed)).toBe(true);
});
