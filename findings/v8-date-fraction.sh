#!/usr/bin/env bash
# V8 (Node 20.20, Chromium 156): `new Date` of a time whose fraction has ten digits or more and begins
# with a zero takes the first digits behind the zeros for the milliseconds: `.0123456789` is 123 ms, not
# 12. RFC 3339 allows any number of digits. With nine digits it is right, and Firefox (153) is right
# with any number. So a time of a clock with picoseconds is up to 990 ms late, one time in ten.
# Seen: 123 in Node and Chromium, 12 in Firefox.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME="$folder"
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@25.16.0
cat >run.mjs <<'EOF'
import assert from "node:assert/strict";
import puppeteer from "puppeteer-core";

const FRACTIONS = ["012345678", "0123456789", "1234567890", "0004999999", "001234567890"];
const BROWSERS = { chrome: "/usr/bin/chromium", firefox: "/usr/bin/firefox-esr" };

const read = (fractions) =>
  fractions.map((each) => new Date(`2026-06-30T12:00:00.${each}Z`).getUTCMilliseconds());
const seen = { node: read(FRACTIONS) };
for (const [browser, executablePath] of Object.entries(BROWSERS)) {
  const args = browser === "chrome" ? ["--no-sandbox"] : [];
  const running = await puppeteer.launch({ browser, executablePath, args });
  try {
    seen[browser] = await (await running.newPage()).evaluate(read, FRACTIONS);
  } finally {
    await running.close();
  }
}
console.log("".padEnd(8), FRACTIONS.map((each) => `.${each}`.padStart(14)).join(""));
for (const [name, milliseconds] of Object.entries(seen)) {
  console.log(name.padEnd(8), milliseconds.map((each) => `${each}`.padStart(14)).join(""));
}
const v8 = [12, 123, 123, 4, 123];
assert.deepEqual(seen, { node: v8, chrome: v8, firefox: [12, 12, 123, 0, 1] });
EOF
node run.mjs
