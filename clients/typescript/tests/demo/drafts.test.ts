import { describe, expect, it } from "vitest";

import { Drafts } from "../../demo/drafts.ts";

const DRAFT = { text: "A thought", seen: "A th", version: 3 };

function storage() {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
  };
}

describe("drafts", () => {
  it("are there after a reload", () => {
    const tab = storage();
    new Drafts(tab).keep("1", "title", DRAFT);
    const reloaded = new Drafts(tab);
    expect(reloaded.ids).toEqual(["1"]);
    expect([...reloaded.of("1")]).toEqual([["title", DRAFT]]);
    expect([...reloaded.of("2")]).toEqual([]);
  });

  it("go when they are saved or taken back, one by one", () => {
    const tab = storage();
    const drafts = new Drafts(tab);
    drafts.keep("1", "title", DRAFT);
    drafts.keep("1", "notes", DRAFT);
    drafts.keep("1", "title", undefined);
    drafts.keep("9", "title", undefined);
    expect([...new Drafts(tab).of("1").keys()]).toEqual(["notes"]);
    drafts.keep("1", "notes", undefined);
    expect(new Drafts(tab).ids).toEqual([]);
  });

  it("go with their task", () => {
    const tab = storage();
    const drafts = new Drafts(tab);
    drafts.keep("1", "title", DRAFT);
    drafts.forget("1");
    expect(new Drafts(tab).ids).toEqual([]);
  });

  it("are kept in memory if the storage is full, and begin empty if it is broken", () => {
    const tab = storage();
    tab.setItem = () => {
      throw new Error("full");
    };
    const drafts = new Drafts(tab);
    drafts.keep("1", "title", DRAFT);
    expect(drafts.ids).toEqual(["1"]);
    tab.kept.set("rhtmx-demo:drafts", "{ this is no JSON");
    expect(new Drafts(tab).ids).toEqual([]);
  });
});
