import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";

import { expect, it } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));
const bundle = fileURLToPath(new URL("../../../rhtmx_server/static/client.js", import.meta.url));

/** Gzipped, in bytes. A change that needs more has to say why. */
const BUDGET = 18_000;

it("the checked-in bundle is what the source builds", () => {
  execFileSync(process.execPath, ["build.mjs", "--check"], { cwd: folder, stdio: "pipe" });
});

it("the bundle stays within its budget", () => {
  expect(gzipSync(readFileSync(bundle), { level: 9 }).length).toBeLessThan(BUDGET);
});

it("a script tag gives a page the global `rhtmx`", () => {
  const page = { TextEncoder, TextDecoder, rhtmx: undefined as unknown };
  runInNewContext(`${readFileSync(bundle, "utf8")};globalThis.rhtmx = rhtmx`, page);
  expect(Object.keys(page.rhtmx as object).sort()).toEqual([
    "Client",
    "Collection",
    "ERRORS",
    "Form",
    "RhtmxError",
    "SCHEMA_HASH",
    "connect",
  ]);
});
