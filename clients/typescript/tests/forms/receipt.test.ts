// @vitest-environment happy-dom
/** A form that is posted has the server's receipt in a hidden control. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { BoundForm } from "../../src/forms/index.ts";
import { bindForm } from "../../src/forms/index.ts";
import { valuesOf } from "../../src/forms/values.ts";
import { FakeClient, find, page, settled } from "./support.ts";

const INSIDE = `<input name="email" value="a@b.c"> <input name="method">
  <button id="send">Send</button> <button id="find" formmethod="get">Find</button>`;
/** As React writes a function. */
const REACT = `action="javascript:throw new Error('A React form was unexpectedly submitted.')"`;
const CONTROL = '[name="_rhtmx_receipt"]';

let client: FakeClient;
let bound: BoundForm;

/** Submits a form that has these attributes, and answers the question about it. */
async function submit(attributes: string, button = "send", inside = INSIDE): Promise<boolean> {
  const form = page(inside, `data-rhtmx-form="contact" ${attributes}`);
  form.addEventListener("submit", (event) => event.preventDefault());
  bound = bindForm(form, { client });
  const event = { bubbles: true, cancelable: true, submitter: find(`#${button}`) };
  form.dispatchEvent(new SubmitEvent("submit", event));
  await settled();
  const question = client.forms.shift()!;
  await question.answer({ ...(question.receipt && { receipt: "AQAG" }) });
  return !!question.receipt;
}

beforeEach(() => {
  vi.useFakeTimers();
  client = new FakeClient();
});

afterEach(() => {
  bound.stop();
  vi.useRealTimers();
});

it.each([
  ['method="post"', "send"],
  ['hx-post="/sent"', "find"],
  ['data-hx-put="/sent"', "send"],
  [REACT, "send"],
])("a form with %s is sent with its receipt", async (attributes, button) => {
  expect(await submit(attributes, button)).toBe(true);
  const control = find(CONTROL);
  expect([control.type, control.value, control.form?.id]).toEqual(["hidden", "AQAG", ""]);
});

it.each([
  ["", "send"],
  ['method="get"', "send"],
  ['method="post"', "find"],
])(
  "a form with %s that is sent by %s asks for none: it would stand in the address",
  async (attributes, button) => {
    expect(await submit(attributes, button)).toBe(false);
    expect(document.querySelector(CONTROL)).toBeNull();
  },
);

it("a button that htmx posts the form by has it too", async () => {
  const inside = INSIDE.replace('id="send"', 'id="send" hx-post="/sent"');
  expect(await submit("", "send", inside)).toBe(true);
});

it("a control that the page has for it is used, and the receipt is no value of the form", async () => {
  await submit('method="post"', "send", `${INSIDE}<input name="_rhtmx_receipt" type="hidden">`);
  expect(document.querySelectorAll(CONTROL)).toHaveLength(1);
  expect(find(CONTROL).value).toBe("AQAG");
  expect(valuesOf(document.querySelector("form")!)).not.toHaveProperty("_rhtmx_receipt");
});
