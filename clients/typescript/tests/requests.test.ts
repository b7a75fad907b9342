import { describe, expect, it } from "vitest";

import { Requests } from "../src/requests.ts";
import { field, record } from "./support/logs.ts";

const sync = { type: "sync", entity: "users", since: 0 } as const;
const syncFields = { type: "sync_fields", entity: "users", since: 0 } as const;

it("questions are asked again in the order in which they were asked", () => {
  const requests = new Requests();
  requests.add("a", sync);
  requests.add("b", syncFields);
  expect(requests.begin()).toEqual([
    ["a", sync],
    ["b", syncFields],
  ]);
  expect(requests.ids).toEqual(["a", "b"]);
});

it("a question is settled once, and only if it was asked", () => {
  const requests = new Requests();
  requests.add("a", sync);
  expect(requests.settle(undefined)).toBeUndefined();
  expect(requests.settle("b")).toBeUndefined();
  expect(requests.settle("a")).toEqual([]);
  expect(requests.settle("a")).toBeUndefined();
});

describe("a change", () => {
  it("goes to every sync of its entity and granularity", () => {
    const requests = new Requests();
    requests.add("a", sync);
    requests.add("b", { ...sync, since: 3 });
    requests.add("c", syncFields);
    requests.add("d", { ...sync, entity: "posts" });
    requests.receive("records", record(4));
    requests.receive("fields", field(5, "x"));
    const settled = ["a", "b", "c", "d"].map((id) => requests.settle(id));
    expect(settled).toEqual([[record(4)], [record(4)], [field(5, "x")], []]);
  });

  it("that came before the connection was cut comes again", () => {
    const requests = new Requests();
    requests.add("a", sync);
    requests.receive("records", record(4));
    requests.begin();
    expect(requests.settle("a")).toEqual([]);
  });
});

it("an entity is being synced until that is settled", () => {
  const requests = new Requests();
  requests.add("t", { type: "authenticate", token: "t" });
  requests.add("a", syncFields);
  expect([requests.syncing("users"), requests.syncing("posts")]).toEqual([true, false]);
  requests.settle("a");
  expect(requests.syncing("users")).toBe(false);
});
