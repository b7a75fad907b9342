#!/usr/bin/env bash
# puppeteer-core 25.16 with Firefox 153 (WebDriver BiDi): an argument of `page.evaluate` that is a plain
# object with a key which Object.prototype has is refused. It is written into an object of the page
# through Firefox's Xray wrapper, which lets nobody shadow an inherited property. `constructor` does not
# even leave puppeteer, which takes the object for one of a class. Chromium (156) takes them all. So a
# record of user-chosen names passes every test in one engine and fails in the other by its data.
# Seen: Firefox refuses toString, valueOf, hasOwnProperty and constructor, takes length and then, and
# hands all of them out of the page.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME="$folder"
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@25.16.0
cat >run.mjs <<'EOF'
import assert from "node:assert/strict";
import puppeteer from "puppeteer-core";

const KEYS = ["toString", "valueOf", "hasOwnProperty", "constructor", "length", "then"];
const BROWSERS = { chrome: "/usr/bin/chromium", firefox: "/usr/bin/firefox-esr" };

const seen = {};
for (const [browser, executablePath] of Object.entries(BROWSERS)) {
  const args = browser === "chrome" ? ["--no-sandbox"] : [];
  const running = await puppeteer.launch({ browser, executablePath, args });
  try {
    const page = await running.newPage();
    for (const key of KEYS) {
      const given = { [key]: "a value" };
      const taken = await page.evaluate((object) => JSON.stringify(object), given).then(
        (text) => (assert.equal(text, JSON.stringify(given)), "taken"),
        (error) => `refused: ${/Not allowed to shadow|Custom object/.exec(error.message)?.[0]}`,
      );
      assert.deepEqual(await page.evaluate((key) => ({ [key]: "a value" }), key), given);
      console.log(`${browser.padEnd(8)} ${key.padEnd(15)} ${taken}`);
      (seen[browser] ??= {})[key] = taken;
    }
  } finally {
    await running.close();
  }
}
const all = Object.fromEntries(KEYS.map((key) => [key, "taken"]));
const shadow = "refused: Not allowed to shadow";
assert.deepEqual(seen.chrome, all);
assert.deepEqual(seen.firefox, {
  ...all,
  toString: shadow,
  valueOf: shadow,
  hasOwnProperty: shadow,
  constructor: "refused: Custom object",
});
EOF
node run.mjs
