#!/usr/bin/env bash
# selenium-webdriver 4.49 with WebKitGTK 2.50 (Debian's WebKitWebDriver and MiniBrowser): a tab made by
# `switchTo().newWindow("tab")` is the current one, has the focus, takes keys and clicks, and stays
# `hidden` for as long as it lives: no animation frame comes after the first, animations do not end, and
# timers are slowed down. A window made by `newWindow("window")` is visible. So what waits for a frame
# passes in the first tab and never in a second one.
# Seen: the tab hidden, with 1 frame and about 10 ticks of a timer of 10 ms in two seconds; the window
# visible, with dozens of frames and more than 100 ticks.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
export HOME="$folder"
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts selenium-webdriver@4.49.0
Xvfb -displayfd 3 -screen 0 1280x900x24 3>display 2>/dev/null &
until [ -s display ]; do sleep 0.1; done
port=$(node -e 'const s = net.createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
DISPLAY=":$(cat display)" WebKitWebDriver --port="$port" 2>/dev/null &
until curl --silent --output /dev/null "http://127.0.0.1:$port/status"; do sleep 0.1; done
cat >run.mjs <<'EOF'
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Builder, By } from "selenium-webdriver";

const binary = process.argv[3];
const server = createServer((request, response) => {
  response.setHeader("content-type", "text/html");
  response.end("<!doctype html><title>Test</title><input>");
}).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const session = await new Builder()
  .usingServer(`http://127.0.0.1:${process.argv[2]}`)
  .withCapabilities({
    browserName: "MiniBrowser",
    "webkitgtk:browserOptions": { binary, args: ["--automation"] },
  })
  .build();
const seen = {};
try {
  for (const kind of ["tab", "window"]) {
    await session.switchTo().newWindow(kind);
    await session.get(`http://127.0.0.1:${server.address().port}/`);
    await session.findElement(By.css("input")).sendKeys("typed");
    seen[kind] = await session.executeAsyncScript(`
      const done = arguments[0];
      let frames = 0;
      let ticks = 0;
      const frame = () => requestAnimationFrame(frame, (frames += 1));
      frame();
      setInterval(() => (ticks += 1), 10);
      const state = document.visibilityState;
      const text = document.querySelector("input").value;
      setTimeout(() => done({ state, focus: document.hasFocus(), text, frames, ticks }), 2000);
    `);
    console.log(kind.padEnd(6), JSON.stringify(seen[kind]));
  }
} finally {
  await session.quit();
  server.close();
  server.closeAllConnections();
}
const { tab, window } = seen;
assert.deepEqual([tab.state, tab.focus, tab.text], ["hidden", true, "typed"]);
assert.deepEqual([window.state, window.focus, window.text], ["visible", true, "typed"]);
assert.ok(tab.frames <= 2 && window.frames > 5);
assert.ok(tab.ticks < 30 && window.ticks > 2 * tab.ticks);
EOF
node run.mjs "$port" /usr/lib/*/webkit2gtk-4.*/MiniBrowser
