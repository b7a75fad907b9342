/**
 * A Chromium, driven over its DevTools protocol.
 *
 * Knows how it is started, and what it tells of a page. Must not know what is measured. A library
 * that drives browsers asks to be told of each frame of each socket: that would be measured, too.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../clients/typescript/package.json", import.meta.url));
const { WebSocket } = require("ws");

const OPTIONS = [
  "--headless=new",
  "--no-sandbox",
  "--no-first-run",
  "--disable-quic",
  "--disable-background-networking",
  "--remote-debugging-port=0",
];

/** A browser with a new profile on the disk. */
export class Browser {
  #process;
  #profile;
  #socket;
  #count = 0;
  /** What was asked and has no answer, by its number. */
  #waiting = new Map();

  /** Starts one; `path` is that of the program. */
  static async launch(path) {
    const browser = new Browser();
    browser.#profile = await mkdtemp(join(tmpdir(), "rhtmx-bench-"));
    const options = [...OPTIONS, `--user-data-dir=${browser.#profile}`];
    browser.#process = spawn(path, options, { stdio: ["ignore", "ignore", "pipe"] });
    const socket = new WebSocket(await addressOf(browser.#process), { maxPayload: 0 });
    browser.#socket = socket;
    socket.on("message", (data) => browser.#answer(JSON.parse(data)));
    await once(socket, "open");
    return browser;
  }

  /** Opens a page, and waits until it is there. */
  async open(url) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page((method, params) => this.send(method, params, sessionId));
    // Of the CPU, not of the clock: cores are shared.
    await page.send("Performance.enable", { timeDomain: "threadTicks" });
    await page.send("Page.navigate", { url });
    await page.run(
      (url) =>
        new Promise((resolve) => {
          const look = () =>
            location.href === url && document.readyState === "complete"
              ? resolve()
              : setTimeout(look, 5);
          look();
        }),
      url,
    );
    return page;
  }

  send(method, params = {}, sessionId = undefined) {
    this.#count += 1;
    const id = this.#count;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async close() {
    const ended = once(this.#process, "exit");
    await this.send("Browser.close");
    await ended;
    this.#socket.close();
    await rm(this.#profile, { recursive: true, maxRetries: 10 });
  }

  #answer({ id, result, error }) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }
}

/** A page in it. */
class Page {
  /** Sends a command about it. */
  send;

  constructor(send) {
    this.send = send;
  }

  /** Runs a function in the page, with what JSON can hold, and returns what its promise has. */
  async run(act, given = null) {
    const expression = `(${act})(${JSON.stringify(given)})`;
    const how = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", how);
    if (!exceptionDetails) return result.value;
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }

  /** Seconds of CPU that its main thread has used. */
  async cpu() {
    const { metrics } = await this.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value;
  }

  async close() {
    await this.send("Page.close");
  }
}

async function addressOf(browser) {
  for await (const line of createInterface({ input: browser.stderr })) {
    const found = /DevTools listening on (ws:\S+)/.exec(line);
    if (found) {
      browser.stderr.resume();
      return found[1];
    }
  }
  throw new Error("the browser does not start");
}
