/**
 * The table at the head of `fallback.ts`, row by row.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Op, Standing } from "../../src/core/storage-ops.ts";
import { applyAll, stateOf } from "../../src/core/storage-ops.ts";
import { Fallback } from "../../src/stores/fallback.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { contentsOf } from "../support/contents.ts";
import { FakeDisk } from "../support/disk.ts";
import { write } from "../support/writes.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const rejected = {
  id: "r1",
  message: write("r1").message,
  code: "forbidden",
  text: "no",
  details: null,
} as const;
const place = (version: number) => ({ epoch: "e1", version, fields: false });

/** A tab on a disk. Its memory is what `TabMemory` makes of what is loaded. */
class World {
  on = new MemoryStore("c0", "s0");
  readonly disk = new FakeDisk(() => this.on);
  readonly state = stateOf();
  #made = 0;
  readonly store = new Fallback(this.disk, this.state, () => `own ${(this.#made += 1)}`);
  readonly errors: string[] = [];
  readonly stands: Standing[] = [];

  constructor() {
    this.store.onlost = ({ code }) => this.errors.push(code);
    this.store.onmove = (standing) => this.stands.push(standing);
    this.store.onback = () => this.load();
  }

  async load(): Promise<void> {
    const own = [...this.state.writes].filter(([, { seq }]) => !seq);
    const found = await this.store.load();
    applyAll(
      found,
      own.map(([id, each]) => ["write", id, each]),
    );
    Object.assign(this.state, found);
  }

  /** Writes: it is in memory at once; returns its number once there is one. */
  add(id: string): Promise<number> {
    applyAll(this.state, [["write", id, write(id)]]);
    return this.store.add(write(id)).then((seq) => {
      applyAll(this.state, [["write", id, write(id, { seq })]]);
      return seq;
    });
  }

  /** Something changes in memory, and is looked at. */
  async now(open: boolean, ...ops: Op[]): Promise<void> {
    applyAll(this.state, ops);
    this.store.look?.(open);
    await vi.advanceTimersByTimeAsync(0);
  }

  /** The time comes to try again. */
  again(): Promise<unknown> {
    return vi.advanceTimersByTimeAsync(5_000);
  }

  get id(): string {
    return this.state.meta.client_id;
  }
}

/** A tab that has loaded. */
async function loaded(): Promise<World> {
  const world = new World();
  await world.load();
  return world;
}

/** One in whose store writes wait as it fails. */
async function leaving(...ids: string[]): Promise<World> {
  const world = await loaded();
  for (const id of ids) await world.add(id);
  world.disk.breaks("it was closed");
  return world;
}

describe("stored", () => {
  it("is what a tab is once it has loaded, and until the disk fails", async () => {
    const world = new World();
    expect(world.store.stored).toBe(false);
    await world.load();
    expect(world.store.stored).toBe(true);
    expect(await world.add("a")).toBe(1);
    expect((await contentsOf(world.on)).writes).toMatchObject([{ id: "a", seq: 1 }]);
    world.disk.breaks("it was closed");
    expect([world.store.stored, world.errors]).toEqual([false, ["storage_failed"]]);
  });

  it("refuses what a full disk refuses, and stays", async () => {
    const world = await loaded();
    world.disk.full = true;
    await expect(world.add("a")).rejects.toMatchObject({ code: "storage_full" });
    await expect(world.store.apply([["epoch", "e1"]])).rejects.toMatchObject({
      code: "storage_full",
    });
    expect([world.store.stored, world.errors, world.stands]).toEqual([true, [], []]);
  });

  it("passes on that a fresh number cannot be given, and parks nothing that has one", async () => {
    const world = await loaded();
    await world.add("a");
    world.disk.why = "it was closed";
    await expect(world.store.add(write("a", { seq: 1 }))).rejects.toMatchObject({
      code: "storage_failed",
    });
    expect(world.state.parked!.size).toBe(0);
  });

  it("passes on what it is told of pages that end", async () => {
    const world = new World();
    world.store.hold(write("a"), "");
    expect(world.disk.held).toEqual(["a"]);
    world.disk.taken.add("a");
    await world.load();
    expect(await world.store.add(write("a"))).toBe(0);
  });

  it("says what is wrong and what follows, once", async () => {
    const world = await loaded();
    const told = vi.fn();
    world.store.onlost = told;
    world.disk.why = "it was closed";
    await Promise.all([world.store.apply([]), world.store.apply([])]);
    world.disk.breaks("once more");
    await world.again();
    expect(told).toHaveBeenCalledOnce();
    expect(told.mock.calls[0]![0].message).toMatch(
      "it was closed; until it works again, all is kept in memory",
    );
  });
});

