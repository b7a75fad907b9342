import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";

import { expect, it } from "vitest";

import { BUDGETS, gzipped, integrity } from "../size.mjs";

const folder = fileURLToPath(new URL("..", import.meta.url));
const SCRIPTS = ["client.js", "forms.js"] as const;
const bundle = (name: string) =>
  fileURLToPath(new URL(`../../../rhtmx_server/static/${name}`, import.meta.url));

/** What the global `rhtmx` has on a page with a script. */
function namesOf(name: string): string[] {
  const page = { TextEncoder, TextDecoder, rhtmx: undefined as unknown };
  runInNewContext(`${readFileSync(bundle(name), "utf8")};globalThis.rhtmx = rhtmx`, page);
  return Object.keys(page.rhtmx as object).sort();
}

it("the checked-in bundle is what the source builds", { timeout: 300_000 }, () => {
  execFileSync(process.execPath, ["build.mjs", "--check"], { cwd: folder, stdio: "pipe" });
});

it.each(SCRIPTS)("%s stays within its budget, which is as low as it can be", (name) => {
  const weight = gzipped(readFileSync(bundle(name)));
  expect(weight).toBeLessThanOrEqual(BUDGETS[name]);
  expect(BUDGETS[name] - weight).toBeLessThan(250);
});

it("the build says what a page needs for a script tag that nobody can change", {
  timeout: 60_000,
}, () => {
  const printed = execFileSync(process.execPath, ["build.mjs", "--check"], { cwd: folder });
  for (const name of SCRIPTS) {
    const said = `${name}  integrity="${integrity(readFileSync(bundle(name)))}"`;
    expect(String(printed)).toContain(said);
  }
  // https://www.w3.org/TR/SRI/#integrity-metadata-description
  expect(integrity("alert('Hello, world.');")).toBe(
    "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO",
  );
});

it("a script tag gives a page the global `rhtmx`", () => {
  expect(namesOf("client.js")).toEqual([
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

it("that of the script for forms has the same names, but for what writes", () => {
  const names = ["ERRORS", "RhtmxError", "SCHEMA_HASH", "bindForm", "bindPage", "connect"];
  expect(namesOf("forms.js")).toEqual(names);
});
