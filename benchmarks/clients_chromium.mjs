/**
 * The browser's half of the benchmark of the same name: runs each case once, ours and the peers in
 * turn, each in a Chromium with a new profile.
 *
 *     node clients_chromium.mjs < TASK > FIGURES
 *
 * The task is one JSON object: `chromium`, the path of the program; `url`, of a page with our
 * client; `head`, how many records its server has; `epoch`, of its store; `writes` and `few`, how
 * many are written. A figure is `{"case", "subject", "wall", "cpu", "longest"}`: seconds until it is
 * done, seconds of the page's main thread, and milliseconds of its longest task.
 *
 * Dexie comes from `benchmarks/peers`: `npm ci` there.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { Browser } from "./support/chromium.mjs";

const peers = createRequire(new URL("peers/package.json", import.meta.url));
const dexie = readFileSync(peers.resolve("dexie/dist/dexie.min.js"), "utf8");

/** What a browser tells of tasks begins here (https://w3c.github.io/longtasks/): it stands for less, too. */
const LONG = 50;

const { chromium, url, head, epoch, writes, few } = JSON.parse(readFileSync(0, "utf8"));

/** Runs in a page before anything is measured. */
function prepare(head) {
  window.long = [];
  window.sees = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) long.push(duration);
  });
  sees.observe({ type: "longtask" });
  /** The records of `benchmarks/support/filled.py`. */
  window.record = (number) => {
    const words = Array.from({ length: 46 }, (_, word) =>
      `${((number + word) * 7919) % 9973}`.padStart(4, "0"),
    );
    const [title, owner] = [`record ${number}`, `owner-${number % 97}`];
    return { title, done: number % 2 === 0, owner, text: words.join(" ") };
  };
  window.records = Array.from({ length: head }, (_, at) => ({
    key: `${at + 1}`,
    value: { data: record(at + 1), version: at + 1 },
  }));
  window.done = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  window.bare = () => {
    const request = indexedDB.open("bare", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("records");
      request.result.createObjectStore("queue", { autoIncrement: true });
    };
    return done(request);
  };
  window.committed = (transaction) =>
    new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  window.dexie = () => {
    const db = new Dexie("dexie", { chromeTransactionDurability: "strict" });
    db.version(1).stores({ records: "", queue: "++" });
    return db;
  };
  /** Does something so many times, each time in a task of its own. */
  window.inTasks = (count, act) =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      let at = 0;
      port2.onmessage = () => {
        act(at);
        at += 1;
        if (at < count) port1.postMessage(null);
        else resolve();
      };
      port1.postMessage(null);
    });
  window.offline = async () => {
    const client = rhtmx.connect("/api/ws");
    client.offline();
    const tasks = client.collection("tasks");
    await tasks.ready;
    return [client, tasks];
  };
  /** A write that has a number is on the disk. */
  window.stored = async (client, count) => {
    for (let seen = 0; seen < count; seen = client.queue.filter(({ seq }) => seq).length)
      await new Promise((resolve) => setTimeout(resolve, 5));
  };
}

const WRITES = {
  rhtmx: async (count) => {
    const [client, tasks] = await offline();
    for (let at = 0; at < count; at += 1) void tasks.set(`${at}`, record(at));
    await stored(client, count);
  },
  "IndexedDB, one transaction": async (count) => {
    const transaction = (await bare()).transaction("queue", "readwrite", { durability: "strict" });
    const queue = transaction.objectStore("queue");
    for (let at = 0; at < count; at += 1) queue.put({ id: `${at}`, data: record(at) });
    await committed(transaction);
  },
  "Dexie, bulkAdd": async (count) => {
    const all = Array.from({ length: count }, (_, at) => ({ id: `${at}`, data: record(at) }));
    await dexie().queue.bulkAdd(all);
  },
};