describe.each([
  ["while it is loaded", (world: World) => world.load()],
  [
    "when something is written",
    (world: World) => world.load().then(() => void ((world.disk.why = "x"), world.add("a"))),
  ],
  [
    "when something is told",
    (world: World) => world.load().then(() => void ((world.disk.why = "x"), world.store.apply([]))),
  ],
  ["by itself", (world: World) => world.load().then(() => world.disk.breaks("x"))],
  [
    "because it may not be used",
    (world: World) => world.load().then(() => world.store.refuse("no locks")),
  ],
] as const)("a disk that fails %s", (name, fail) => {
  it("makes the tab a client of its own, which writes once there is a connection", async () => {
    const world = new World();
    if (name === "while it is loaded") world.disk.why = "x";
    await fail(world);
    await vi.advanceTimersByTimeAsync(0);
    expect(world.errors).toEqual(["storage_failed"]);
    expect(world.stands).toEqual(["alone"]);
    expect([world.id, world.state.meta.secret]).toEqual(["own 1", "own 2"]);
    const added = world.state.writes.has("a") ? undefined : world.add("a");
    await world.now(false);
    expect(world.state.writes.get("a")!.seq).toBeUndefined();
    await world.now(true);
    if (added) expect(await added).toBe(1);
    expect(world.state.writes.get("a")!.seq).toBe(1);
    expect(await world.store.apply([["epoch", "e1"]], "anybody")).toBe(true);
    expect((await contentsOf(world.on)).writes).toEqual([]);
  });
});

