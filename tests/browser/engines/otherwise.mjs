/**
 * What an engine does otherwise than the others, without the client: the lines of "Engines" in
 * docs/clients.md. One that fails says that an engine has changed, and the line with it.
 */
import assert from "node:assert/strict";

/** An answer of each engine. */
const each = (chromium, firefox, webkit) => ({ chromium, firefox, webkit });

export async function aSocketWhoseServerChoseNoSubprotocol({ open, ask, engine }) {
  await ask("choose no subprotocol");
  const tab = await open("/elsewhere");
  const found = await tab.evaluate(() => {
    const socket = new WebSocket(`ws://${location.host}/api/ws`, ["rhtmx.v1.json"]);
    return new Promise((resolve) => {
      socket.onopen = () => resolve(`open, protocol '${socket.protocol}'`);
      socket.onclose = ({ code }) => resolve(`closed with ${code}`);
    });
  });
  const opened = "open, protocol ''";
  assert.equal(found, each("closed with 1006", opened, opened)[engine]);
}

export async function theCodesThatAServerCloses({ open, ask, engine }) {
  const peer = await ask("a peer that closes with the code of the path");
  const tab = await open("/elsewhere");
  for (const code of [1000, 1001, 1008, 1011, 1012, 1013, 1014, 4000, 4429]) {
    const heard = await tab.evaluate(
      (url) =>
        new Promise((resolve) => {
          const told = ({ code, reason, wasClean }) => resolve([code, reason, wasClean]);
          new WebSocket(url).onclose = told;
        }),
      `${peer}${code}`,
    );
    const lost = engine === "webkit" && code >= 1012 && code <= 1014;
    assert.deepEqual(heard, lost ? [1006, "", false] : [code, "why", true], `${code}`);
  }
}

export async function aTextThatIsNoNumber({ open, engine }) {
  const none = ["", true];
  const texts = {
    "1,5": each(["15", false], none, none),
    "21,": each(["21", false], none, none),
    "1.5.2": each(["1.52", false], none, none),
    "1e": each(none, none, none),
    "-": each(none, none, none),
  };
  for (const [text, wanted] of Object.entries(texts)) {
    const tab = await open("/elsewhere");
    await tab.evaluate(() => document.body.insertAdjacentHTML("beforeend", "<input type=number>"));
    await tab.keys("input", text);
    const seen = await tab.evaluate(() => {
      const { value, validity } = document.querySelector("input");
      return [value, validity.badInput];
    });
    assert.deepEqual(seen, wanted[engine], text);
    await tab.close();
  }
}

export async function aTextThatWasTypedBeforeAReload({ open, engine }) {
  const tab = await open("/plain");
  await tab.keys("[name=email]", "typed");
  await tab.reload();
  const found = await tab.evaluate(() => document.querySelector("[name=email]").value);
  assert.equal(found, each("", "typed", "")[engine]);
}

export async function thePlaceOfAClickOnAnImage({ open, engine }) {
  const tab = await open("/elsewhere");
  await tab.evaluate(() => {
    const image = "<form><input type=image name=at alt=Send width=80 height=80></form>";
    document.body.insertAdjacentHTML("beforeend", image);
    const form = document.querySelector("form");
    window.places = [];
    form.onsubmit = (event) => {
      event.preventDefault();
      const place = [...new FormData(form, event.submitter).values()];
      if (window.places.push(place.map(Number)) === 1) {
        setTimeout(() => form.requestSubmit(event.submitter));
      }
    };
  });
  await tab.click("[type=image]");
  const places = await tab.waitFor(() => window.places.length === 2 && window.places);
  const isKnown = places.map(([x, y]) => x > 0 && y > 0);
  const known = [true, true];
  assert.deepEqual(isKnown, each(known, [false, false], known)[engine], `${places}`);
}

export async function aTimeThatDateReads({ open, engine }) {
  const next = "2026-03-02T00:00:00.000Z";
  const noon = "2026-06-30T12:00:00.000Z";
  const cut = "2026-06-30T12:00:00.123Z";
  const twelve = "2026-06-30T12:00:00.012Z";
  const texts = {
    "2026-02-30T00:00:00Z": each(next, next, null),
    "2026-06-30T23:59:60Z": each(null, null, "2026-07-01T00:00:00.000Z"),
    "2026-06-30t12:00:00z": each(noon, null, null),
    "2026-06-30T12:00:00.123999999Z": each(cut, cut, "2026-06-30T12:00:00.124Z"),
    "2026-06-30T12:00:00.0123456789Z": each(cut, twelve, twelve),
  };
  const tab = await open("/elsewhere");
  for (const [text, wanted] of Object.entries(texts)) {
    const read = await tab.evaluate((text) => {
      const date = new Date(text);
      return Number.isNaN(date.getTime()) ? null : date.toISOString();
    }, text);
    assert.equal(read, wanted[engine], text);
  }
}

