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
    expect(own.take()).toEqual([]);
    expect(new Journal("db").take()).toEqual([[write("a"), "r1"]]);
    expect(new Journal("other").take()).toEqual([]);
  });

  it("keeps every digit of an integer", () => {
    const message = compose.push("users", "1", "update", { votes: 2n ** 64n, text: "1" }, {});
    new Journal("db").hold(write("a", { message }), "");
    expect(new Journal("db").take()).toEqual([[write("a", { message }), ""]]);
  });

  it("passes over what is none of its own", () => {
    new Journal("db").hold(write("a"), "");
    localStorage.setItem("rhtmx db b", "{");
    expect(new Journal("db").take()).toEqual([[write("a"), ""]]);
  });

  it("leaves what is of a database whose name only begins like its own", () => {
    new Journal("tasks of ada lovelace").hold(write("a"), "");
    expect(new Journal("tasks of ada").take()).toEqual([]);
    expect(new Journal("tasks of ada lovelace").take()).toHaveLength(1);
  });

  it.each(["null", "[]", "[null]", '[{"id":"b"},""]'])("passes over rubbish: %s", (text) => {
    localStorage.setItem("rhtmx db a", text);
    expect(new Journal("db").take()).toEqual([]);
  });

  it("forgets what is stored", () => {
    const own = new Journal("db");
    own.hold(write("a"), "");
    own.drop("a");
    expect(new Journal("db").take()).toEqual([]);
  });

  it("marks what it takes, until that is stored or left to others: whoever kept it lets go of it", () => {
    const [own, next] = [new Journal("db"), new Journal("db")];
    own.hold(write("a"), "");
    next.take();
    expect([own.isTaken("a"), own.release("a")]).toEqual([false, false]);
    next.leave();
    expect(own.take(), "it belongs to nobody").toEqual([[write("a"), ""]]);
  });

  it("gives back what it took and could not store", () => {
    const [own, next, third] = ["db", "db", "db"].map((name) => new Journal(name)) as [
      Journal,
      Journal,
      Journal,
    ];
    own.hold(write("a"), "");
    // Asked again, as a transaction is begun anew.
    next.take();
    next.take();
    third.take();
    next.leave();
    own.hold(write("a", { since: 1 }), "");
    expect(third.take(), "what another page is storing stays as it is").toEqual([[write("a"), ""]]);
    third.leave();
    expect(own.release("a")).toBe(true);
    expect(new Journal("db").take()).toEqual([]);
  });

  it("forgets what it took once that is stored", () => {
    const [own, next] = [new Journal("db"), new Journal("db")];
    own.hold(write("a"), "");
    next.take();
    next.dropTaken();
    expect([own.isTaken("a"), own.release("a")]).toEqual([true, false]);
  });

  it("does not keep again what another page has stored", () => {
    const [own, next] = [new Journal("db"), new Journal("db")];
    own.hold(write("a"), "");
    next.take();
    next.dropTaken();
    own.hold(write("a"), "");
    expect(new Journal("db").take()).toEqual([]);
  });

  it("does not take what somebody has cleared for what another page has stored", () => {
    const own = new Journal("db");
    own.hold(write("a"), "");
    for (const key of Object.keys(localStorage)) localStorage.removeItem(key);
    expect(own.isTaken("a")).toBe(false);
    // Another page keeps something since.
    new Journal("db").hold(write("b"), "");
    expect([own.isTaken("a"), own.release("a")]).toEqual([false, true]);
  });

  it("knows what somebody has cleared, which another page may have stored before", () => {
    const [own, other] = [new Journal("db"), new Journal("db")];
    for (const id of ["a", "b"]) own.hold(write(id), "");
    own.drop("b");
    expect(own.isCleared("a")).toBe(false);
    vi.stubGlobal("localStorage", new FakeStorage());
    // Whoever keeps one of the first again makes another mark.
    own.hold(write("b"), "");
    expect(["a", "b", "c"].map((id) => own.isCleared(id))).toEqual([true, false, false]);
    expect([own.isTaken("a"), other.isCleared("a")]).toEqual([false, false]);
    own.hold(write("a"), "");
    vi.stubGlobal("localStorage", new FakeStorage());
    own.hold(write("b"), "");
    expect([own.isTaken("a"), own.isCleared("a")]).toEqual([false, true]);
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
    expect(next.take()).toHaveLength(1);
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
    expect(new Journal("db").take()).toEqual([]);
  });
});

function refuse(): never {
  throw new DOMException("no", "SecurityError");
}
