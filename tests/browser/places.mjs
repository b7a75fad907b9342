/** The client where a page is not at its best: in a worker, and without room to store. */
import assert from "node:assert/strict";

export async function aWorkerReadsAndWritesLikeAPage({ visit }) {
  const page = await visit("/");
  const heard = await page.evaluate(() => {
    const worker = new Worker("/worker.js");
    return new Promise((resolve, reject) => {
      const heard = [];
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }) => {
        heard.push(data);
        if (data === "durable") resolve(heard);
      };
    });
  });
  assert.deepEqual(heard, ["1 row", "durable"]);
}

export async function aFullBrowserRefusesNewWritesAndKeepsThoseThatWait({ visit }) {
  const page = await visit("/page");
  // Before the database is opened: the browser remembers for a while how much room there is.
  const browser = await page.context().newCDPSession(page);
  const origin = new URL(page.url()).origin;
  await browser.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 500_000 });
  await page.evaluate(() => {
    window.client = rhtmx.connect("/api/ws");
    window.tasks = client.collection("tasks");
    window.errors = [];
    client.onError(({ code }) => errors.push(code));
    client.offline();
    void tasks.set("kept", { text: "before" });
  });
  await page.waitForFunction(() => window.client.queue.some(({ seq }) => seq));
  const refused = await page.evaluate(async () => {
    for (let number = 0; number < 500; number += 1) {
      // What repeats itself takes no room: it is compressed.
      const bytes = crypto.getRandomValues(new Uint8Array(30_000));
      const text = Array.from(bytes, (byte) => byte.toString(16)).join("");
      const write = tasks.set(`big ${number}`, { text });
      const stored = async () => {
        while (!client.queue.some(({ entityId, seq }) => entityId === `big ${number}` && seq)) {
          await new Promise((resolve) => setTimeout(resolve));
        }
      };
      const outcome = await Promise.race([write.catch(({ code }) => code), stored()]);
      if (outcome) return [outcome, tasks.row(`big ${number}`) === undefined];
    }
    return "never";
  });
  assert.deepEqual(refused, ["storage_full", true]);
  assert.deepEqual(await page.evaluate(() => window.errors), ["storage_full"]);
  await browser.send("Storage.overrideQuotaForOrigin", { origin });
  await page.reload();
  await page.evaluate(async () => {
    window.client = rhtmx.connect("/api/ws");
    window.tasks = client.collection("tasks");
    client.online();
    await tasks.synced;
  });
  await page.waitForFunction(() => window.client.queue.length === 0);
  const kept = await page.evaluate(() => window.tasks.row("kept").data.text);
  assert.equal(kept, "before");
}