describe("leaving", () => {
  it("keeps the id, and gives no number, while one has no answer", async () => {
    const world = await leaving("a");
    expect([world.id, world.state.frozen, world.stands]).toEqual(["c0", true, ["alone"]]);
    let seq: number | undefined;
    void world.add("b").then((given) => (seq = given));
    await world.now(true);
    expect([world.id, seq]).toEqual(["c0", undefined]);
    await world.now(true, ["write", "a"]);
    expect([world.id, world.state.frozen, world.stands]).toEqual([
      "own 1",
      false,
      ["alone", "alone"],
    ]);
    await world.now(true);
    expect(seq).toBe(1);
  });

  it("leaves a write whose number was used for something else to the disk, and is a client of its own", async () => {
    const world = await leaving("a");
    await world.now(true, ["write", "a", write("a", { seq: 0 })]);
    expect(world.id).toBe("own 1");
    world.disk.why = "";
    await world.again();
    expect(world.store.stored).toBe(true);
    expect((await contentsOf(world.on)).writes).toMatchObject([{ id: "a", seq: 1 }]);
  });

  it("leaves a write its number if it would have to wait for another one", async () => {
    const world = await leaving("a");
    expect(await world.store.add(write("a", { seq: 1 }))).toBe(1);
  });

  it("does not count a settled write as one without an answer", async () => {
    const world = await loaded();
    await world.add("a");
    const settled = write("a", { seq: 1, settled: { version: 3, epoch: "e1" } });
    applyAll(world.state, [["write", "a", settled]]);
    world.disk.breaks("it was closed");
    expect(world.id).toBe("own 1");
    await world.now(true);
    expect(await world.add("b"), "numbers begin anew").toBe(1);
  });

  /** One whose disk fails while it numbers a write, and what numbers that. */
  async function numbering() {
    const world = await loaded();
    let number = (_: number | Promise<number>) => {};
    const numbered = new Promise<number>((resolve) => (number = resolve));
    vi.spyOn(world.disk, "add").mockReturnValueOnce(numbered);
    const added = world.add("a");
    world.disk.breaks("it was closed");
    return { world, number, added };
  }

  it("keeps the id while the disk may still number a write, and then until that has its answer", async () => {
    const { world, number, added } = await numbering();
    await world.now(true);
    expect([world.id, world.state.frozen, world.stands]).toEqual(["c0", true, ["alone"]]);
    number(1);
    expect(await added, "nobody else may know it").toBe(1);
    await world.now(true);
    expect(world.id).toBe("c0");
    await world.now(true, ["write", "a"]);
    expect(world.id).toBe("own 1");
  });

  it("takes a write that the disk numbered meanwhile out of it with the return, once that is answered", async () => {
    const { world, number, added } = await numbering();
    number(world.on.add(write("a")));
    await added;
    await world.now(true, ["write", "a"]);
    expect([world.id, (await contentsOf(world.on)).writes.length]).toEqual(["own 1", 1]);
    world.disk.why = "";
    await world.again();
    expect([world.store.stored, (await contentsOf(world.on)).writes]).toEqual([true, []]);
  });

  it("does not take a write that waits for one that is parked, and that another tab is done with", async () => {
    const world = await leaving("a");
    const added = world.add("b");
    await world.now(true, ["write", "b"]);
    expect([world.id, world.state.frozen]).toEqual(["c0", true]);
    world.disk.why = "";
    await world.again();
    expect([await added, world.store.stored]).toEqual([0, true]);
    expect((await contentsOf(world.on)).writes, "nor is it stored").toMatchObject([{ id: "a" }]);
  });

  it("parks a write that the disk does not number after all, and is a client of its own", async () => {
    const { world, number, added } = await numbering();
    number(Promise.reject(new Error("no")));
    await world.now(true);
    expect(world.id).toBe("own 1");
    await world.now(true);
    expect(await added).toBe(1);
  });

  it("looks for no other disk while this one may still number a write: it would be stored there", async () => {
    const { world, number } = await numbering();
    const probe = vi.spyOn(world.disk, "probe");
    world.disk.why = "";
    await world.again();
    expect(probe).not.toHaveBeenCalled();
    number(1);
    await world.again();
    expect([probe.mock.calls.length, world.store.stored]).toEqual([1, true]);
  });

  it("forgets what others told of before anything was loaded: it cannot be sent under an own id", async () => {
    const world = new World();
    applyAll(world.state, [["write", "other", write("other", { seq: 1 })]]);
    world.disk.why = "it was closed";
    await world.load();
    expect([...world.state.writes.keys()]).toEqual([]);
    expect([world.id, world.state.meta.last]).toEqual(["own 1", 0]);
  });

  it("goes back, with all that waits, when the same disk works again", async () => {
    const world = await leaving("a");
    const added = world.add("b");
    world.disk.why = "";
    await world.again();
    expect(await added).toBe(2);
    expect([world.id, world.state.frozen, world.store.stored]).toEqual(["c0", false, true]);
    expect(world.stands).toEqual(["alone", "nowhere", "shared"]);
    expect((await contentsOf(world.on)).writes).toMatchObject([
      { id: "a", seq: 1 },
      { id: "b", seq: 2 },
    ]);
  });

  it("waits for the answers, still, when another disk is in its place", async () => {
    const world = await leaving("a");
    world.on = new MemoryStore("c9", "s9");
    world.disk.why = "";
    await world.again();
    const added = world.add("b");
    await world.now(true);
    expect([world.id, world.state.frozen]).toEqual(["c0", true]);
    await world.now(true, ["write", "a"]);
    expect(await added).toBe(1);
    expect([world.id, world.store.stored]).toEqual(["c9", true]);
  });

  it("tries again for as long as it takes", async () => {
    const world = await leaving("a");
    for (let times = 0; times < 5; times += 1) await world.again();
    expect(world.store.stored).toBe(false);
    world.disk.why = "";
    await world.again();
    expect(world.store.stored).toBe(true);
  });
});

describe("own", () => {
  it("gives a write whose number was used for something else the next one", async () => {
    const world = await loaded();
    world.disk.breaks("it was closed");
    await world.now(true);
    expect(await world.add("a")).toBe(1);
    expect(await world.store.add(write("a", { seq: 1 }))).toBe(2);
  });

  it("gives none to a write that may be on the disk, until that works or is gone for ever", async () => {
    for (const how of ["works", "is gone"]) {
      const world = await loaded();
      world.disk.why = "it was taken away";
      world.disk.doubtful.add("a");
      const added = world.add("a");
      await world.now(true);
      const other = world.add("b");
      await world.now(true);
      expect([await other, world.id]).toEqual([1, "own 1"]);
      await world.now(true, ["write", "b"]);
      expect(world.state.writes.get("a")!.seq).toBeUndefined();
      if (how === "works") world.disk.why = "";
      else world.disk.doubtful.clear();
      await world.again();
      expect([await added, world.id]).toEqual(how === "works" ? [1, "c0"] : [2, "own 1"]);
    }
  });
});

