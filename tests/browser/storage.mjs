/** What becomes of what is written when a page ends, or when the browser's storage does not work. */
import assert from "node:assert/strict";

/** How often each way to end a page is tried: some lost one write in ten. */
const TIMES = 3;

/** Connects for good; `errors` are those that were told. */
async function connect(page) {
  await page.evaluate(() => {
    window.errors = [];
    window.client = rhtmx.connect("/api/ws");
    client.onError(({ code }) => errors.push(code));
    window.tasks = client.collection("tasks");
    return tasks.synced;
  });
}

/**
 * Writes and ends the page, in one turn of its event loop.
 *
 * @param loaded whether the store was loaded before.
 */
async function writeAndEnd(page, id, loaded, end) {
  const open = () => {
    window.client = rhtmx.connect("/api/ws");
    window.client.offline();
    window.tasks = window.client.collection("tasks");
  };
  const write = ([id, loaded, end, open]) => {
    const act = () => {
      if (!loaded) new Function(`(${open})()`)();
      window.tasks.set(id, { id }).catch(() => {});
      if (end === "the client is closed") window.client.close();
    };
    if (end === "it leaves, and writes as it does") addEventListener("pagehide", act);
    else act();
    if (end !== "it is closed") location.href = "/";
  };
  if (loaded) {
    await page.evaluate(open);
    await page.evaluate(() => window.tasks.ready);
  }
  const left = page.waitForURL((url) => url.pathname === "/");
  left.catch(() => {});
  await page.evaluate(write, [id, loaded, end, String(open)]);
  if (end !== "it is closed") await left;
  await page.close();
}

export async function whatIsWrittenLastIsStoredBeforeThePageEnds({ visit }) {
  const first = await visit("/page");
  const context = first.context();
  const written = [];
  const ends = ["it is closed", "it leaves", "the client is closed"];
  for (const loaded of [true, false]) {
    for (const end of loaded ? [...ends, "it leaves, and writes as it does"] : ends) {
      for (let time = 0; time < TIMES; time += 1) {
        const page = await context.newPage();
        await page.goto(first.url());
        const id = `${loaded ? "loaded" : "not loaded"}, ${end}, ${time}`;
        written.push(id);
        await writeAndEnd(page, id, loaded, end);
      }
    }
  }
  await connect(first);
  await first.waitForFunction(() => client.queue.length === 0);
  const there = await first.evaluate(() => tasks.snapshot.map(({ id }) => id));
  assert.deepEqual(
    written.filter((id) => !there.includes(id)),
    [],
  );
}

export async function writesOfOneTurnShareATransaction({ visit }) {
  const page = await visit("/page");
  await connect(page);
  const count = await page.evaluate(async () => {
    const { put } = IDBObjectStore.prototype;
    const used = new Set(); // what the server told before may still be being stored: not counted
    client.offline();
    IDBObjectStore.prototype.put = function (...args) {
      if (this.name === "queue") used.add(this.transaction);
      return put.apply(this, args);
    };
    for (let n = 0; n < 300; n += 1) void tasks.set(`one of many ${n}`, { n });
    while (!client.queue.every(({ seq }) => seq))
      await new Promise((resolve) => setTimeout(resolve));
    return used.size;
  });
  assert.equal(count, 1);
}

export async function whereTheUserBlocksAllSiteDataWritesAreSentAndThatIsSaid({ profile }) {
  const page = await profile(
    { profile: { default_content_setting_values: { cookies: 2 } } },
    "/page",
  );
  await connect(page);
  const told = await page.evaluate(async () => {
    const { version } = await tasks.set("blocked", { n: 1 });
    return [version > 0, client.info.stored, errors, tasks.row("blocked")?.pending];
  });
  assert.deepEqual(told, [true, false, ["storage_failed"], false]);
}

export async function aFrameWithoutAnOriginOfItsOwnShowsWhatIsWrittenAndSaysThatNothingIsStored({
  visit,
}) {
  const page = await visit("/page");
  const told = await page.evaluate(() => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    // The server's pages let nobody frame them: this one comes with the page itself.
    frame.srcdoc = '<script src="/api/client.js"></script><script src="/frame.js"></script>';
    return new Promise((resolve) => {
      addEventListener("message", ({ data }) => resolve(data));
      document.body.append(frame);
    });
  });
  assert.deepEqual(told, ["storage_failed", false, 1]);
}

