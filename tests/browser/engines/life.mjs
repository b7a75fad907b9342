/** Away and back: what a page is when it is shown again, from the cache of pages or loaded anew. */
import assert from "node:assert/strict";

import { until } from "./engine.mjs";

/** Milliseconds after which a page that was left is no longer waited for; nobody asks it for a sign of life. */
const SOON = 10_000;

/** Leaves a page with a client, lets something happen meanwhile, and comes back. */
async function awayAndBack({ open, ask, url }, path) {
  const tab = await open(path);
  await tab.evaluate(() => write("1", { n: 1 }));
  await tab.waitFor(() => outcomes["1"] === "durable");
  await tab.goto(new URL("/elsewhere", url).href);
  await until(
    async () => (await ask("connections")) === 0,
    "the page that was left to be gone",
    SOON,
  );
  await ask("push", "tasks", "2", { n: 2 });
  await tab.back();
  await tab.waitFor(() => tasks.row("2")?.data.n === 2 && client.state === "open");
  assert.equal(await ask("connections"), 1);
  return tab;
}

export async function afterBackAPageHasWhatHappenedMeanwhile(world) {
  const tab = await awayAndBack(world, "/client");
  await world.ask("push", "tasks", "3", { n: 3 });
  await tab.waitFor(() => tasks.row("3")?.data.n === 3);
  await tab.evaluate(() => write("4", { n: 4 }));
  await tab.waitFor(() => tasks.row("4")?.pending === false);
  assert.equal(await world.ask("connections"), 1);
}

export async function afterBackAPageThatStoresNothingHasWhatHappenedMeanwhile(world) {
  const tab = await awayAndBack(world, "/client?alone");
  await world.ask("push", "tasks", "3", { n: 3 });
  await tab.waitFor(() => tasks.row("3")?.data.n === 3);
  assert.equal(await world.ask("connections"), 1);
}

export async function backAndForwardAgainAndAgainLeavesOneConnection(world) {
  const { open, ask, url } = world;
  const tab = await open("/client");
  await tab.waitFor(() => client.state === "open");
  for (let number = 0; number < 4; number += 1) {
    await tab.goto(new URL("/elsewhere", url).href);
    await ask("push", "tasks", `${number}`, { number });
    await tab.back();
    await tab.waitFor((id) => tasks.row(id), `${number}`);
  }
  await until(async () => (await ask("connections")) === 1, "one connection");
}

/** Has a page connect whose first transaction, or first making of the tables, lasts until it goes. */
async function busy({ open }, method) {
  const tab = await open("/sent");
  await tab.evaluate((method) => {
    const { prototype } = window.IDBDatabase;
    const begin = prototype[method];
    window.begun = 0;
    prototype[method] = function (...given) {
      const made = begin.apply(this, given);
      window.begun += 1;
      // One request after the other, as long as there is somebody to make the next.
      const goOn = () => {
        try {
          (made.objectStore?.("meta") ?? made).get("nothing").addEventListener("success", goOn);
        } catch (error) {
          // The client has ended it as the page went: WebKit may tell of one more success then.
          if (error.name !== "InvalidStateError") throw error;
        }
      };
      if (window.begun === 1) goOn();
      return made;
    };
    for (const src of ["/api/client.js", "/client-page.js"]) {
      document.head.append(Object.assign(document.createElement("script"), { src, async: false }));
    }
  }, method);
  await tab.waitFor(() => window.begun);
  return tab;
}

async function holdsUpNoOther(world, method) {
  const { open, url } = world;
  const tab = await busy(world, method);
  await tab.goto(new URL("/elsewhere", url).href);
  const other = await open("/client");
  await other.evaluate(() => write("1", { n: 1 }));
  await other.waitFor(() => outcomes["1"] === "durable");
  assert.deepEqual(await other.evaluate(() => [client.info.stored, errors]), [true, []]);
  await tab.back();
  if (!(await tab.evaluate(() => !!window.begun))) return;
  await tab.waitFor(() => tasks.row("1")?.data.n === 1);
  assert.deepEqual(await tab.evaluate(() => [client.info.stored, errors]), [true, []]);
}

export const aPageThatIsLeftWhileItReadsHoldsUpNoOther = (world) =>
  holdsUpNoOther(world, "transaction");

export const aPageThatIsLeftWhileItMakesItsTablesHoldsUpNoOther = (world) =>
  holdsUpNoOther(world, "createObjectStore");
