// @vitest-environment happy-dom
/** A record that a form was written into may be rejected: what is wrong stands at the fields. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { RhtmxError } from "../../src/errors.ts";
import type { BoundForm, ValidationDetail } from "../../src/forms/index.ts";
import { bindForm } from "../../src/forms/index.ts";
import { described, FakeClient, find, page, settled, type } from "./support.ts";

let client: FakeClient;
let form: HTMLFormElement;
let bound: BoundForm;
let told: ValidationDetail[];

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
  client = new FakeClient();
  form = page('<input name="start" value="9"> <input name="end" value="1">');
  told = [];
  form.addEventListener("rhtmx:validation", (event) => {
    told.push((event as CustomEvent<ValidationDetail>).detail);
  });
  bound = bindForm(form, { client });
});

afterEach(() => {
  bound.stop();
  vi.useRealTimers();
});

function refused(...violations: readonly [field: string, message: string][]): RhtmxError {
  const all = violations.map(([field, message]) => ({ field, code: "", message }));
  return new RhtmxError("invalid_data", "not valid", { details: { violations: all } });
}

it("each violation stands at its field, which gets the focus, and is told as any error", () => {
  bound.reject(refused(["end", "ends before it starts"], ["end", "is no day"]));
  const end = find<HTMLInputElement>("[name=end]");
  expect(described("end")).toBe("ends before it starts");
  expect(end.getAttribute("aria-invalid")).toBe("true");
  expect(document.activeElement).toBe(end);
  expect(form.dataset.rhtmxState).toBe("invalid");
  expect(find("[name=start]").getAttribute("aria-invalid")).not.toBe("true");
  expect(told.filter(({ valid }) => !valid)).toMatchObject([
    { field: "end", error: "ends before it starts" },
    { field: "", error: "" },
  ]);
});

it("what is about no field of the form stands at the form, with or without violations", () => {
  const whole = () => find('[data-rhtmx-error=""]').textContent;
  bound.reject(refused(["", "is not open yet"], ["room", "is taken"]));
  expect(whole()).toContain("is not open yet");
  expect(whole()).toContain("room is taken");
  bound.reject(new RhtmxError("forbidden", "you may not"));
  expect(whole()).toBe("you may not");
});

it("it goes once the field was changed and found valid", async () => {
  bound.reject(refused(["end", "ends before it starts"]));
  type("end", "10");
  await vi.advanceTimersByTimeAsync(300);
  await client.fields.at(-1)!.answer({ valid: true });
  await settled();
  expect(described("end")).toBe("");
  expect(form.dataset.rhtmxState).toBe("idle");
});

it("the words are those that the page has for them", () => {
  bound.stop();
  bound = bindForm(form, { client, text: (error, field) => `${field} ${error}.` });
  bound.reject(refused(["end", "is missing"]));
  expect(described("end")).toBe("end is missing.");
});
