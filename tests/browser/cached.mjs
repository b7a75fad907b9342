/**
 * What holds for a page that the browser keeps for the way back.
 *
 * Seen in Chromium 156.0.8078.108 (Debian), the rule it follows is
 * https://web.dev/articles/bfcache: a page with an open WebSocket goes into the
 * back/forward cache, pings are answered for it there, what the server sends is lost, and
 * the socket's end (the server sees 1001) comes when the user returns. So each scenario
 * makes sure that its page was kept (`persisted`), and that the server has no connection
 * of it meanwhile.
 */
import assert from "node:assert/strict";

import { until } from "./tabs.mjs";

/** So often a scenario is tried. */
const ATTEMPTS = 5;

/** The browser threw a page away, or never kept it: it says why. That is its right. */
class NotKept extends Error {}

/** Tries until the browser has kept every page of a scenario: each time with other tasks. */
function kept(scenario) {
  return async (world) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await scenario({ ...world, entity: `tasks${attempt}`, watched: `notes${attempt}` });
      } catch (error) {
        if (!(error instanceof NotKept) || attempt === ATTEMPTS) throw error;
        await Promise.all(world.context.pages().map((page) => page.close()));
      }
    }
  };
}

/** A page of this browser, with a client in it. */
class Guest {
  #world;

  constructor(page, world) {
    this.page = page;
    this.#world = world;
  }

  /**
   * Opens a page and has it connect.
   *
   * @param options of `connect`.
   * @param locks whether the page has Web Locks: one without TLS has none.
   */
  static async open(world, options = {}, locks = true) {
    const { context, url, entity, watched } = world;
    const guest = new Guest(await context.newPage(), world);
    await guest.#watch(await context.newCDPSession(guest.page));
    if (!locks) {
      await guest.page.addInitScript(() =>
        Object.defineProperty(Navigator.prototype, "locks", { value: undefined }),
      );
    }
    await guest.page.goto(url);
    await guest.page.evaluate(
      async ([options, entity, watched]) => {
        window.log = [];
        for (const name of ["pagehide", "pageshow"]) {
          addEventListener(name, ({ persisted }) => window.log.push(`${name} ${persisted}`));
        }
        window.client = rhtmx.connect("/api/ws", options);
        window.tasks = window.client.collection(entity);
        window.client.changes(watched, (change) =>
          window.log.push(change ? change.entity_id : "missing"),
        );
        await window.tasks.synced;
      },
      [options, entity, watched],
    );
    return guest;
  }

  /** Notices how the page comes back: from where it was kept, or for what reason it was not. */
  async #watch(session) {
    session.on("Page.frameNavigated", ({ type }) => {
      if (type === "BackForwardCacheRestore") this.cameBack = "kept";
    });
    session.on("Page.backForwardCacheNotUsed", ({ notRestoredExplanations }) => {
      this.cameBack = notRestoredExplanations.map(({ reason }) => reason).join();
    });
    await session.send("Page.enable");
  }

  /** Follows a link. The server has so many connections then. */
  async leave(connections) {
    const { url, ask } = this.#world;
    await this.page.goto(`${url}next`);
    await until(
      async () => (await ask("connections")) === connections,
      async () => `${connections} connections on the server, not ${await ask("connections")}`,
    );
  }

  /** Goes back; the page was kept. */
  async comeBack() {
    this.cameBack = undefined;
    // There is no `load` to wait for, and to look into a page that is kept throws it away.
    await this.page.goBack({ waitUntil: "commit" });
    await until(() => this.cameBack, "the page to come back");
    if (this.cameBack !== "kept") throw new NotKept(this.cameBack);
    await this.page.waitForFunction(() => window.log?.includes("pageshow true"));
    const kept = await this.page.evaluate(() =>
      window.log.filter((each) => each.startsWith("page")),
    );
    assert.deepEqual(kept.slice(-2), ["pagehide true", "pageshow true"]);
  }

  /** Waits until it shows these tasks, and is connected. */
  async shows(...ids) {
    await this.page.waitForFunction((wanted) => {
      const shown = window.tasks.snapshot.map(({ id, pending }) => `${id} ${pending}`).join();
      return shown === wanted.map((id) => `${id} false`).join() && window.client.state === "open";
    }, ids);
  }

  /** Writes a task; it is durable after. */
  write(id) {
    return this.page.evaluate((id) => window.tasks.set(id, { id }), id);
  }

  /** What was told of `notes`. */
  async notes() {
    return this.page.evaluate(() => window.log.filter((each) => !each.startsWith("page")));
  }
}

/** A lone page that leaves, misses something, and comes back. */
async function leavesAndReturns(world, ...how) {
  const guest = await Guest.open(world, ...how);
  await guest.write("1");
  await guest.leave(0);
  await world.ask("push", world.entity, "2");
  await world.ask("push", world.watched, "n1");
  await guest.comeBack();
  await guest.shows("1", "2");
  await guest.write("3");
  await guest.leave(0);
  await world.ask("push", world.entity, "4");
  await guest.comeBack();
  await guest.shows("1", "2", "3", "4");
  await world.ask("push", world.watched, "n2");
  await guest.page.waitForFunction(() => window.log.includes("n2"));
  return guest;
}

export const aKeptPageInMemoryHasNoConnection = kept(async (world) => {
  const guest = await leavesAndReturns(world, { storage: false });
  assert.deepEqual(await guest.notes(), ["n1", "n2"]);
});

export const aKeptPageWithoutLocksHasNoConnection = kept(async (world) => {
  const guest = await leavesAndReturns(world, {}, false);
  assert.deepEqual(await guest.notes(), ["n1", "n2"]);
});

export const aKeptPageWithStorageHasNoConnection = kept(async (world) => {
  const guest = await leavesAndReturns(world);
  // What it missed it cannot be told, but that it missed something.
  const notes = await guest.notes();
  assert.ok(notes.includes("missing"), notes);
});

export const aKeptLeaderIsFollowedAndReadsWhatItMissed = kept(async (world) => {
  const [leader, other] = [await Guest.open(world), await Guest.open(world)];
  assert.equal(await leader.page.evaluate(() => window.client.info.leads), true);
  await leader.leave(1);
  await other.write("1");
  assert.equal(await other.page.evaluate(() => window.client.info.leads), true);
  await leader.comeBack();
  await leader.shows("1");
  await leader.write("2");
  await other.shows("1", "2");
  // It stands in line again.
  await other.page.close();
  await leader.write("3");
  await leader.shows("1", "2", "3");
  assert.equal(await leader.page.evaluate(() => window.client.info.leads), true);
});

export const aKeptFollowerReadsWhatItMissed = kept(async (world) => {
  const [leader, follower] = [await Guest.open(world), await Guest.open(world)];
  await follower.leave(1);
  await leader.write("1");
  await world.ask("push", world.entity, "2");
  await world.ask("push", world.watched, "n1");
  await leader.shows("1", "2");
  await follower.comeBack();
  await follower.shows("1", "2");
  await follower.page.waitForFunction(() => window.log.includes("missing"));
  await follower.write("3");
  await leader.shows("1", "2", "3");
  await leader.page.close();
  await follower.write("4");
  await follower.shows("1", "2", "3", "4");
});