/**
 * Puts a page into the cache of pages, if it goes there, has another tab do something, and comes back.
 *
 * @returns whether it is the same page, and what it has noted.
 */
async function cached({ open, url }, prepare, meanwhile, ...given) {
  const tab = await open("/elsewhere");
  await tab.evaluate(() => {
    window.noted = [];
    addEventListener("pageshow", ({ persisted }) => persisted && window.noted.push("shown"));
  });
  await tab.evaluate(prepare, ...given);
  const other = await open("/sent");
  await tab.goto(new URL("/tasks", url).href);
  await other.evaluate(meanwhile);
  await tab.back();
  const same = await tab.evaluate(() => !!window.noted);
  if (same) await tab.waitFor(() => window.noted.includes("shown"));
  return { tab, other, same };
}

/** Runs in the page: takes a lock for good. */
const hold = () =>
  new Promise((resolve) => {
    const held = () => new Promise(() => resolve());
    navigator.locks.request("lock", held).catch(({ name }) => window.noted.push(name));
  });

export async function aCachedPageWhoseLockAnotherTabAsksFor(world) {
  const ask = () => navigator.locks.request("lock", () => {});
  const { tab, same } = await cached(world, hold, ask);
  assert.equal(same, each(false, false, true)[world.engine]);
  if (same) await tab.waitFor(() => window.noted.includes("AbortError"));
}

export async function aCachedPageWhoseLocksAnotherTabLooksAt(world) {
  const look = () => navigator.locks.query().then(() => {});
  const { same } = await cached(world, hold, look);
  assert.equal(same, each(false, false, true)[world.engine]);
}

export async function aCachedPageWhoseLockNobodyAsksFor(world) {
  const { tab, other, same } = await cached(world, hold, () => {});
  assert.equal(same, each(true, false, true)[world.engine]);
  const held = await other.evaluate(async () => (await navigator.locks.query()).held.length);
  assert.equal(held, each(1, 0, 0)[world.engine]);
  if (world.engine === "webkit") await tab.waitFor(() => window.noted.includes("AbortError"));
}

export async function aCachedPageThatAnotherTabTellsSomething(world) {
  const listen = () => {
    window.channel = new BroadcastChannel("channel");
    window.channel.onmessage = ({ data }) => window.noted.push(data);
  };
  const tell = () => {
    window.channel = new BroadcastChannel("channel");
    window.channel.postMessage("meanwhile");
  };
  const { tab, other, same } = await cached(world, listen, tell);
  assert.equal(same, each(false, false, true)[world.engine]);
  if (!same) return;
  await other.evaluate(() => window.channel.postMessage("later"));
  await tab.waitFor(() => window.noted.includes("later"));
  assert.deepEqual(await tab.evaluate(() => window.noted), ["shown", "later"]);
}

export async function aCachedPageWhoseDatabaseAnotherTabUpgrades(world) {
  const openIt = () =>
    new Promise((resolve) => {
      const request = indexedDB.open("database", 1);
      request.onsuccess = () => {
        window.database = request.result;
        window.database.onversionchange = () => window.noted.push("versionchange");
        window.database.onclose = () => window.noted.push("close");
        resolve();
      };
    });
  const upgrade = () =>
    new Promise((resolve) => (indexedDB.open("database", 2).onsuccess = () => resolve()));
  const { tab, same } = await cached(world, openIt, upgrade);
  assert.equal(same, each(false, false, true)[world.engine]);
  if (same) await tab.waitFor(() => window.noted.includes("close"));
}

export async function aPageWithASocket(world) {
  const connect = (url) =>
    new Promise((resolve) => {
      const socket = new WebSocket(url);
      socket.onopen = () => resolve();
      socket.onclose = () => window.noted.push("closed");
    });
  const peer = await world.ask("a peer that closes with the code of the path");
  const { tab, same } = await cached(world, connect, () => {}, peer);
  assert.equal(same, each(true, false, true)[world.engine]);
  if (same) await tab.waitFor(() => window.noted.includes("closed"));
}
