/** Two users of two tenants, each in a browser of their own: neither is told of the other's. */
import assert from "node:assert/strict";

import { until } from "./tabs.mjs";

const WORDS = { 7: "of-seven", 8: "of-eight" };

/** Opens the page of a user, and keeps all that it is told and has asked for. */
async function open({ visit, ask }, customer) {
  const page = await visit("/blank", { before: `document.cookie = "customer=${customer}"` });
  const told = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => told.push(payload)));
  // What the server of the application would answer: what this user may see.
  await page.route("**/list", async (route) =>
    route.fulfill({ contentType: "text/html", body: await ask("list", customer) }),
  );
  await page.goto(new URL(`/orders-of-${customer}`, page.url()).href);
  await page.evaluate(() => {
    window.client = rhtmx.connect("/api/ws");
    window.orders = client.collection("orders");
    // Asks for what it has no right to, too.
    window.others = client.collection("orders", { where: { customer: ["7", "8"] } });
    return Promise.all([orders.synced, others.synced]);
  });
  return { page, told };
}

/** Waits until a page shows these orders, and its client holds them, for all that it asks for. */
async function shows({ page }, ...ids) {
  await page.waitForFunction((wanted) => {
    const shown = [...document.querySelectorAll("#list li")].map(({ id }) => id).join();
    const held = [orders, others].map(({ snapshot }) => snapshot.map(({ id }) => id).join());
    return [shown, ...held].every((each) => each === wanted) && client.queue.length === 0;
  }, ids.join());
}

/** All that the page's origin has stored, as text. */
const stored = (page) =>
  page.evaluate(async () => {
    const found = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
    const result = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    for (const { name } of await indexedDB.databases()) {
      const database = await result(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const all = database.transaction(store).objectStore(store);
        found.push(JSON.stringify([await result(all.getAllKeys()), await result(all.getAll())]));
      }
      database.close();
    }
    return found.join("\n");
  });

/** A user has something of their own in the page, in storage and in frames, and nothing else. */
async function hasOnly({ page, told }, own, foreign) {
  const all = { page: await page.content(), storage: await stored(page), frames: told.join("\n") };
  for (const [place, text] of Object.entries(all)) {
    assert.ok(text.includes(own), `${place} has ${own}`);
    assert.ok(!text.includes(foreign), `${place} has ${foreign}: ${text}`);
  }
}

export async function whatMovesToAnotherTenantLeavesOnePageAndComesIntoTheOther(world) {
  const [ada, eve] = [await open(world, "7"), await open(world, "8")];
  await shows(ada, "1", "2");
  await shows(eve, "3");
  await hasOnly(ada, WORDS[7], WORDS[8]);
  await hasOnly(eve, WORDS[8], WORDS[7]);
  await ada.page.evaluate(() => orders.patch("1", { customer: "8" }));
  await shows(ada, "2");
  await shows(eve, "1", "3");
  // It is the other one's now, and so is what becomes of it.
  await eve.page.evaluate((text) => orders.set("1", { customer: "8", text }), `${WORDS[8]}, now`);
  await eve.page.evaluate(() => orders.set("4", { customer: "8", text: "of-eight, too" }));
  await shows(eve, "1", "3", "4");
  await ada.page.evaluate((text) => orders.set("5", { customer: "7", text }), WORDS[7]);
  await shows(ada, "2", "5");
  await hasOnly(ada, WORDS[7], WORDS[8]);
  await hasOnly(eve, WORDS[8], WORDS[7]);
  // It is taken out at once, after what came is stored.
  await until(async () => !(await stored(ada.page)).includes("moves"), "what has left to go");
  assert.ok(ada.told.join().includes("moves"), "which was told before");
  await ada.page.reload();
  await ada.page.waitForFunction(() => document.querySelectorAll("#list li").length === 2);
}
