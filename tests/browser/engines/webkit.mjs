/**
 * WebKitGTK: its MiniBrowser on a screen that nobody sees, over WebDriver.
 *
 * Knows selenium-webdriver (4.43), WebKitWebDriver and Xvfb. A driver has one current tab
 * only, so everything here waits for its turn. Sessions are ephemeral: nothing is kept
 * on the disk, and all tabs of one session share what they store.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";

import { ending } from "./ending.mjs";
import { PATIENCE, Tab, until } from "./engine.mjs";

const require = createRequire(new URL("../../../clients/typescript/package.json", import.meta.url));
const { Builder, By, Key } = require("selenium-webdriver");

/**
 * @param driver the path of WebKitWebDriver.
 * @param binary the path of MiniBrowser.
 * @param xvfb the path of Xvfb.
 */
export async function webkit(driver, binary, xvfb) {
  const screen = spawn(await ending(xvfb), ["-displayfd", "3", "-screen", "0", "1280x900x24"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const [display] = await once(screen.stdio[3], "data");
  const port = await freePort();
  const service = spawn(await ending(driver), [`--port=${port}`], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DISPLAY: `:${String(display).trim()}` },
  });
  const server = `http://127.0.0.1:${port}`;
  await until(
    () =>
      fetch(`${server}/status`).then(
        (answer) => answer.ok,
        () => false,
      ),
    driver,
  );
  const session = await new Builder()
    .usingServer(server)
    .withCapabilities({
      browserName: "MiniBrowser",
      "webkitgtk:browserOptions": { binary: await ending(binary), args: ["--automation"] },
      timeouts: { script: PATIENCE, pageLoad: PATIENCE },
    })
    .build();
  return new WebKit(session, await session.getWindowHandle(), [service, screen]);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

class WebKit {
  #session;
  /** An empty window, so that closing the last tab does not end the session. */
  #home;
  #programs;
  #last = Promise.resolve();

  constructor(session, home, programs) {
    this.#session = session;
    this.#home = home;
    this.#programs = programs;
  }

  async tab() {
    const handle = await this.turn(this.#home, async (session) => {
      // A new "tab" stays in the background and says for ever that it is hidden.
      await session.switchTo().newWindow("window");
      return session.getWindowHandle();
    });
    return new WebKitTab(this, handle);
  }

  async version() {
    const capabilities = await this.#session.getCapabilities();
    return `WebKitGTK/${capabilities.get("browserVersion")}`;
  }

  async reset() {
    await this.turn(this.#home, async (session) => {
      for (const handle of await session.getAllWindowHandles()) {
        if (handle === this.#home) continue;
        await session.switchTo().window(handle);
        await session.close();
      }
    });
  }

  async close() {
    await this.#session.quit();
    for (const program of this.#programs) {
      program.kill();
      if (program.exitCode === null && program.signalCode === null) await once(program, "exit");
    }
  }

  /** Does something in a tab when everything before has been done. */
  turn(handle, act) {
    const done = this.#last.then(async () => {
      await this.#session.switchTo().window(handle);
      return act(this.#session);
    });
    this.#last = done.catch(() => {});
    return done;
  }
}

class WebKitTab extends Tab {
  #engine;
  #handle;

  constructor(engine, handle) {
    super();
    this.#engine = engine;
    this.#handle = handle;
  }

  url() {
    return this.#turn((session) => session.getCurrentUrl());
  }

  run(expression) {
    const script = `const [done] = arguments; (${expression}).then(done);`;
    return this.#turn((session) => session.executeAsyncScript(script));
  }

  goto(url) {
    return this.#turn((session) => session.get(url));
  }

  reload() {
    return this.#turn((session) => session.navigate().refresh());
  }

  click(selector) {
    return this.#turn((session) => session.findElement(By.css(selector)).click());
  }

  keys(selector, text) {
    return this.#turn((session) => session.findElement(By.css(selector)).sendKeys(text));
  }

  press(key) {
    const code = { Backspace: Key.BACK_SPACE, Enter: Key.ENTER, Tab: Key.TAB }[key] ?? key;
    return this.#turn((session) => session.actions().sendKeys(code).perform());
  }

  close() {
    return this.#turn((session) => session.close());
  }

  #turn(act) {
    return this.#engine.turn(this.#handle, act);
  }
}