/** A page that shows a record, and writes another one when something has happened to its database. */
async function spoiled(page, spoil) {
  await connect(page);
  await page.evaluate(() => tasks.set("before", { n: 1 }));
  await page.evaluate(() => {
    window.counts = [];
    tasks.subscribe((rows) => counts.push(rows.length));
  });
  await spoil();
  assert.equal(
    await page.evaluate(async () => (await tasks.set("after", { n: 2 })).version > 0),
    true,
  );
  const counts = await page.evaluate(() => window.counts);
  assert.ok(
    counts.every((each, at) => each >= (counts[at - 1] ?? 1)),
    `what is shown stays: ${counts}`,
  );
}

export async function aDatabaseThatTheBrowserTakesAwayIsMadeAgain({ visit }) {
  const page = await visit("/page");
  const browser = await page.context().newCDPSession(page);
  const clear = { origin: new URL(page.url()).origin, storageTypes: "indexeddb" };
  await spoiled(page, () => browser.send("Storage.clearDataForOrigin", clear));
  await page.waitForFunction(() => client.info.stored);
  await page.evaluate(() => {
    client.offline();
    void tasks.set("later", { n: 3 });
  });
  await page.waitForFunction(
    () => client.queue.every(({ seq }) => seq) && client.queue.length === 1,
  );
  await page.reload();
  await connect(page);
  await page.evaluate(() => client.online());
  await page.waitForFunction(() => client.queue.length === 0);
  const shown = await page.evaluate(() =>
    ["before", "after", "later"].map((id) => tasks.row(id)?.data.n),
  );
  assert.deepEqual(shown, [1, 2, 3]);
}

export async function noWriteWaitsForEverAsTheBrowserTakesItsDatabaseAway({ visit }) {
  const first = await visit("/page");
  const browser = await first.context().newCDPSession(first);
  const clear = { origin: new URL(first.url()).origin, storageTypes: "indexeddb" };
  for (let time = 0; time < TIMES; time += 1) {
    const page = await first.context().newPage();
    await page.goto(first.url());
    await connect(page);
    const written = page.evaluate(async (time) => {
      const writes = [];
      for (let n = 0; n < 200; n += 1) {
        writes.push(tasks.set(`${time} ${n}`, { time, n }));
        await new Promise((resolve) => setTimeout(resolve));
        if (n === 20) window.writes = true;
      }
      return Promise.all(writes);
    }, time);
    await page.waitForFunction(() => window.writes);
    await browser.send("Storage.clearDataForOrigin", clear);
    await written;
    await page.close();
  }
}

export async function aDatabaseThatIsDeletedIsNotMadeAgainAndWritesAreSent({ visit }) {
  const page = await visit("/page");
  await spoiled(page, () =>
    page.evaluate(async () => {
      const [{ name }] = await indexedDB.databases();
      const request = indexedDB.deleteDatabase(name);
      await new Promise((resolve) => (request.onsuccess = resolve));
    }),
  );
  const told = await page.evaluate(async () => [
    await indexedDB.databases(),
    client.info.stored,
    errors,
  ]);
  assert.deepEqual(told, [[], false, ["storage_failed"]]);
}

export async function whatOneWritesBeforeAndAfterTheStoreFailsIsNoConflict({ visit }) {
  const page = await visit("/page");
  await connect(page);
  await page.evaluate(() => tasks.set("twice", { n: 0 }));
  await page.evaluate(async () => {
    window.conflicts = [];
    client.onConflict(({ field, winner }) => conflicts.push([field, winner]));
    client.offline();
    void tasks.patch("twice", { n: 1 });
    while (!client.queue.every(({ seq }) => seq))
      await new Promise((resolve) => setTimeout(resolve));
    for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);
  });
  await page.waitForFunction(() => errors.length);
  await page.evaluate(async () => {
    const last = tasks.patch("twice", { n: 2 });
    client.online();
    await last;
  });
  const told = await page.evaluate(() => [conflicts, client.info.stored, tasks.row("twice").data]);
  assert.deepEqual(told, [[], false, { n: 2 }]);
}
