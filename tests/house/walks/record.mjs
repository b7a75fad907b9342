/**
 * Goes the walk of a write in the TypeScript client, and prints who called whom, as JSON.
 *
 *     node record.mjs clients/typescript/src
 *
 * Each function of the sources is bundled with a note of when it begins, waits, goes on and
 * ends. The server is a few lines below; the store is IndexedDB, in memory. As in
 * `recorder.py`, a function that goes on after `await` is not called, what was handed over for
 * at once is called by who handed it over, and what a timer starts is left out.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const require = createRequire(new URL("../../../clients/typescript/package.json", import.meta.url));
const { build, transform } = require("esbuild");
const { parse } = require("acorn");

const source = resolve(process.argv[2]);
const { setImmediate: later } = globalThis;

// What the bundled functions call.

const stack = [];
const calls = [];
let on = false;
let handedBy;
let seen = 0;
/** What was handed over and has not run. */
const underWay = new Set();

globalThis.__walk = {
  enter(place) {
    seen += 1;
    const caller = stack.at(-1)?.place ?? handedBy;
    if (on && caller !== TIMER) calls.push([caller ?? null, place]);
    const mine = { place };
    stack.push(mine);
    return mine;
  },
  leave(mine) {
    if (stack.includes(mine)) stack.splice(stack.indexOf(mine), 1);
  },
  away(mine, value) {
    this.leave(mine);
    return value;
  },
  back(mine, value) {
    this.again(mine);
    return value;
  },
  again(mine) {
    if (!stack.includes(mine)) stack.push(mine);
  },
};

const TIMER = "a timer";

/** Has what is handed to a function of the platform remember who did. */
function remember(name, isTimer) {
  const original = globalThis[name];
  globalThis[name] = (act, wait, ...rest) => {
    const by = isTimer(wait) ? TIMER : (stack.at(-1)?.place ?? handedBy);
    const run = (...given) => {
      const before = handedBy;
      underWay.delete(handle);
      handedBy = by;
      try {
        act(...given);
      } finally {
        handedBy = before;
      }
    };
    const handle = original(run, wait, ...rest) ?? run;
    if (by !== TIMER) underWay.add(handle);
    return handle;
  };
}
remember("queueMicrotask", () => false);
remember("setImmediate", () => false);
remember("setTimeout", (wait) => wait > 0);
remember("setInterval", () => true);
const { clearTimeout: clear } = globalThis;
globalThis.clearTimeout = (handle) => {
  underWay.delete(handle);
  clear(handle);
};

// How they come to call it.

const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];
const NAMED = [...FUNCTIONS, "ClassDeclaration", "ClassExpression"];

/** The code of a module, with what is noted put into each function. */
function noted(code, module) {
  const edits = [];
  const put = (at, text, order) => edits.push({ at, text, order });
  let order = 0;

  function visit(node, name, inAsync) {
    order += 1;
    const mine = order;
    if (FUNCTIONS.includes(node.type) && !node.generator) {
      const place = JSON.stringify(`${module}:${name || "<function>"}`);
      const begin = `const __w = __walk.enter(${place}); try {`;
      const end = "} finally { __walk.leave(__w); }";
      if (node.body.type === "BlockStatement") {
        put(node.body.start + 1, begin, mine);
        put(node.body.end - 1, end, -mine);
      } else {
        put(code.lastIndexOf("=>", node.body.start) + 2, `{ ${begin} return (`, mine);
        put(node.end, `); ${end} }`, -mine);
      }
      inAsync = node.async;
    } else if (FUNCTIONS.includes(node.type)) {
      inAsync = false;
    } else if (node.type === "AwaitExpression" && inAsync) {
      put(node.start, "__walk.back(__w, ", mine);
      put(node.start + "await".length, " __walk.away(__w, ", mine + 0.5);
      put(node.end, "))", -mine);
    } else if (node.type === "CatchClause" && inAsync) {
      put(node.body.start + 1, " __walk.again(__w);", mine);
    }
    for (const [key, child] of Object.entries(node)) {
      for (const each of Array.isArray(child) ? child : [child]) {
        if (each?.type) visit(each, named(node, key, each, name), inAsync);
      }
    }
  }

  visit(parse(code, { ecmaVersion: "latest", sourceType: "module" }), "", false);
  // What ends at a place comes before what begins there, the inner before the outer.
  const rank = ({ order: at }) => (at < 0 ? [0, at] : [1, at]);
  edits.sort((a, b) => a.at - b.at || rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1]);
  let done = 0;
  let result = "";
  for (const { at, text } of edits) {
    result += code.slice(done, at) + text;
    done = at;
  }
  return result + code.slice(done);
}

/** The name of a node, with those of all around it: its own, or that of what it is given to. */
function named(parent, key, node, name) {
  if (!NAMED.includes(node.type)) return name;
  const { key: member, id, left } = parent;
  const target = { value: member, init: id, right: left }[key];
  const own = node.id?.name ?? target?.name ?? target?.property?.name ?? "<function>";
  return name ? `${name}.${own}` : own;
}

/** Notes in what is bundled from the sources; what npm has is left as it is. */
const notes = {
  name: "notes",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (!path.startsWith(source)) return undefined;
      const text = await readFile(path, "utf8");
      const { code } = await transform(text, { loader: "ts", target: "es2022" });
      return { contents: noted(code, relative(source, path)), loader: "js" };
    });
  },
};

async function bundled() {
  const { outputFiles } = await build({
    stdin: {
      contents: `import "fake-indexeddb/auto"; export { connect } from ${JSON.stringify(join(source, "index.ts"))};`,
      resolveDir: fileURLToPath(new URL("../../../clients/typescript", import.meta.url)),
    },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "es2022",
    write: false,
    plugins: [notes],
  });
  const file = join(tmpdir(), `rhtmx-walk-${process.pid}.mjs`);
  await writeFile(file, outputFiles[0].contents);
  try {
    return await import(pathToFileURL(file));
  } finally {
    await rm(file);
  }
}

// The walk.

/** The other side: answers a moment later. */
class Socket {
  readyState = 0;
  protocol = "rhtmx.v1.json";

  constructor() {
    later(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(data) {
    const { type, seq, entity, entity_id } = JSON.parse(data);
    const answers = {
      hello: {
        type: "welcome",
        session_id: "s1",
        secret: "s",
        epoch: "e1",
        last_seq: 0,
        heartbeat: 20_000,
        limits: { message_bytes: 65_536, subscriptions: 128, requests: 64 },
        server_time: "2026-11-22T10:00:00Z",
        schema: "s",
      },
      push: { type: "push_ack", entity, entity_id, version: seq, seq },
    };
    if (answers[type]) later(() => this.onmessage?.({ data: JSON.stringify(answers[type]) }));
  }

  close() {
    this.readyState = 3;
  }
}

/** Waits until nothing is called any more, and nothing is under way. */
async function quiet() {
  for (
    let known = -1, turns = 0;
    turns < 20;
    turns = known === seen && !underWay.size ? turns + 1 : 0
  ) {
    known = seen;
    await new Promise((resolve) => later(resolve));
  }
}

const { connect } = await bundled();
const client = connect("ws://server/api/ws", { WebSocket: Socket });
client.onError((error) => {
  throw error;
});
const tasks = client.collection("tasks");
await quiet();
await tasks.set("1", { n: 1 });
await quiet();
on = true;
await tasks.set("1", { n: 2 });
await quiet();
on = false;
console.log(JSON.stringify(calls));
process.exit();
