/** What a page keeps over a reload, with and without a connection. */
import assert from "node:assert/strict";

/** Whether a write is stored here, or has gone even further. */
const isStored = (id) =>
  window.client.queue.some(({ entityId, seq }) => entityId === id && seq) ||
  window.outcomes[id] === "durable";

/** How many segments of records and how many writes lie in the database of the page. */
async function inDatabase() {
  const result = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const [{ name }] = await indexedDB.databases();
  const database = await result(indexedDB.open(name));
  const tables = database.transaction(["segments", "queue"]);
  const segments = result(tables.objectStore("segments").count());
  // Below 0 are the ids of those that have left the queue.
  const waiting = result(tables.objectStore("queue").count(IDBKeyRange.lowerBound(0)));
  const found = await Promise.all([segments, waiting]);
  database.close();
  return found;
}

export async function whatIsWrittenIsThereAfterAReload({ open, ask }) {
  const tab = await open("/client");
  await tab.evaluate(() => write("1", { n: 1 }));
  await tab.waitFor(() => outcomes["1"] === "durable" && tasks.row("1")?.version === 1);
  // What the server tells is shown at once, and stored a moment later.
  while (`${await tab.evaluate(inDatabase)}` !== "1,0");
  await ask("cut");
  await tab.reload();
  const row = await tab.waitFor(() => tasks.row("1"));
  assert.deepEqual([row.data, row.version, row.pending], [{ n: 1 }, 1, false]);
}

export async function aQueueSurvivesAReloadOfflineAndIsSentOnce({ open, ask }) {
  const tab = await open("/client");
  await tab.waitFor(() => client.state === "open");
  await ask("cut");
  await tab.waitFor(() => client.state !== "open");
  for (const id of ["1", "2"]) {
    await tab.evaluate((id) => write(id, { by: id }), id);
    await tab.waitFor(isStored, id);
  }
  await tab.reload();
  await tab.waitFor(() => client.queue.length === 2 && tasks.snapshot.length === 2);
  assert.deepEqual(await tab.evaluate(() => tasks.snapshot.map(({ pending }) => pending)), [
    true,
    true,
  ]);
  await ask("mend");
  await tab.evaluate(() => void dispatchEvent(new Event("online")));
  await tab.waitFor(
    () => client.queue.length === 0 && tasks.snapshot.every(({ pending }) => !pending),
  );
  assert.deepEqual(await ask("effects"), { 1: 1, 2: 1 });
}

export async function manyWritesAtOnceSurviveAReload({ open, ask }) {
  const tab = await open("/client");
  await tab.waitFor(() => client.state === "open");
  await ask("cut");
  await tab.evaluate(() => {
    for (let number = 0; number < 300; number += 1) write(`${number}`, { number });
  });
  await tab.waitFor(() => client.queue.length === 300 && client.queue.every(({ seq }) => seq));
  await tab.reload();
  await tab.waitFor(() => client.queue.length === 300);
  await ask("mend");
  await tab.evaluate(() => void dispatchEvent(new Event("online")));
  await tab.waitFor(() => client.queue.length === 0);
  const effects = Object.values(await ask("effects"));
  assert.deepEqual([effects.length, Math.max(...effects)], [300, 1]);
}

export async function whatChangedWhileAPageWasClosedIsThereWhenItOpensAgain({ open, ask }) {
  const first = await open("/client");
  await first.evaluate(() => write("1", { n: 1 }));
  await first.waitFor(() => outcomes["1"] === "durable");
  await first.close();
  await ask("push", "tasks", "2", { n: 2 });
  const second = await open("/client");
  await second.waitFor(() => tasks.row("1")?.data.n === 1 && tasks.row("2")?.data.n === 2);
}
