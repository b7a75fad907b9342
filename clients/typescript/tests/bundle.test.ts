import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";

import { expect, it } from "vitest";

import { BUDGET, gzipped, integrity } from "../size.mjs";

const folder = fileURLToPath(new URL("..", import.meta.url));
const bundle = fileURLToPath(new URL("../../../rhtmx_server/static/client.js", import.meta.url));

it("the checked-in bundle is what the source builds", { timeout: 300_000 }, () => {
  execFileSync(process.execPath, ["build.mjs", "--check"], { cwd: folder, stdio: "pipe" });
});

it("the bundle stays within its budget, which is as low as it can be", () => {
  const weight = gzipped(readFileSync(bundle));
  expect(weight).toBeLessThanOrEqual(BUDGET);
  expect(BUDGET - weight).toBeLessThan(250);
});

it("the build says what a page needs for a script tag that nobody can change", {
  timeout: 60_000,
}, () => {
  const printed = execFileSync(process.execPath, ["build.mjs", "--check"], { cwd: folder });
  expect(String(printed)).toContain(`integrity="${integrity(readFileSync(bundle))}"`);
  // https://www.w3.org/TR/SRI/#integrity-metadata-description
  expect(integrity("alert('Hello, world.');")).toBe(
    "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO",
  );
});

it("a script tag gives a page the global `rhtmx`", () => {
  const page = { TextEncoder, TextDecoder, rhtmx: undefined as unknown };
  runInNewContext(`${readFileSync(bundle, "utf8")};globalThis.rhtmx = rhtmx`, page);
  expect(Object.keys(page.rhtmx as object).sort()).toEqual([
    "ERRORS",
    "RhtmxError",
    "SCHEMA_HASH",
    "add",
    "append",
    "bindForm",
    "bindPage",
    "connect",
    "deleteKey",
    "inc",
    "max",
    "min",
    "remove",
    "setKey",
  ]);
});
