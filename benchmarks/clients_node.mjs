/**
 * The half of `clients_node.py` that runs on Node: measures one client in one case, and prints
 * the figures as JSON.
 *
 *     node --expose-gc clients_node.mjs '{"subject": "rhtmx", "what": "edit", "records": 1000}'
 *
 * The client is bundled as a page has it; its server is a socket in this program that says what
 * was prepared. So what is measured is the client alone, on one core. The peer, TanStack DB, gets
 * the same records and changes by the functions that it gives to whoever syncs it.
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const TIME = "2026-01-01T00:00:00.000000Z";
const EPOCH = "bench";

/** The records have ids in no order, as random ones are: 7,919 is a prime. */
const idOf = (number) => `task-${String((number * 7919) % 1_000_003).padStart(7, "0")}`;
const dataOf = (number, version = 0) => ({
  title: `Write down what is to be done, number ${number}`,
  done: version % 2 === 1,
  assignee: ["ada", "bob", "cleo", "dan"][number % 4],
  rank: version,
});
const turn = () => new Promise((resolve) => setImmediate(resolve));
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Lets all that is under way come to its end: timers of a long pause, too. */
async function settle() {
  for (let round = 0; round < 3; round += 1) await pause(30);
}

/** The client of this checkout; `source` is the folder of its source. */
async function load(source) {
  const require = createRequire(`${source}/../package.json`);
  const { outputFiles } = await require("esbuild").build({
    entryPoints: [`${source}/index.ts`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  const bundle = Buffer.from(outputFiles[0].contents).toString("base64");
  return import(`data:text/javascript;base64,${bundle}`);
}

/** Ours, connected to a socket that has so many records. */
async function rhtmx({ records, source, answers }) {
  const { connect } = await load(source);
  let version = 0;
  let socket;
  const say = (message) => socket.onmessage({ data: JSON.stringify(message) });
  const change = (number) => ({
    entity: "tasks",
    entity_id: idOf(number),
    action: "update",
    data: dataOf(number, ++version),
    version,
    created_at: TIME,
  });
  const answer = ({ seq, request_id, entity_id, fields }) => {
    const { number } = /number (?<number>\d+)/.exec(collection.row(entity_id).data.title).groups;
    const log = change(+number);
    const told = Object.fromEntries(fields.map(({ field, value }) => [field, value]));
    say({ type: "change", change: { ...log, data: { ...log.data, ...told } } });
    const applied = fields.length;
    say({
      type: "field_push_ack",
      entity: "tasks",
      entity_id,
      applied,
      conflicts: 0,
      version,
      seq,
      request_id,
    });
  };
  const SAYS = {
    hello: () =>
      say({
        type: "welcome",
        session_id: "s",
        epoch: EPOCH,
        last_seq: 0,
        heartbeat: 3_600_000,
        limits: { message_bytes: 1_048_576, subscriptions: 128, requests: 64 },
        server_time: TIME,
        schema: "s",
      }),
    subscribe: () => {
      for (let number = 0; number < records; number += 1)
        say({ type: "change", change: change(number) });
      say({ type: "sync_complete", entity: "tasks", epoch: EPOCH, version, reset: false });
    },
    push_fields: (message) => answers && setImmediate(() => answer(message)),
  };
  class Socket {
    readyState = 0;
    constructor(_, [protocol]) {
      this.protocol = protocol;
      socket = this;
      setImmediate(() => {
        this.readyState = 1;
        this.onopen();
      });
    }
    send(text) {
      const message = JSON.parse(text);
      setImmediate(() => SAYS[message.type]?.(message));
    }
    close() {}
  }
  const client = connect("ws://x/api/ws", { WebSocket: Socket, storage: false });
  const collection = client.collection("tasks");
  await collection.synced;
  return {
    name: "rhtmx",
    edit: (number, rank) => void collection.patch(idOf(number), { rank }),
    listen: (listener, where) => collection.subscribe(listener, { where }),
    /** What the server tells next, ready to be heard. */
    changes: (count) =>
      Array.from({ length: count }, (_, at) =>
        JSON.stringify({ type: "change", change: change((at * 31) % records) }),
      ),
    hear: (data) => socket.onmessage({ data }),
    count: () => collection.snapshot.length,
    stop: () => client.close(),
  };
}

/** The peer, with a live query over all of its records. */
async function tanstack({ records, peers, answers }) {
  const require = createRequire(`${peers}/package.json`);
  const { createCollection, createLiveQueryCollection } = require("@tanstack/db");
  let sync;
  let version = 0;
  const row = (number) => ({ id: idOf(number), ...dataOf(number, ++version) });
  const collection = createCollection({
    id: "tasks",
    getKey: ({ id }) => id,
    startSync: true,
    sync: {
      sync: (given) => {
        sync = given;
        sync.begin();
        for (let number = 0; number < records; number += 1)
          sync.write({ type: "insert", value: row(number) });
        sync.commit();
        sync.markReady();
      },
      rowUpdateMode: "full",
    },
    onUpdate: async ({ transaction }) => {
      if (!answers) return new Promise(() => {});
      await turn();
      sync.begin();
      for (const { modified } of transaction.mutations)
        sync.write({ type: "update", value: modified });
      sync.commit();
    },
  });
  const query = createLiveQueryCollection({
    startSync: true,
    query: (builder) => builder.from({ task: collection }),
  });
  await query.preload();
  return {
    name: "TanStack DB, live query",
    edit: (number, rank) =>
      collection.update(idOf(number), (draft) => {
        draft.rank = rank;
      }),
    listen: (listener) => query.subscribeChanges(listener),
    changes: (count) => Array.from({ length: count }, (_, at) => row((at * 31) % records)),
    hear: (value) => {
      sync.begin();
      sync.write({ type: "update", value });
      sync.commit();
    },
    count: () => query.size,
    stop() {},
  };
}

const SUBJECTS = { rhtmx, tanstack };

const CASES = {
  /** One own edit, from the call until the listener is called: the median, in ms. */
  async edit(start, { edits, where }) {
    const subject = await start({ answers: true });
    let shown;
    subject.listen(() => shown?.(), where && (({ data }) => data.assignee !== "ada"));
    await settle();
    const taken = [];
    for (let at = 0; at < edits; at += 1) {
      const begun = performance.now();
      await new Promise((resolve) => {
        shown = () => {
          taken.push(performance.now() - begun);
          resolve();
        };
        subject.edit(4 * at + 1, at + 1_000_000);
      });
      shown = undefined;
      for (let round = 0; round < 3; round += 1) await pause(2);
    }
    subject.stop();
    return { taken: median(taken) };
  },

  /** Live changes, each by itself: how often a listener is shown something, and µs for each. */
  async live(start, { changes, where }) {
    const subject = await start({});
    let shown = 0;
    subject.listen(() => (shown += 1), where && (({ data }) => data.assignee !== "ada"));
    await settle();
    const all = subject.changes(changes);
    shown = 0;
    const begun = process.cpuUsage();
    for (const each of all) {
      subject.hear(each);
      await turn();
    }
    const { user, system } = process.cpuUsage(begun);
    await settle();
    subject.stop();
    return { shown, taken: (user + system) / changes };
  },

  /** Writes of one record, all of which wait: ms for each of the last ones. */
  async queue(start, { waiting, edits }) {
    const subject = await start({ answers: false });
    let shown = 0;
    subject.listen(() => (shown += 1));
    await settle();
    for (let at = 0; at < waiting; at += 1) {
      subject.edit(0, at + 1_000_000);
      await Promise.resolve();
      if (at % 64 === 0) await turn();
    }
    await settle();
    const taken = [];
    for (let at = 0; at < edits; at += 1) {
      const begun = performance.now();
      subject.edit(0, at + 2_000_000);
      await turn();
      taken.push(performance.now() - begun);
    }
    subject.stop();
    return { taken: median(taken), shown };
  },

  /** Memory for each record that is held and shown, in KiB. */
  async memory(start, { records }) {
    const subject = await start({ records: 1 });
    subject.listen(() => {});
    await settle();
    const heap = () => {
      for (let round = 0; round < 3; round += 1) globalThis.gc();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const empty = heap();
    subject.stop();
    const full = await start({ records });
    full.listen(() => {});
    await settle();
    const taken = (heap() - empty) / full.count() / 1024;
    full.stop();
    return { taken };
  },
};

const task = JSON.parse(process.argv[2]);
const here = fileURLToPath(new URL("../clients/typescript/src", import.meta.url));
const start = (more) => SUBJECTS[task.subject]({ source: here, ...task, ...more });
const figures = await CASES[task.what](start, task);
console.log(JSON.stringify(figures));
process.exit(0);
