/** What holds for several tabs of one browser. */
import assert from "node:assert/strict";

/** Milliseconds within which everything has to happen that need not happen at once. */
const PATIENCE = 60_000;

/** The tabs of one browser, and what was written in them. */
export class Tabs {
  #context;
  #url;
  /** Open sockets by tab. */
  #sockets = new Map();
  written = [];

  constructor(context, url) {
    this.#context = context;
    this.#url = url;
  }

  /** Opens a tab; it shows what was written so far. */
  async open() {
    const page = await this.#context.newPage();
    this.#watch(page);
    await page.goto(this.#url);
    await this.#connect(page);
    return page;
  }

  /** Opens some. */
  async openAll(count) {
    const pages = [];
    while (pages.length < count) pages.push(await this.open());
    return pages;
  }

  /** Opens a copy of a tab, as its menu does: with a copy of its session's storage. */
  async duplicate(page) {
    await page.evaluate(() => sessionStorage.setItem("mark", "copied"));
    const [copy] = await Promise.all([
      this.#context.waitForEvent("page"),
      page.evaluate(() => void open(location.href)),
    ]);
    this.#watch(copy);
    await copy.waitForLoadState();
    assert.equal(await copy.evaluate(() => sessionStorage.getItem("mark")), "copied");
    await this.#connect(copy);
    return copy;
  }

  /** Which tabs have a socket. */
  get connected() {
    return [...this.#sockets].filter(([, sockets]) => sockets.size > 0).map(([page]) => page);
  }

  /** The one tab that has a socket. */
  async leader() {
    let page;
    // The driver hears of the end of a socket later than the page: another one may lead by then.
    while (!page || this.connected.length !== 1 || this.connected[0] !== page) {
      await until(() => this.connected.length === 1, "one tab with a socket");
      [page] = this.connected;
      // The server sees the end of a tab's socket when its bytes arrive, not when the tab is closed.
      await this.counts('connections{endpoint="unified"}', "1.0");
    }
    assert.equal(this.#sockets.get(page).size, 1);
    return page;
  }

  /** Waits until the server counts so many of something. */
  async counts(what, wanted) {
    const counted = async () => {
      const text = await (await fetch(`${this.#url}metrics`)).text();
      const line = text.split("\n").find((each) => each.startsWith(`rhtmx_${what} `));
      return line?.split(" ")[1];
    };
    await until(
      async () => (await counted()) === wanted,
      async () => `${wanted} ${what} on the server, not ${await counted()}`,
    );
  }

  /** Writes a record in a tab, and waits until it is durable. */
  async write(page) {
    const id = this.#next();
    await page.evaluate((id) => window.tasks.set(id, { by: id }), id);
  }

  /** Writes a record in a tab, and waits for nothing; see `outcome`. */
  async begin(page) {
    const id = this.#next();
    await page.evaluate((id) => {
      window.outcomes[id] = "waiting";
      const tell = (what) => () => (window.outcomes[id] = what);
      window.tasks.set(id, { by: id }).then(tell("durable"), tell("refused"));
    }, id);
    return id;
  }

  /** Waits until what was begun is in the store: it has a number, or is even durable. */
  async stored(page, id) {
    await page.waitForFunction((id) => {
      const waits = window.client.queue.some(({ entityId, seq }) => entityId === id && seq);
      return waits || window.outcomes[id] === "durable";
    }, id);
  }

  /** Waits until what was begun is durable. */
  async durable(page, id) {
    await page.waitForFunction((id) => window.outcomes[id] === "durable", id);
  }

  /** Waits until tabs show everything that was written, and nothing that waits. */
  async show(...pages) {
    for (const page of pages) {
      const shown = () =>
        page.evaluate(() => window.tasks.snapshot.map(({ id, pending }) => [id, pending]));
      const wanted = JSON.stringify(this.written.map((id) => [id, false]));
      await until(
        async () => JSON.stringify(await shown()) === wanted,
        async () => `${wanted} to be shown, not ${JSON.stringify(await shown())}`,
      );
      assert.equal(await page.evaluate(() => window.client.queue.length), 0);
    }
  }

  /** The protocol of the browser, for one tab. */
  session(page) {
    return this.#context.newCDPSession(page);
  }

  /**
   * Has a tab hang, until what is returned is called.
   *
   * @param event told to the page before, as the browser tells it that it freezes it. Chromium
   *   itself freezes hidden tabs only, and without a screen none is hidden.
   */
  async hang(page, event) {
    const session = await this.session(page);
    await session.send("Debugger.enable");
    const paused = new Promise((resolve) => session.once("Debugger.paused", resolve));
    const goesOn = page.evaluate(async (event) => {
      if (event) document.dispatchEvent(new Event(event, { bubbles: true }));
      // What follows from the event at once does, before the page stands still.
      await new Promise((resolve) => setTimeout(resolve));
      // biome-ignore lint/suspicious/noDebugger: it stops the page, as the browser does to a frozen one
      debugger;
    }, event);
    goesOn.catch(() => {});
    await paused;
    return async () => {
      await session.send("Debugger.resume");
      await goesOn;
    };
  }

  #next() {
    const id = `w${String(this.written.length).padStart(3, "0")}`;
    this.written.push(id);
    return id;
  }

  #watch(page) {
    const sockets = new Set();
    this.#sockets.set(page, sockets);
    page.setDefaultTimeout(PATIENCE);
    page.on("close", () => sockets.clear());
    page.on("crash", () => sockets.clear());
    page.on("websocket", (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
  }

  async #connect(page) {
    await page.evaluate(async () => {
      window.outcomes = {};
      window.client = rhtmx.connect("/api/ws");
      window.tasks = window.client.collection("tasks");
      await window.tasks.synced;
    });
  }
}

export async function until(condition, what) {
  const end = performance.now() + PATIENCE;
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new Error(`waited for ${typeof what === "function" ? await what() : what} in vain`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Opens three tabs with a write each. */
async function three({ context, url }) {
  const tabs = new Tabs(context, url);
  const pages = await tabs.openAll(3);
  for (const page of pages) await tabs.write(page);
  await tabs.show(...pages);
  const leader = await tabs.leader();
  return { tabs, pages, leader, others: pages.filter((page) => page !== leader) };
}

export async function tabsShareOneConnection(world) {
  const { tabs, pages, leader } = await three(world);
  assert.equal(leader, pages[0]);
  await Promise.all(pages.flatMap((page) => [tabs.write(page), tabs.write(page)]));
  await tabs.show(...pages);
  assert.deepEqual(tabs.connected, [leader]);
}

export async function aTabThatIsClosedIsFollowed(world) {
  const { tabs, leader, others } = await three(world);
  await leader.close();
  await tabs.write(others[0]);
  await tabs.write(others[1]);
  await tabs.show(...others);
  assert.ok(others.includes(await tabs.leader()));
}

export async function aTabThatCrashesIsFollowed(world) {
  const { tabs, leader, others } = await three(world);
  const crashed = leader.waitForEvent("crash");
  const session = await tabs.session(leader);
  // Nobody is left to answer.
  session.send("Page.crash").catch(() => {});
  await crashed;
  await tabs.write(others[0]);
  await tabs.write(others[1]);
  await tabs.show(...others);
  assert.ok(others.includes(await tabs.leader()));
}

export async function aFrozenTabIsFollowedAndWakes(world) {
  const { tabs, pages, leader, others } = await three(world);
  const goOn = await tabs.hang(leader, "freeze");
  await tabs.write(others[0]);
  await tabs.show(...others);
  await goOn();
  await leader.evaluate(() => document.dispatchEvent(new Event("resume", { bubbles: true })));
  await tabs.show(leader);
  await tabs.write(leader);
  await tabs.show(...pages);
  assert.ok(others.includes(await tabs.leader()));
}

export async function aTabThatHangsIsFollowed(world) {
  const { tabs, pages, leader, others } = await three(world);
  const goOn = await tabs.hang(leader);
  await tabs.write(others[0]);
  await tabs.show(...others);
  await goOn();
  await tabs.write(leader);
  await tabs.show(...pages);
  assert.ok(others.includes(await tabs.leader()));
}

export async function aDuplicatedTabIsItsOwn(world) {
  const tabs = new Tabs(world.context, world.url);
  const page = await tabs.open();
  await tabs.write(page);
  const copy = await tabs.duplicate(page);
  await Promise.all([page, copy, page, copy].map((each) => tabs.write(each)));
  await tabs.show(page, copy);
  assert.equal(await tabs.leader(), page);
  await page.close();
  await tabs.write(copy);
  await tabs.show(copy);
  assert.equal(await tabs.leader(), copy);
}

export async function aWriteThatIsStoredOutlivesItsTab(world) {
  const { tabs, leader, others } = await three(world);
  for (const page of [others[0], leader]) {
    await tabs.stored(page, await tabs.begin(page));
    await page.close({ runBeforeUnload: true });
  }
  await tabs.show(others[1]);
  // The leader may have sent what it stored before it closed.
  await until(async () => (await tabs.leader()) === others[1], "the last tab to lead");
}

export async function oneTabTakesAllOffline(world) {
  const { tabs, pages, others } = await three(world);
  await others[0].evaluate(() => window.client.offline());
  for (const page of pages) await page.waitForFunction(() => window.client.state === "offline");
  // The driver hears of the end of a socket later than the page.
  await until(() => tabs.connected.length === 0, "no tab with a socket");
  const begun = [];
  for (const page of pages) begun.push(await tabs.begin(page));
  for (const page of pages) await page.waitForFunction(() => window.client.queue.length === 3);
  await pages[0].evaluate(() => window.client.online());
  for (const [index, page] of pages.entries()) await tabs.durable(page, begun[index]);
  await tabs.show(...pages);
}

export async function questionsOfEveryTabAreAnswered(world) {
  const { leader, others } = await three(world);
  const ask = (page) =>
    page.evaluate(() =>
      window.client.validateField("signup", "age", "12").then(({ valid }) => valid),
    );
  assert.deepEqual(await Promise.all([leader, ...others].map(ask)), [false, false, false]);
  // What is asked while nobody leads is asked again of whoever leads next.
  const [verdict] = await Promise.all([ask(others[0]), leader.close()]);
  assert.equal(verdict, false);
}

/** Two tabs read what the others do not; the server is told when the last of them is gone. */
async function readsNoLonger(world, end) {
  const { tabs, leader, others } = await three(world);
  await tabs.counts("subscriptions", "1.0");
  for (const page of others)
    await page.evaluate(() => (window.more = window.client.collection("more")).synced);
  await tabs.counts("subscriptions", "2.0");
  await end(tabs, others[0]);
  await others[1].evaluate(() => window.more.close());
  await tabs.counts("subscriptions", "1.0");
  await tabs.write(others[1]);
  await tabs.show(leader, others[1]);
}

export const whatATabClosedIsReadNoLonger = (world) =>
  readsNoLonger(world, (_tabs, page) => page.evaluate(() => window.more.close()));

export const whatATabThatIsClosedReadIsReadNoLonger = (world) =>
  readsNoLonger(world, (_tabs, page) => page.close());

export const whatATabThatCrashedReadIsReadNoLonger = (world) =>
  readsNoLonger(world, async (tabs, page) => {
    const crashed = page.waitForEvent("crash");
    const session = await tabs.session(page);
    session.send("Page.crash").catch(() => {});
    await crashed;
  });
