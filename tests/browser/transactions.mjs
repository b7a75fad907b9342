/**
 * Several records together, in several tabs of one browser: nobody ever sees, keeps or sends a
 * half of them.
 */
import assert from "node:assert/strict";

import { Tabs, until } from "./tabs.mjs";

const WRONG = { message: "only a hundred fit", field: "n", code: "too_many" };

/** In a page: connects, and notes each pair of the two records that was there to be seen. */
function connect() {
  window.client ??= rhtmx.connect("/api/ws");
  window.orders = window.client.collection("orders");
  window.stock = window.client.collection("stock");
  window.seen = [];
  const n = (row) => row?.data?.n ?? null;
  const look = () => {
    const now = `${n(window.orders.row("7"))} ${n(window.stock.row("tea"))}`;
    if (window.seen.at(-1) !== now) window.seen.push(now);
  };
  window.orders.subscribe(look);
  window.stock.subscribe(look);
  // Between the calls of listeners, too; and from a moment on that the test chooses.
  setInterval(look);
  window.lookAnew = () => {
    window.seen = [];
    look();
  };
  return Promise.all([window.orders.ready, window.stock.ready]).then(() => {});
}

/**
 * In a page: writes both records, one by what comes of it, so that a second effect shows.
 *
 * @param more another record that is written beside them.
 */
function write([n, by, more]) {
  window.outcome = "waiting";
  const written = window.client.transaction((writes) => {
    writes.set("orders", "7", { n });
    writes.patch("stock", "tea", { n: rhtmx.inc(by) });
    if (more) writes.set("stock", more, { n });
  });
  written.then(
    ({ results }) => (window.outcome = results.map(({ entity }) => entity)),
    ({ code, details }) => (window.outcome = [code, details.writes.map(({ index }) => index)]),
  );
}

/** Waits until tabs show this, and so many writes wait. */
async function show(pages, n, waiting) {
  for (const page of pages) {
    const look = () =>
      page.evaluate(() => {
        const rows = [window.orders.row("7"), window.stock.row("tea")];
        const shown = rows.map((row) => [row?.data?.n, row?.pending]);
        const queue = window.client.queue.map(({ message, seq }) => [message.type, seq > 0]);
        return JSON.stringify({ shown, queue });
      });
    const row = [n, waiting > 0];
    const queue = Array(waiting).fill(["transaction", true]);
    const wanted = JSON.stringify({ shown: [row, row], queue });
    await until(
      async () => (await look()) === wanted,
      async () => `${wanted} to be shown, not ${await look()}`,
    );
  }
}

/** What a tab has shown, in this order; before it has loaded it shows nothing. */
async function hasSeen(page, ...wanted) {
  const seen = await page.evaluate(() => window.seen);
  assert.deepEqual(
    seen.filter((each) => each !== "null null"),
    wanted.map((n) => `${n} ${n}`),
  );
}

/** Three tabs that show a first transaction. */
async function three({ context, url }) {
  const tabs = new Tabs(context, url);
  const pages = await tabs.openAll(3);
  for (const page of pages) await page.evaluate(connect);
  const leader = await tabs.leader();
  const [writer, observer] = pages.filter((page) => page !== leader);
  await leader.evaluate(write, [1, 1]);
  await show(pages, 1, 0);
  // Seen before anything else is written: in a tab behind others no timer runs for up to a second.
  for (const page of pages) await page.evaluate(() => window.lookAnew());
  return { tabs, pages, leader, writer, observer };
}

/** The same, without a connection any more; `sent` are the transactions that go to the server. */
async function offline(world) {
  const found = await three(world);
  const { pages, observer } = found;
  await observer.evaluate(() => window.client.offline());
  for (const page of pages) await page.waitForFunction(() => window.client.state === "offline");
  const sent = [];
  for (const page of pages) {
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => {
        sent.push(...(String(payload).match(/"type":"transaction"/g) ?? []));
      });
    });
  }
  return { ...found, sent };
}

/** The tab loads its page anew; offline it shows what is stored. */
async function reload(page) {
  await page.reload();
  await page.evaluate(connect);
}

const online = (page) => page.evaluate(() => window.client.online());