const FEW = {
  rhtmx: async (count) => {
    const [client, tasks] = await offline();
    await inTasks(count, (at) => void tasks.set(`${at}`, record(at)));
    await stored(client, count);
  },
  "IndexedDB, a transaction each": async (count) => {
    const db = await bare();
    const all = [];
    await inTasks(count, (at) => {
      const transaction = db.transaction("queue", "readwrite", { durability: "strict" });
      transaction.objectStore("queue").put({ id: `${at}`, data: record(at) });
      all.push(committed(transaction));
    });
    await Promise.all(all);
  },
  "Dexie, add": async (count) => {
    const { queue } = dexie();
    const all = [];
    await inTasks(count, (at) => all.push(queue.add({ id: `${at}`, data: record(at) })));
    await Promise.all(all);
  },
};

const LOAD = {
  rhtmx: async ({ head, epoch }) => {
    const client = rhtmx.connect("/api/ws");
    const bench = client.collection("bench");
    let shown = 0;
    bench.subscribe((rows) => (shown = rows.length));
    await bench.synced;
    const [{ name }] = await indexedDB.databases();
    const db = await done(indexedDB.open(name));
    const place = () => done(db.transaction("place").objectStore("place").get("bench"));
    for (
      let at;
      !(shown === head && at?.version === head && at.epoch === epoch);
      at = await place()
    )
      await new Promise((resolve) => setTimeout(resolve, 20));
    db.close();
  },
  "IndexedDB, 1,000 at a time": async () => {
    const db = await bare();
    for (let at = 0; at < records.length; at += 1_000) {
      const transaction = db.transaction("records", "readwrite", { durability: "relaxed" });
      const table = transaction.objectStore("records");
      for (const { key, value } of records.slice(at, at + 1_000)) table.put(value, key);
      await committed(transaction);
    }
  },
  "Dexie, bulkPut, 1,000 at a time": async () => {
    const db = dexie();
    for (let at = 0; at < records.length; at += 1_000) {
      const some = records.slice(at, at + 1_000);
      const keys = some.map(({ key }) => key);
      await db.records.bulkPut(
        some.map(({ value }) => value),
        keys,
      );
    }
  },
};

const OPEN = {
  rhtmx: async ({ head }) => {
    const client = rhtmx.connect("/api/ws");
    client.offline();
    const bench = client.collection("bench");
    await new Promise((resolve) =>
      bench.subscribe((rows) => {
        if (rows.length === head) resolve();
      }),
    );
  },
  "IndexedDB, 1,000 at a time": async () => {
    const table = (await bare()).transaction("records").objectStore("records");
    const [keys, values] = await Promise.all([done(table.getAllKeys()), done(table.getAll())]);
    window.rows = keys.map((id, at) => ({ id, ...values[at] }));
  },
  "Dexie, bulkPut, 1,000 at a time": async () => {
    window.rows = await dexie().records.toArray();
  },
};

/** Does one thing in a page of its own. */
async function measured(browser, name, subject, act, given) {
  const page = await browser.open(url);
  if (subject.startsWith("Dexie")) await page.send("Runtime.evaluate", { expression: dexie });
  await page.run(prepare, head);
  const [cpu, began] = [await page.cpu(), performance.now()];
  await page.run(act, given);
  const wall = (performance.now() - began) / 1000;
  const used = (await page.cpu()) - cpu;
  const longest = await page.run(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return Math.max(0, ...long, ...sees.takeRecords().map(({ duration }) => duration));
  });
  await page.close();
  return { case: name, subject, wall, cpu: used, longest: Math.max(LONG, longest) };
}

const shown = (count) => count.toLocaleString("en");
const cases = [
  [[`${shown(writes)} writes in one task`, WRITES, writes]],
  [[`${shown(few)} writes, a task each`, FEW, few]],
  [
    [`${shown(head)} records from the server`, LOAD, { head, epoch }],
    [`${shown(head)} records that are stored`, OPEN, { head }],
  ],
];
const figures = [];
for (const parts of cases) {
  for (const subject of Object.keys(parts[0][1])) {
    const browser = await Browser.launch(chromium);
    for (const [name, acts, given] of parts)
      figures.push(await measured(browser, name, subject, acts[subject], given));
    await browser.close();
  }
}
console.log(JSON.stringify(figures));
