// @vitest-environment happy-dom
import { expect, it } from "vitest";

import { describe } from "../../inspector/describe.ts";
import { drawSchema } from "../../inspector/schema-view.ts";

it("draws each field with all that is said of it, as texts", () => {
  const schema = describe({
    "x-rhtmx": {
      version: 1,
      hash: "h",
      entities: { tasks: { $ref: "#/$defs/Task" } },
      forms: { Form: { $ref: "#/$defs/Form" } },
    },
    $defs: {
      Task: {
        description: "<b>About</b>",
        properties: { title: { title: "<b>Title</b>", type: "string", maxLength: 7 }, done: {} },
        required: ["title"],
        "x-rhtmx": { rules: [{ id: "rule", message: "<b>No</b>" }] },
      },
      Form: { properties: {} },
      Part: { properties: {} },
    },
  });
  const place = document.createElement("div");
  place.textContent = "One moment…";
  drawSchema(place, schema);
  const texts = (selector: string) =>
    [...place.querySelectorAll(selector)].map(({ textContent }) => textContent);
  expect(place.querySelector("b")).toBeNull();
  expect(place.textContent).not.toContain("One moment");
  expect(texts("summary")).toEqual(["Task entity tasks", "Form form", "Part a part of others"]);
  expect(texts(".message > .said li")).toEqual(["rule, otherwise “<b>No</b>”"]);
  expect(texts("dt")).toEqual(["<b>Title</b> title", "done"]);
  expect(texts("dd.type")).toEqual(["text", "any JSON"]);
  expect(texts("dd li")).toEqual([
    "required",
    "at most 7 characters",
    "merged: the last write wins",
    "merged: the last write wins",
  ]);
});