export async function aTransactionThatIsMadeOfflineIsKeptShownAndSentWhole(world) {
  const { tabs, pages, leader, writer, observer, sent } = await offline(world);
  await writer.evaluate(write, [2, 1]);
  await show(pages, 2, 1);
  await reload(writer);
  await show(pages, 2, 1);
  await leader.close();
  await reload(writer);
  const rest = [writer, observer];
  await show(rest, 2, 1);
  await online(observer);
  await show(rest, 2, 0);
  assert.ok(rest.includes(await tabs.leader()));
  await hasSeen(observer, 1, 2);
  await hasSeen(writer, 2);
  assert.equal(sent.length, 1);
  for (const page of rest) assert.deepEqual(await rejectedIn(page), []);
}

export async function aTransactionIsAnsweredInTheTabThatMadeItWhoeverLeads(world) {
  const { pages, leader, writer, observer } = await offline(world);
  await writer.evaluate(write, [2, 1]);
  await show(pages, 2, 1);
  await leader.close();
  await online(observer);
  await writer.waitForFunction(() => window.outcome !== "waiting");
  assert.deepEqual(await writer.evaluate(() => window.outcome), ["orders", "stock"]);
  await show([writer, observer], 2, 0);
  for (const page of [writer, observer]) await hasSeen(page, 1, 2);
}

export async function aTransactionTakesEffectOnceThoughTheLeaderEndsMeanwhile(world) {
  const { leader, writer, observer } = await three(world);
  await Promise.all([writer.evaluate(write, [2, 1]), leader.close()]);
  await writer.waitForFunction(() => window.outcome !== "waiting");
  await show([writer, observer], 2, 0);
  for (const page of [writer, observer]) await hasSeen(page, 1, 2);
}

export async function aTransactionOutlivesAllTabs(world) {
  const { tabs, pages, writer } = await offline(world);
  await writer.evaluate(write, [2, 1]);
  await show(pages, 2, 1);
  for (const page of pages) await page.close();
  const last = await tabs.open();
  await last.evaluate(connect);
  await show([last], 2, 0);
  await reload(last);
  await show([last], 2, 0);
  await hasSeen(last, 2);
}

/** What was rejected, as far as a page can show it to a user. */
const rejectedIn = (page) =>
  page.evaluate(() =>
    window.client.rejected.map(({ message, code, details, violations }) => ({
      writes: message.writes.map((each) => each.entity),
      code,
      reasons: details.writes.map(({ index, code }) => [index, code]),
      violations,
    })),
  );

const REJECTED = [
  {
    writes: ["orders", "stock", "stock"],
    code: "invalid",
    reasons: [
      [1, "invalid"],
      [2, "invalid"],
    ],
    violations: [1, 2].map((write) => ({ ...WRONG, write })),
  },
];

async function areRejected(pages, wanted) {
  for (const page of pages) {
    await page.waitForFunction((count) => window.client.rejected.length === count, wanted.length);
    assert.deepEqual(await rejectedIn(page), wanted);
  }
}

export async function aTransactionThatIsRejectedIsTakenBackWholeAndKeptWithItsReasons(world) {
  const { pages, leader, writer, observer } = await offline(world);
  await writer.evaluate(write, [101, 100, "milk"]);
  await show(pages, 101, 1);
  await reload(writer);
  await show(pages, 101, 1);
  await leader.close();
  await online(observer);
  const rest = [writer, observer];
  await show(rest, 1, 0);
  await areRejected(rest, REJECTED);
  await hasSeen(observer, 1, 101, 1);
  await hasSeen(writer, 101, 1);
  for (const page of rest) await reload(page);
  await show(rest, 1, 0);
  await areRejected(rest, REJECTED);
  for (const page of rest) {
    await hasSeen(page, 1);
    assert.equal(await page.evaluate(() => window.stock.row("milk")), undefined);
  }
  await observer.evaluate(() => window.client.rejected[0].discard());
  await areRejected(rest, []);
}

export async function aRejectedTransactionIsToldToTheTabThatMadeIt(world) {
  const { pages, leader, writer, observer } = await offline(world);
  await writer.evaluate(write, [101, 100, "milk"]);
  await show(pages, 101, 1);
  await online(leader);
  await writer.waitForFunction(() => window.outcome !== "waiting");
  assert.deepEqual(await writer.evaluate(() => window.outcome), ["invalid", [1, 2]]);
  await show(pages, 1, 0);
  await areRejected(pages, REJECTED);
  for (const page of [leader, writer, observer]) {
    await hasSeen(page, 1, 101, 1);
    assert.equal(await page.evaluate(() => window.stock.row("milk")), undefined);
  }
}