describe("returning", () => {
  /** A client of its own, whose write was sent. */
  async function own(): Promise<World> {
    const world = await leaving();
    const added = world.add("a");
    await world.now(true);
    await added;
    return world;
  }

  it("waits for the answers to what was sent under an own id, and gives no numbers meanwhile", async () => {
    const world = await own();
    world.disk.why = "";
    await world.again();
    const added = world.add("b");
    await world.now(true);
    expect([world.id, world.store.stored, (await contentsOf(world.on)).writes]).toEqual([
      "own 1",
      false,
      [],
    ]);
    await world.now(true, ["write", "a"]);
    expect(await added).toBe(1);
    expect([world.id, world.store.stored]).toEqual(["c0", true]);
    expect((await contentsOf(world.on)).writes).toMatchObject([{ id: "b", seq: 1 }]);
  });

  it("goes on alone if the disk fails after all, and tries again", async () => {
    const world = await own();
    world.disk.why = "";
    await world.again();
    world.disk.why = "it was closed";
    await world.now(true, ["write", "a"]);
    expect(world.stands.slice(-2)).toEqual(["nowhere", "alone"]);
    expect([world.id, world.store.stored]).toEqual(["own 1", false]);
    const added = world.add("b");
    await world.now(true);
    expect(await added).toBe(2);
    await world.now(true, ["write", "b"]);
    world.disk.why = "";
    await world.again();
    expect(world.store.stored).toBe(true);
  });

  it("leaves the store's id, too, if another disk fails after all", async () => {
    const world = await leaving("a");
    world.on = new MemoryStore("c9", "s9");
    world.disk.why = "";
    await world.again();
    world.disk.why = "it was closed";
    await world.now(true, ["write", "a"]);
    expect([world.id, world.state.frozen]).toEqual(["own 1", false]);
  });

  it("stores what came up meanwhile: records that are newer, refusals, answers", async () => {
    const world = await loaded();
    const settled = { version: 7, epoch: "e1" };
    await world.on.apply([
      ["record", "tasks", "old", { data: 1, version: 1 }],
      ["record", "tasks", "gone", { data: 1, version: 2 }],
      ["place", "tasks", place(2)],
      ["rejected", "r0", { ...rejected, id: "r0" }],
    ]);
    await world.load();
    await world.add("answered");
    world.disk.breaks("it was closed");
    applyAll(world.state, [
      ["record", "tasks", "gone"],
      ["record", "tasks", "new", { data: 5, version: 5 }],
      ["place", "tasks", place(5)],
      ["rejected", "r0"],
      ["rejected", "r1", rejected],
      ["write", "answered"],
      ["write", "settled", write("settled", { seq: 1, settled })],
      ["leader", "t1"],
    ]);
    world.disk.why = "";
    await world.again();
    expect(await contentsOf(world.on)).toMatchObject({
      records: [
        ["tasks", "old", { data: 1 }],
        ["tasks", "new", { data: 5 }],
      ],
      places: [["tasks", place(5)]],
      rejected: [rejected],
      writes: [{ id: "settled", settled }],
      // Who led does so no more, and loads all this.
      meta: { client_id: "c0", leader: "t1" },
    });
  });

  it.each([
    ["newer", place(9)],
    ["as new", place(5)],
    ["of another epoch", { ...place(1), epoch: "e2" }],
    ["by field", { ...place(1), fields: true }],
  ])("leaves records alone that are %s there", async (_, there) => {
    const world = await leaving();
    applyAll(world.state, [
      ["record", "tasks", "1", { data: "mine", version: 5 }],
      ["place", "tasks", place(5)],
    ]);
    await world.on.apply([
      ["record", "tasks", "1", { data: "theirs", version: 9 }],
      ["place", "tasks", there],
    ]);
    world.disk.why = "";
    await world.again();
    expect((await contentsOf(world.on)).records).toEqual([
      ["tasks", "1", { data: "theirs", version: 9 }],
    ]);
    expect(world.state.entities.get("tasks")!.records.get("1")!.data).toBe("theirs");
  });

  it.each([
    ["none of another part is further there", [], "mine"],
    ["one of another part is further there", [["place", "tasks\0{}", place(9)]], "theirs"],
    ["one of another part is only there", [["place", "tasks\0[]", place(1)]], "theirs"],
  ] as const)(
    "takes what memory has, with the positions of its parts, if %s",
    async (_, there, data) => {
      const world = await leaving();
      applyAll(world.state, [
        ["record", "tasks", "1", { data: "mine", version: 5 }],
        ["place", "tasks", place(1)],
        ["place", "tasks\0{}", place(5)],
      ]);
      await world.on.apply([["record", "tasks", "1", { data: "theirs", version: 4 }], ...there]);
      world.disk.why = "";
      await world.again();
      const { records, places } = await contentsOf(world.on);
      expect(records).toMatchObject([["tasks", "1", { data }]]);
      if (data === "mine") expect(Object.fromEntries(places)["tasks\0{}"]).toEqual(place(5));
    },
  );

  it("does not bring back what another tab has discarded meanwhile, but into an empty disk", async () => {
    for (const [id, left] of [
      ["c0", []],
      ["c9", [rejected]],
    ] as const) {
      const world = await loaded();
      await world.on.apply([["rejected", "r1", rejected]]);
      await world.load();
      world.disk.breaks("it was closed");
      if (id === "c0") await world.on.apply([["rejected", "r1"]]);
      else world.on = new MemoryStore(id, "s9");
      world.disk.why = "";
      await world.again();
      expect((await contentsOf(world.on)).rejected).toEqual(left);
    }
  });

  it("numbers, and stores, what is parked as it is by then", async () => {
    for (const why of ["it was closed", ""]) {
      const world = await leaving("a");
      const added = world.add("b");
      const parked = world.state.parked!.get("b");
      const based = { ...write("b").message, base_version: 7 } as never;
      parked!.write = write("b", { message: based });
      world.disk.why = why;
      await world.again();
      await world.now(true, ["write", "a"]);
      await world.now(true);
      expect(await added).toBe(why ? 1 : 2);
      if (!why)
        expect((await contentsOf(world.on)).writes[1]).toMatchObject({
          message: { base_version: 7 },
        });
      expect(world.state.parked!.size).toBe(0);
    }
  });

  it("ends that it is asked at each change of memory, which it is not while the store works", async () => {
    const world = await leaving("a");
    expect(world.store.look).toBeInstanceOf(Function);
    world.disk.why = "";
    await world.again();
    expect([world.store.stored, world.store.look]).toEqual([true, undefined]);
  });

  it("leaves a write to the page that has taken it", async () => {
    const world = await leaving();
    const added = world.add("a");
    world.disk.taken.add("a");
    await world.now(true);
    expect(await added).toBe(0);
  });
});

