// @vitest-environment happy-dom
/** What a form is about is what its page says of it, and of its record. */
import { expect, it } from "vitest";

import { digest, isFixed, recordOf, targetOf } from "../../src/forms/target.ts";
import { find, page } from "./support.ts";

it("a form goes by its id, its name and where it goes, whatever its controls are called", () => {
  const form = page(
    '<input name="id"><input name="attributes"><input name="action">',
    'id="f" action="/save" class="x"',
  );
  expect(targetOf(form)).toEqual(["action /save", "id f", "name null"]);
});

it("a record goes by what is in the form as well, and by a button that stands elsewhere", () => {
  const form = page(
    '<p><a hx-put="/1">1</a></p><input name="title"><input type="hidden" name="record" value="1">',
    'id="f"',
  );
  document.body.insertAdjacentHTML(
    "beforeend",
    '<button form="f" formaction="/2" name="how" value="x"></button>',
  );
  expect(recordOf(form)).toEqual([
    ["id f", "name null"],
    ["hx-put /1", "formaction /2"],
    [
      ["record", "1"],
      ["how", "x"],
    ],
  ]);
  const before = recordOf(form);
  find("[name=title]").value = "typed";
  expect(recordOf(form)).toEqual(before);
});

it("what has another value on every load is left out", () => {
  const form = page('<input type="hidden" name="_csrf" value="x"><i hx-vals=\'{"csrf":"x"}\'></i>');
  expect(recordOf(form).slice(1)).toEqual([[], []]);
});

it("nobody writes in what is read-only or disabled", () => {
  page('<input name="a"><input name="b" readonly><input name="c" disabled>');
  expect(["a", "b", "c"].map((name) => isFixed(find(`[name=${name}]`)))).toEqual([
    false,
    true,
    true,
  ]);
});

it("a digest is of what is in it, in order", () => {
  const all = [[], ["a"], ["a", "b"], ["b", "a"], "a", "🙂"];
  expect(new Set(all.map(digest)).size).toBe(all.length);
  expect(digest(["a", "b"])).toBe(digest(["a", "b"]));
});
