/** A client in a worker, where there is no document. */
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
