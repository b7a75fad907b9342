// @vitest-environment happy-dom
/** Where errors are shown, and what a screen reader is told. */
import { beforeEach, expect, it, vi } from "vitest";

import { showError, showErrors } from "../../src/forms/error-display.ts";
import { described, find, page, whole } from "./support.ts";

const describedBy = (name = "email") => find(`[name="${name}"]`).getAttribute("aria-describedby");

let form: HTMLFormElement;

function show(inside: string, error = "is wrong", field = "email"): void {
  form = page(inside);
  showError(form, field, error);
}

beforeEach(() => {
  document.body.innerHTML = "";
});

it("the page's own place is used: by attribute", () => {
  show('<input name="email"><p data-rhtmx-error="email"></p>');
  expect(find("p").textContent).toBe("is wrong");
  expect(described("email")).toBe("is wrong");
});

it("the page's own place is used: by id, and what else describes the control stays", () => {
  show('<input name="email" aria-describedby="hint"><p id="hint"></p><p id="email-error"></p>');
  expect(describedBy()).toBe("hint email-error");
  showError(form, "email", "");
  showError(form, "email", "again");
  expect(describedBy()).toBe("hint email-error");
  expect(find("p#email-error").textContent).toBe("again");
});

it("without one it is made beside the control, and not within its label", () => {
  show('<label>Email <input name="email"></label><input name="phone">');
  const place = find("span");
  expect(place.previousElementSibling).toBe(find("label"));
  expect(describedBy()).toBe(place.id);
  expect(place.getAttribute("aria-live")).toBe("polite");
});

it("of several controls of a name each is described, the place is after the last", () => {
  show('<input type="radio" name="email" value="a"><input type="radio" name="email" value="b">');
  expect(find("span").previousElementSibling).toBe(find("[value=b]"));
  for (const each of form.querySelectorAll("input")) {
    expect(each.getAttribute("aria-describedby")).toBe(find("span").id);
  }
});

it("no place is made for no error", () => {
  show('<input name="email">', "");
  expect(document.querySelector("span")).toBeNull();
});

it("how urgently the page wants its place announced stays as it is", () => {
  show('<input name="email"><p data-rhtmx-error="email" aria-live="assertive"></p>');
  expect(find("p").getAttribute("aria-live")).toBe("assertive");
});

it("errors of the form as a whole have a place of their own", () => {
  show('<input name="email"><button>Send</button>', "Come back tomorrow.", "");
  expect(whole()).toBe("Come back tomorrow.");
  expect(find("button").hasAttribute("aria-describedby")).toBe(false);
});

// Quotes and backslashes: tests/browser/forms.mjs, since happy-dom does not know them in selectors.
it("nested names find their places", () => {
  for (const name of ["address[street]", "a.b", "1st", "two words"]) {
    form = page("<input><p></p>");
    find("input").name = name;
    find("p").setAttribute("data-rhtmx-error", name);
    showError(form, name, `of ${name}`);
    expect(find("p").textContent).toBe(`of ${name}`);
    expect(find("input").getAttribute("aria-describedby")).toBe(find("p").id);
  }
});

it("an error is a text, whatever is in it", () => {
  show('<input name="email">', '<img src=x onerror="alert(1)">');
  expect(document.querySelector("img")).toBeNull();
  expect(described("email")).toBe('<img src=x onerror="alert(1)">');
});

/** Lets observers of the page see what was done to it. */
const seen = () => new Promise<void>((resolve) => void setTimeout(resolve));

it.each<[string, (control: HTMLInputElement) => unknown]>([
  ["is removed", (control) => control.remove()],
  ["is disabled", (control) => (control.disabled = true)],
  ["is renamed", (control) => (control.name = "mail")],
  ["is exchanged", (control) => (control.outerHTML = '<input name="email">')],
])("an error goes with its field that %s", async (_, act) => {
  form = page('<input name="email"><input name="phone">');
  const gone: string[] = [];
  const errors = showErrors(form, (field) => gone.push(field));
  const control = find("[name=email]");
  errors.show("email", "is wrong", false);
  errors.show("phone", "is wrong, too", false);
  act(control);
  await seen();
  expect(gone).toEqual(["email"]);
  expect(form.textContent).toBe("is wrong, too");
  expect(control.getAttribute("aria-invalid")).toBeNull();
  errors.stop();
});

it("an error that was taken back already does not go a second time", async () => {
  form = page('<input name="email">');
  const gone = vi.fn();
  const errors = showErrors(form, gone);
  errors.show("email", "is wrong", false);
  errors.show("email", "", true);
  find("[name=email]").remove();
  await seen();
  expect(gone).not.toHaveBeenCalled();
  errors.stop();
});

it("of several controls of a name one that stays keeps the error, and it is told", async () => {
  form = page('<input name="email"><input name="email"><input name="email">');
  const gone = vi.fn();
  const errors = showErrors(form, gone);
  errors.show("email", "is wrong", false);
  for (const _ of [1, 2]) {
    const first = find("[name=email]");
    first.remove();
    await seen();
    expect(first.getAttribute("aria-invalid")).toBeNull();
    expect(form.textContent).toBe("is wrong");
    expect(gone).toHaveBeenLastCalledWith("email", true);
  }
  find("[name=email]").remove();
  await seen();
  expect(form.textContent).toBe("");
  expect(gone.mock.calls.slice(2)).toEqual([["email", false]]);
  errors.stop();
});

it("an error goes with a control that another id of the form leaves behind", async () => {
  form = page("", 'id="f"');
  document.body.insertAdjacentHTML("beforeend", '<input name="email" form="f">');
  const errors = showErrors(form, () => {});
  errors.show("email", "is wrong", false);
  form.id = "g";
  await seen();
  expect(find("[name=email]").getAttribute("aria-invalid")).toBeNull();
  errors.stop();
});
