import { expect, it } from "vitest";

import { NO_SCHEMA } from "../../inspector/describe.ts";
import { type Fetch, loadSchema } from "../../inspector/load.ts";

const answers =
  (status: number, body = "{}"): Fetch =>
  async () =>
    new Response(body, { status });

it("describes what the server answers", async () => {
  const document = { "x-rhtmx": { version: 3, hash: "h" } };
  const { schema, problem } = await loadSchema(answers(200, JSON.stringify(document)));
  expect([schema.version, problem]).toEqual(["version 3, hash h", ""]);
});

it("says why there is no schema", async () => {
  const why = async (fetch: Fetch) => {
    const { schema, problem } = await loadSchema(fetch);
    expect(schema).toBe(NO_SCHEMA);
    return problem;
  };
  expect(await why(answers(404))).toBe("This application has no schema.");
  expect(await why(answers(401))).toBe("The server does not show its schema (401).");
  expect(await why(answers(200, "<html>"))).toContain("The schema could not be loaded");
  const offline = () => Promise.reject(new TypeError("no network"));
  expect(await why(offline)).toBe("The schema could not be loaded: no network.");
});
