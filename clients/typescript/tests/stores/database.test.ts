import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Table } from "../../src/stores/database.ts";
import { answered, Database, result } from "../../src/stores/database.ts";
import { settle } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";

const databases: Database[] = [];

beforeEach(() => void (globalThis.indexedDB = new IDBFactory()));
afterEach(() => {
  databases.splice(0).forEach((each) => each.close());
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function made(version = 1): Database {
  const upgrade = ({ db }: IDBTransaction) => void db.createObjectStore("t");
  const database = new Database({ name: "db", version, tables: ["t"], upgrade });
  databases.push(database);
  return database;
}

const QUOTA = "QuotaExceededError";
const put = (value: number) => async (table: Table) => void table("t").put(value, "n");
const get = async (table: Table): Promise<number> => result(table("t").get("n"));

/** The connection is closed by the browser: fake-indexeddb has no such thing. */
function taken(database: Database): void {
  const { connection } = database;
  connection!.close();
  connection!.dispatchEvent({
    type: "close",
    initialized: true,
    eventPath: [],
    AT_TARGET: 2,
  } as never);
}

/** Has what is opened wait for what is returned. */
function held(): () => void {
  const open = indexedDB.open.bind(indexedDB);
  let answer = () => {};
  vi.spyOn(indexedDB, "open").mockImplementation((...which) => {
    const asked = {} as { -readonly [key in keyof IDBOpenDBRequest]: IDBOpenDBRequest[key] };
    answer = () => {
      const request = open(...which);
      const pass = (event: "onupgradeneeded" | "onsuccess") => () => {
        Object.assign(asked, { result: request.result, transaction: request.transaction });
        asked[event]!(new Event("") as never);
      };
      Object.assign(request, {
        onupgradeneeded: pass("onupgradeneeded"),
        onsuccess: pass("onsuccess"),
      });
    };
    return asked;
  });
  return () => answer();
}

describe("a database", () => {
  it("does all of a transaction or nothing, and tells what was wrong", async () => {
    const database = made();
    const fails = async (table: Table) => {
      table("t").put(1, "n");
      await result(table("t").get("n"));
      throw new DOMException("no room", "QuotaExceededError");
    };
    await expect(database.run(true, fails)).rejects.toMatchObject({ code: "storage_full" });
    expect(await database.run(false, get)).toBeUndefined();
  });

  it("that was taken away is opened again by itself, and nobody hears of it", async () => {
    const database = made();
    const lost = (database.onlost = vi.fn());
    await database.run(true, put(1));
    taken(database);
    await settle();
    expect(database.connection).toBeDefined();
    expect(await database.run(false, get)).toBe(1);
    expect(lost).not.toHaveBeenCalled();
  });

  it("that was taken away has what was about to be done there done on the fresh one", async () => {
    const database = made();
    await database.run(true, put(1));
    const { connection } = database;
    const hangs = new EventTarget() as IDBTransaction;
    Object.assign(hangs, { objectStore: () => ({ put: () => ({}), get: () => ({}) }) });
    vi.spyOn(connection!, "transaction").mockReturnValueOnce(hangs);
    const found = database.run(true, get);
    await settle();
    taken(database);
    expect(await found).toBe(1);
  });

  it.each(["InvalidStateError", "UnknownError", "AbortError"])(
    "whose connection fails with %s is opened again for the same call",
    async (name) => {
      const database = made();
      await database.run(true, put(1));
      vi.spyOn(database.connection!, "transaction").mockImplementation(() => {
        throw new DOMException("the connection is closing", name);
      });
      expect(await database.run(false, get)).toBe(1);
    },
  );

  it("that fails again on a fresh connection fails the call, in words", async () => {
    const database = made();
    await database.run(true, put(1));
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(() => {
      throw new DOMException("the disk is gone", "UnknownError");
    });
    await expect(database.run(false, get)).rejects.toMatchObject({
      code: "storage_failed",
      message: expect.stringContaining("the disk is gone"),
    });
  });

  it("a full one is told as such, whichever request learns of it first", async () => {
    const database = made();
    await database.run(true, put(1));
    const { connection } = database;
    const fills = async (table: Table) => {
      const { transaction } = table("t");
      const later = table("t").put(2, "n");
      // As Firefox has it: what comes behind the request that found no room is told first.
      Object.defineProperty(transaction, "error", { value: new DOMException("", QUOTA) });
      transaction.abort();
      await result(later);
    };
    await expect(database.run(true, fills)).rejects.toMatchObject({ code: "storage_full" });
    expect(database.connection).toBe(connection);
  });

  it("a full one is not opened again", async () => {
    const database = made();
    await database.run(true, put(1));
    const { connection } = database;
    const full = async () => Promise.reject(new DOMException("full", "QuotaExceededError"));
    await expect(database.run(true, full)).rejects.toMatchObject({ code: "storage_full" });
    expect(database.connection).toBe(connection);
  });

  it("another one in its place is not taken for it, and that is told", async () => {
    const database = made();
    const lost = (database.onlost = vi.fn());
    await database.run(true, put(1));
    database.isSame = async (table) => (await get(table)) === 1;
    globalThis.indexedDB = new IDBFactory();
    taken(database);
    await settle();
    expect(lost).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: "storage_failed" }),
    );
    await expect(database.run(false, get)).rejects.toThrow("another one is in its place");
    database.isSame = undefined;
    expect(await database.run(false, get)).toBeUndefined();
  });

  it("that somebody deletes lets go of it, says so, and is not made again", async () => {
    const database = made();
    const lost = (database.onlost = vi.fn());
    await database.run(true, put(1));
    await result(indexedDB.deleteDatabase("db"));
    expect(lost).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: "storage_failed" }),
    );
    await expect(database.run(false, get)).rejects.toThrow("it was deleted");
    expect(await indexedDB.databases()).toEqual([]);
  });

  it("that somebody deletes while it is looked whether it is the same lets go of it", async () => {
    const database = made();
    await database.run(true, put(1));
    const lost = (database.onlost = vi.fn());
    let deleted: Promise<unknown> | undefined;
    database.isSame = async (table) => {
      deleted = result(indexedDB.deleteDatabase("db"));
      while (!lost.mock.calls.length) await result(table("t").get("n"));
      return true;
    };
    taken(database);
    await expect(database.run(false, get)).rejects.toThrow("it was deleted");
    await deleted;
    expect([await indexedDB.databases(), database.isGone]).toEqual([[], true]);
  });

  it("of which it cannot be said whether it is the same is not left open", async () => {
    const database = made();
    await database.run(true, put(1));
    database.isSame = async () => true;
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(() => {
      throw new DOMException("the connection is closing", "InvalidStateError");
    });
    await expect(database.run(false, get)).rejects.toMatchObject({ code: "storage_failed" });
    // Nobody has to be asked to let go of it.
    await result(indexedDB.deleteDatabase("db"));
    expect(database.isGone).toBe(false);
  });

  it("that a newer page upgrades lets go of it, and says so", async () => {
    const database = made();
    const lost = (database.onlost = vi.fn());
    await database.run(true, put(1));
    (await result(indexedDB.open("db", 2))).close();
    await eventually(() => expect(lost).toHaveBeenCalledOnce());
    await expect(database.run(false, get)).rejects.toMatchObject({ code: "storage_failed" });
  });

  it("that does not open fails the call after five seconds, and works once it has opened", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answer = held();
    const database = made();
    const failed = expect(database.run(false, get)).rejects.toThrow("it does not open");
    await vi.advanceTimersByTimeAsync(5_000);
    await failed;
    answer();
    expect(await database.run(false, get)).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that was rejected, or closed, while it was opened is not left open", async () => {
    for (const end of [
      (each: Database) => each.refuse("no locks"),
      (each: Database) => each.close(),
    ]) {
      const database = made();
      const running = database.run(false, get).catch(() => {});
      end(database);
      await running;
      await settle();
      await expect(database.run(false, get)).rejects.toMatchObject({ code: "storage_failed" });
    }
    // Nobody has to be asked to let go of it.
    await result(indexedDB.deleteDatabase("db"));
  });

  it("of a page that goes leaves no transaction behind, and begins it anew when the page is back", async () => {
    const database = made();
    await database.run(true, put(1));
    const aborted = vi.spyOn(IDBTransaction.prototype, "abort");
    let times = 0;
    const reading = database.run(false, async (table) => ((times += 1), get(table)));
    while (!times) await Promise.resolve();
    database.sleep();
    expect(aborted).toHaveBeenCalledOnce();
    const next = database.run(true, put(2));
    await settle();
    // Chromium freezes a page that it has put aside.
    database.sleep();
    expect(times, "nothing begins until it is back").toBe(1);
    database.wake();
    await next;
    expect(await reading).toBe(2);
    expect(times).toBe(2);
  });

  it("of a page that goes again before it has read reads when it is back for good", async () => {
    const database = made();
    await database.run(true, put(1));
    let times = 0;
    const reading = database.run(false, async (table) => {
      times += 1;
      if (times > 3) return get(table);
      database.sleep();
      setImmediate(() => database.wake());
      return get(table);
    });
    expect(await reading).toBe(1);
    expect(times).toBe(4);
  });

  it("of a page that goes while its tables are made leaves that to others, and opens when it is back", async () => {
    const begun = vi.spyOn(IDBDatabase.prototype, "createObjectStore");
    const database = made();
    const reading = database.run(false, get);
    while (!begun.mock.calls.length) await new Promise((resolve) => setImmediate(resolve));
    database.sleep();
    await made().run(true, put(1));
    database.wake();
    expect(await reading).toBe(1);
    expect(begun).toHaveBeenCalledTimes(2);
  });

  it("of a page that is away is not said not to open, or not to answer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answer = held();
    const database = made();
    let never: IDBRequest | undefined = {} as IDBRequest;
    const reading = database.run(false, async (table) => {
      if (never) await answered(never);
      return get(table);
    });
    await settle();
    for (const comes of [answer, () => void (vi.restoreAllMocks(), (never = undefined))]) {
      database.sleep();
      await vi.advanceTimersByTimeAsync(60_000);
      comes();
      database.wake();
      await settle();
    }
    vi.useRealTimers();
    expect(await reading).toBeUndefined();
  });

  it("whose opening a page has left opens anew, though that ends only when it is back", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const left = { error: new DOMException("aborted", "AbortError") } as IDBOpenDBRequest;
    vi.spyOn(indexedDB, "open").mockReturnValueOnce(left);
    const database = made();
    const reading = database.run(false, get);
    await settle();
    database.sleep();
    await vi.advanceTimersByTimeAsync(60_000);
    database.wake();
    await settle();
    left.onerror!(new Event("error"));
    await settle();
    vi.useRealTimers();
    expect(await reading).toBeUndefined();
  });

  it("that is opened again by itself as its page goes is opened once it is back, and nobody hears of it", async () => {
    const database = made();
    const lost = (database.onlost = vi.fn());
    await database.run(true, put(1));
    let times = 0;
    database.isSame = async (table) => {
      times += 1;
      if (times === 1) database.sleep();
      return (await get(table)) === 1;
    };
    taken(database);
    await settle();
    expect([times, database.connection]).toEqual([1, undefined]);
    database.wake();
    await eventually(() => expect(database.connection).toBeDefined());
    expect([lost.mock.calls, times]).toEqual([[], 2]);
  });

  it("of a page that goes lets a transaction end that was told to commit", async () => {
    const database = made();
    await database.run(true, put(1));
    const adding = database.transact(database.connection!, true, async (table, transaction) => {
      table("t").put(2, "n");
      transaction.commit();
    });
    database.sleep();
    database.wake();
    await adding;
    expect(await database.run(false, get)).toBe(2);
  });

  it("whose turn does not come fails the call after ten seconds, once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const database = made();
    await database.run(true, put(1));
    const begun = vi.spyOn(IDBDatabase.prototype, "transaction");
    const waits = async () => answered({} as IDBRequest<number>);
    const failed = expect(database.run(false, waits)).rejects.toThrow("it does not answer");
    await settle();
    await vi.advanceTimersByTimeAsync(10_000);
    await failed;
    expect(begun).toHaveBeenCalledOnce();
    expect(await database.run(false, get), "what was there is there").toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that cannot be looked at at all fails the call", async () => {
    vi.spyOn(globalThis, "indexedDB", "get").mockImplementation(() => {
      throw new DOMException("the operation is insecure", "SecurityError");
    });
    await expect(made().run(false, get)).rejects.toMatchObject({ code: "storage_failed" });
  });
});
