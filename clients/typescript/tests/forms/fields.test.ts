// @vitest-environment happy-dom
/** When a field is asked about, and which answers count. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { BoundForm, ValidationDetail } from "../../src/forms/index.ts";
import { bindForm } from "../../src/forms/index.ts";
import {
  becomesBad,
  choose,
  described,
  FakeClient,
  find,
  leave,
  page,
  settled,
  type,
} from "./support.ts";

const FIELDS = `
  <input name="email"> <input name="phone">
  <select name="answer" data-affects="phone other"><option>email<option>phone</select>`;

let client: FakeClient;
let form: HTMLFormElement;
let bound: BoundForm;

function bind(inside = FIELDS): void {
  form = page(inside);
  bound = bindForm(form, { client });
}

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
  client = new FakeClient();
  bind();
});

afterEach(() => {
  bound.stop();
  vi.useRealTimers();
});

it("a value is asked about when the user pauses for 300 ms", async () => {
  type("email", "a");
  await vi.advanceTimersByTimeAsync(299);
  type("email", "ab");
  await vi.advanceTimersByTimeAsync(299);
  expect(client.fields).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(client.asked()).toEqual(["email=ab"]);
});

it("leaving a field asks at once, and only once", async () => {
  type("email", "ab");
  leave("email");
  await vi.advanceTimersByTimeAsync(1_000);
  leave("email");
  find("[name=email]").dispatchEvent(new Event("change", { bubbles: true }));
  await settled();
  expect(client.asked()).toEqual(["email=ab"]);
});

it("a choice is asked about at once", async () => {
  type("answer", "phone");
  find("[name=answer]").dispatchEvent(new Event("change", { bubbles: true }));
  await settled();
  expect(client.asked()).toEqual(["answer=phone"]);
});

it("a field that nobody wrote in is not asked about", async () => {
  leave("email");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(client.asked()).toEqual([]);
});

it("the other values go with the question", async () => {
  find("[name=phone]").value = "123";
  type("email", "ab");
  leave("email");
  expect(client.fields[0]!.values).toEqual({ email: "ab", phone: "123", answer: "email" });
});

it("a change asks again about the fields that it affects and the user has been in", async () => {
  type("phone", "1");
  leave("phone");
  client.asked();
  type("answer", "phone");
  leave("answer");
  expect(client.asked()).toEqual(["answer=phone", "phone=1"]);
});

it("the answer shows, and goes when the value is good", async () => {
  type("email", "a");
  leave("email");
  await client.fields[0]!.answer({ error: "is not an address" });
  expect(described("email")).toBe("is not an address");
  expect(find("[name=email]").getAttribute("aria-invalid")).toBe("true");
  type("email", "a@b.c");
  leave("email");
  await client.fields[1]!.answer({});
  expect(described("email")).toBe("");
  expect(find("[name=email]").getAttribute("aria-invalid")).toBe("false");
});

it("nothing is no valid value: an empty field that may be empty has no mark", async () => {
  type("email", "");
  leave("email");
  await client.fields[0]!.answer({});
  expect(find("[name=email]").hasAttribute("aria-invalid")).toBe(false);
});

it("an answer to an older question is dropped", async () => {
  type("email", "a");
  leave("email");
  type("email", "ab");
  leave("email");
  await client.fields[1]!.answer({ error: "second" });
  await client.fields[0]!.answer({ error: "first" });
  expect(described("email")).toBe("second");
});

it("an answer about a value that is another one by now is dropped, and the value asked about again", async () => {
  type("email", "a");
  leave("email");
  type("email", "ab");
  await client.fields[0]!.answer({ error: "late" });
  expect(described("email")).toBe("");
  type("email", "a");
  leave("email");
  expect(client.asked()).toEqual(["email=a", "email=a"]);
});

it("what could not be judged shows nothing, is told to the console and asked again", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  type("email", "a");
  leave("email");
  await client.fields[0]!.refuse(new Error("took too long"));
  expect(log).toHaveBeenCalledOnce();
  log.mockRestore();
  expect(described("email")).toBe("");
  leave("email");
  expect(client.asked()).toEqual(["email=a", "email=a"]);
});

it("a question that a newer one took over is no error", async () => {
  const log = vi.spyOn(console, "error");
  type("email", "a");
  leave("email");
  type("email", "ab");
  leave("email");
  await client.fields[0]!.refuse(Object.assign(new Error("superseded"), { code: "superseded" }));
  await client.fields[1]!.answer({ error: "second" });
  expect(log).not.toHaveBeenCalled();
  expect(described("email")).toBe("second");
});

it("a text is not asked about while an input method composes it", async () => {
  type("email", "に", { isComposing: true });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(client.asked()).toEqual([]);
  find("[name=email]").dispatchEvent(new CompositionEvent("compositionend", { bubbles: true }));
  await vi.advanceTimersByTimeAsync(300);
  expect(client.asked()).toEqual(["email=に"]);
});

it("each answer is an event that bubbles", async () => {
  const seen: ValidationDetail[] = [];
  const take = (event: Event) => seen.push((event as CustomEvent<ValidationDetail>).detail);
  document.addEventListener("rhtmx:validation", take);
  type("email", "a");
  leave("email");
  await client.fields[0]!.answer({ error: "is taken", metadata: { hint: "b" } });
  document.removeEventListener("rhtmx:validation", take);
  const metadata = { hint: "b" };
  expect(seen).toEqual([
    { form: "contact", field: "email", valid: false, error: "is taken", metadata },
  ]);
});

it("a script may ask about a field that nobody was in", async () => {
  const verdict = bound.check("email");
  await client.fields[0]!.answer({ error: "is required" });
  expect(await verdict).toBe(false);
  expect(described("email")).toBe("is required");
});

// Lists of several choices: tests/browser/forms.mjs, since happy-dom submits only one of them.
it("boxes and choices are asked about with what would be submitted", async () => {
  bound.stop();
  bind(`
    <input type="checkbox" name="tags" value="a" checked>
    <input type="checkbox" name="tags" value="b" checked>
    <input type="checkbox" name="terms" value="yes">
    <input type="radio" name="size" value="s"><input type="radio" name="size" value="m" checked>
    <textarea name="address[street]">x</textarea>
    <input type="file" name="file"> <input name="off" disabled value="1">
    <button name="button" value="1">Send</button>`);
  for (const name of ["terms", "address[street]"]) await Promise.race([bound.check(name), null]);
  expect(client.fields.map(({ field, value }) => [field, value])).toEqual([
    ["terms", ""],
    ["address[street]", "x"],
  ]);
  const values = { tags: ["a", "b"], size: "m", "address[street]": "x", file: "" };
  expect(client.fields[0]!.values).toEqual(values);
});

it("a control that comes later is asked about like the others, one that is gone is not missed", async () => {
  form.insertAdjacentHTML("beforeend", '<input name="late">');
  type("late", "x");
  leave("late");
  expect(client.asked()).toEqual(["late=x"]);
  type("late", "xy");
  find("[name=late]").remove();
  await vi.advanceTimersByTimeAsync(300);
  await settled();
  expect(client.asked()).toEqual([]);
});

it("a file is asked about when it is chosen: by its name, its size and its type", async () => {
  form.insertAdjacentHTML("beforeend", '<input type="file" name="photo">');
  leave("photo");
  expect(client.asked()).toEqual([]);
  choose("photo", new File(["abc"], "a.png", { type: "image/png" }));
  await settled();
  const photo = { name: "a.png", size: 3, type: "image/png" };
  expect(client.fields).toMatchObject([{ field: "photo", value: photo, values: { photo } }]);
});

it("a field that takes the place of a wrong one is a field that nobody was in", async () => {
  type("phone", "x");
  leave("phone");
  await client.fields[0]!.answer({ error: "is no number" });
  find("[name=phone]").outerHTML = '<input name="phone" value="y">';
  // Observers are told after all promises.
  await settled();
  expect(form.textContent).not.toContain("is no number");
  leave("phone");
  expect(client.fields.length).toBe(1);
});

it("an answer about a field that is gone meanwhile is shown nowhere", async () => {
  form.insertAdjacentHTML("beforeend", '<input type="checkbox" name="terms">');
  const answer = bound.check("terms");
  find("[name=terms]").remove();
  await client.fields[0]!.answer({ error: "is required" });
  expect(await answer).toBeUndefined();
  expect(form.textContent).not.toContain("is required");
});

it("several values of a name are asked about together", async () => {
  form.insertAdjacentHTML("beforeend", '<input name="email" value="second">');
  type("email", "first");
  leave("email");
  expect(client.fields).toMatchObject([{ field: "email", value: ["first", "second"] }]);
});

it("a control that stands elsewhere is asked about, and its error is shown beside it, once", async () => {
  form.id = "f";
  document.body.insertAdjacentHTML("beforeend", '<aside><input name="late" form="f"></aside>');
  for (const error of ["is wrong", "is still wrong"]) {
    type("late", error);
    leave("late");
    await client.fields.pop()!.answer({ error });
    expect(described("late")).toBe(error);
  }
  expect(document.querySelectorAll("aside span").length).toBe(1);
});

it("what is no value is an error in the browser's words, and nothing is asked", async () => {
  const told: ValidationDetail[] = [];
  form.addEventListener("rhtmx:validation", (event) => told.push((event as CustomEvent).detail));
  becomesBad("phone", "Please enter a number.");
  await vi.advanceTimersByTimeAsync(300);
  expect(client.asked()).toEqual([]);
  expect(described("phone")).toBe("Please enter a number.");
  expect(find("[name=phone]").getAttribute("aria-invalid")).toBe("true");
  expect(told).toMatchObject([{ field: "phone", valid: false, error: "Please enter a number." }]);
  expect(await bound.check("phone")).toBe(false);
  Object.defineProperty(find("[name=phone]"), "validity", { value: { badInput: false } });
  type("phone", "12");
  leave("phone");
  await client.fields[0]!.answer({});
  expect(described("phone")).toBe("");
});

it("of several values of a name one that goes has those that stay asked about", async () => {
  form.insertAdjacentHTML("beforeend", '<input name="email" value="second">');
  type("email", "first");
  leave("email");
  await client.fields.pop()!.answer({ error: "“second” is wrong" });
  form.querySelectorAll("[name=email]")[1]!.remove();
  await settled();
  expect(client.fields).toMatchObject([{ field: "email", value: "first" }]);
  await client.fields[0]!.answer({});
  expect(described("email")).toBe("");
});

it("the browser's words are not the server's: they stay as they are", async () => {
  bound.stop();
  bound = bindForm(form, { client, text: (error) => `Phone ${error}!` });
  becomesBad("phone", "Please enter a number.");
  leave("phone");
  expect(described("phone")).toBe("Please enter a number.");
});

it("a reset takes everything back", async () => {
  type("email", "a");
  leave("email");
  await client.fields[0]!.answer({ error: "wrong" });
  type("phone", "1");
  form.reset();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(client.asked()).toEqual(["email=a"]);
  expect(described("email")).toBe("");
  expect(find("[name=email]").hasAttribute("aria-invalid")).toBe(false);
});

it("a reset that the page prevents takes nothing back", async () => {
  type("email", "a");
  leave("email");
  await client.fields[0]!.answer({ error: "wrong" });
  document.addEventListener("reset", (event) => event.preventDefault(), {
    capture: true,
    once: true,
  });
  form.reset();
  expect(described("email")).toBe("wrong");
});

it("a form that was left alone is left alone, and can be bound again", async () => {
  type("email", "a");
  bound.stop();
  await vi.advanceTimersByTimeAsync(1_000);
  type("email", "ab");
  leave("email");
  expect(client.asked()).toEqual([]);
  expect(client.listeners.size).toBe(0);
  bound = bindForm(form, { client });
  type("email", "abc");
  leave("email");
  expect(client.asked()).toEqual(["email=abc"]);
});

it("binding a form twice is binding it once", async () => {
  expect(bindForm(form, { client: new FakeClient() })).toBe(bound);
});

it("two forms of one name never ask as the same one", async () => {
  const other = form.cloneNode(true) as HTMLFormElement;
  document.body.append(other);
  const second = bindForm(other, { client });
  void bound.check("email");
  void second.check("email");
  expect(new Set(client.fields.map((each) => each.formInstance)).size).toBe(2);
  second.stop();
});