describe("closed", () => {
  it("tries nothing any more, and waits for nothing", async () => {
    const world = await leaving("a");
    world.store.close();
    expect([world.disk.closed, vi.getTimerCount()]).toEqual([true, 0]);
    world.disk.why = "";
    await world.again();
    await world.now(true, ["write", "a"]);
    expect([world.id, world.store.stored]).toEqual(["c0", false]);
  });

  it.each(["fails", "works"])(
    "while it is tried again, which %s, it comes back no more, and is not tried once more",
    async (how) => {
      const world = await leaving("a");
      const loads = vi.spyOn(world.disk, "load");
      vi.spyOn(world.disk, "probe").mockImplementation(async () => {
        world.store.close();
        if (how === "fails") throw new Error("no");
        return "c0";
      });
      await world.again();
      expect([world.stands, loads.mock.calls, vi.getTimerCount()]).toEqual([["alone"], [], 0]);
    },
  );

  it("while it is loaded anew, in vain, it stands nowhere, and is not tried once more", async () => {
    const world = await leaving("a");
    vi.spyOn(world.disk, "load").mockImplementation(async () => {
      world.store.close();
      throw new Error("no");
    });
    world.disk.why = "";
    await world.again();
    expect([world.stands, vi.getTimerCount()]).toEqual([["alone", "nowhere"], 0]);
  });

  it("a disk that fails then is nobody's concern", async () => {
    const world = await loaded();
    world.store.close();
    world.disk.breaks("it was closed");
    expect([world.errors, vi.getTimerCount()]).toEqual([[], 0]);
  });
});
