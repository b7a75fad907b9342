#!/usr/bin/env bash
# puppeteer-core 25.16: `page.setOfflineMode(true)` in Firefox 153 (WebDriver BiDi) leaves a WebSocket that
# is open alone: the page is told `offline`, new requests and new sockets fail, and the old socket goes
# on in both directions. In Chromium (156) the same call holds its frames back, and delivers them when the
# page is online again. In neither is it closed. So a test that goes offline by this switch tests
# another network in each engine, and no lost connection in any.
# Seen: Firefox has the echo while it is offline, Chromium has it afterwards, no `close` in either.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME="$folder"
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@25.16.0 ws@8.23.0
cat >run.mjs <<'EOF'
import assert from "node:assert/strict";
import { createServer } from "node:http";
import puppeteer from "puppeteer-core";
import { WebSocketServer } from "ws";

const BROWSERS = { chrome: "/usr/bin/chromium", firefox: "/usr/bin/firefox-esr" };

const server = createServer((request, response) => {
  response.setHeader("content-type", "text/html");
  response.end("<!doctype html><title>Test</title>");
}).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const { port } = server.address();
const arrived = [];
new WebSocketServer({ server }).on("connection", (socket) =>
  socket.on("message", (data) => {
    arrived.push(`${data}`);
    socket.send(`echo of ${data}`);
  }),
);

async function tried(browser, executablePath) {
  const args = browser === "chrome" ? ["--no-sandbox"] : [];
  const running = await puppeteer.launch({ browser, executablePath, args });
  try {
    const page = await running.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.evaluate(async () => {
      window.heard = [];
      addEventListener("offline", () => heard.push("offline"));
      addEventListener("online", () => heard.push("online"));
      window.socket = new WebSocket(`ws://${location.host}/`);
      socket.onmessage = ({ data }) => heard.push(data);
      socket.onclose = () => heard.push("close");
      await new Promise((resolve) => (socket.onopen = resolve));
    });
    await page.setOfflineMode(true);
    await page.evaluate((name) => socket.send(name), browser);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const request = await page.evaluate(() => fetch("/").then(() => "passes", () => "fails"));
    await page.setOfflineMode(false);
    await page.waitForFunction(() => heard.some((each) => each.startsWith("echo")), { timeout: 5000 });
    return { request, heard: await page.evaluate(() => heard.join(", ")) };
  } finally {
    await running.close();
  }
}

const seen = {};
for (const [browser, path] of Object.entries(BROWSERS)) {
  seen[browser] = await tried(browser, path);
  console.log(browser.padEnd(8), `a request ${seen[browser].request};`, seen[browser].heard);
}
server.close();
server.closeAllConnections();
assert.deepEqual(arrived, ["chrome", "firefox"]);
assert.equal(seen.chrome.request, "fails");
assert.match(seen.chrome.heard, /^offline, online, echo of chrome$/);
assert.equal(seen.firefox.request, "fails");
assert.match(seen.firefox.heard, /^offline, echo of firefox(, online)?$/);
process.exit();
EOF
node run.mjs
