import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import * as compose from "../../src/core/build-message.ts";
import { Journal } from "../../src/stores/journal.ts";
import { FakeStorage } from "../support/storage.ts";
import { write } from "../support/writes.ts";

beforeEach(() => void vi.stubGlobal("localStorage", new FakeStorage()));
afterEach(() => void vi.unstubAllGlobals());

describe("a journal", () => {
  it("shows the next page what a page left, as it was, and not its own", () => {
    const own = new Journal("db");
    own.hold(write("a"), "r1");
    expect(own.found).toEqual([]);
    expect(new Journal("db").found).toEqual([[write("a"), "r1"]]);
    expect(new Journal("other").found).toEqual([]);
  });

  it("keeps every digit of an integer", () => {
    const message = compose.push("users", "1", "update", { votes: 2n ** 64n, text: "1" }, {});
    new Journal("db").hold(write("a", { message }), "");
    expect(new Journal("db").found).toEqual([[write("a", { message }), ""]]);
  });

  it("passes over what is none of its own", () => {
    new Journal("db").hold(write("a"), "");
    localStorage.setItem("rhtmx db b", "{");
    expect(new Journal("db").found).toEqual([[write("a"), ""]]);
  });

  it("leaves what is of a database whose name only begins like its own", () => {
    new Journal("tasks of ada lovelace").hold(write("a"), "");
    expect(new Journal("tasks of ada").found).toEqual([]);
    expect(new Journal("tasks of ada lovelace").found).toHaveLength(1);
  });

  it.each(["null", "[]", "[null]", '[{"id":"b"},""]'])("passes over rubbish: %s", (text) => {
    localStorage.setItem("rhtmx db a", text);
    expect(new Journal("db").found).toEqual([]);
  });

  it("forgets what is stored", () => {
    const own = new Journal("db");
    own.hold(write("a"), "");
    own.drop("a");
    expect(new Journal("db").found).toEqual([]);
  });

  it("knows when another page has taken what this one kept", () => {
    const [own, next] = [new Journal("db"), new Journal("db")];
    own.hold(write("a"), "");
    expect(own.isTaken("a")).toBe(false);
    next.drop("a", true);
    expect(own.isTaken("a")).toBe(true);
    expect(own.isTaken("b"), "it was never kept").toBe(false);
  });

  it("takes away only what was kept here", () => {
    new Journal("db").hold(write("a"), "");
    const next = new Journal("db");
    next.drop("a");
    expect(next.found).toHaveLength(1);
  });

  it.each([
    ["there is none", () => vi.stubGlobal("localStorage", undefined)],
    [
      "it is rejected",
      () => Object.defineProperty(globalThis, "localStorage", { configurable: true, get: refuse }),
    ],
    ["it is full", () => Object.defineProperty(localStorage, "setItem", { value: refuse })],
  ])("keeps nothing, and says nothing, where %s", (_, spoil) => {
    spoil();
    const own = new Journal("db");
    own.hold(write("a"), "");
    expect(own.isTaken("a")).toBe(false);
    expect(() => own.drop("a")).not.toThrow();
    expect(new Journal("db").found).toEqual([]);
  });
});

function refuse(): never {
  throw new DOMException("no", "SecurityError");
}
