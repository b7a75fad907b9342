// @vitest-environment happy-dom
/** What the server says unasked of a form that is open. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { BoundForm, ValidationDetail } from "../../src/forms/index.ts";
import { bindForm } from "../../src/forms/index.ts";
import { described, FakeClient, find, leave, page, settled, type } from "./support.ts";

let client: FakeClient;
let form: HTMLFormElement;
let bound: BoundForm;
let told: ValidationDetail[];

/** The user types a name and leaves, and it is found free. Returns which form it is. */
async function typed(name = "ada", live = true): Promise<string> {
  type("name", name);
  leave("name");
  const [question] = client.fields.splice(0);
  await question!.answer({ valid: true, live });
  return question!.formInstance;
}

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
  client = new FakeClient();
  form = page('<input name="name"> <input name="email"> <button>Send</button>');
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

it("a name that is taken meanwhile is shown at its field, and the focus stays", async () => {
  const form_instance = await typed();
  find('[name="email"]').focus();
  client.says({ form_instance, field: "name", error: "is taken", metadata: { by: "bob" } });
  expect(described("name")).toBe("is taken");
  expect(find('[name="name"]').getAttribute("aria-invalid")).toBe("true");
  expect(document.activeElement).toBe(find('[name="email"]'));
  expect(told.at(-1)).toMatchObject({ field: "name", valid: false, error: "is taken" });
  client.says({ form_instance, field: "name" });
  expect(described("name")).toBe("");
});

it("what it says of another form, field or value is not shown", async () => {
  const form_instance = await typed();
  told = [];
  client.says({ form_instance: "another", field: "name", error: "is taken" });
  client.says({ form_instance, field: "email", error: "is taken" });
  find('[name="name"]').value = "bob";
  client.says({ form_instance, field: "name", error: "is taken" });
  expect(told).toEqual([]);
  expect(described("name")).toBe("");
});

it("while a field is edited or asked about, only the answer counts", async () => {
  const form_instance = await typed();
  type("name", "adam");
  client.says({ form_instance, field: "name", error: "is taken" });
  type("name", "ada");
  client.says({ form_instance, field: "name", error: "is taken" });
  leave("name");
  client.says({ form_instance, field: "name", error: "is taken" });
  expect(described("name")).toBe("");
  void bound.validate();
  await client.fields.splice(0)[0]!.answer({ valid: true, live: true });
  client.says({ form_instance, field: "name", error: "is taken" });
  expect(described("name")).toBe("");
});

it("after all of it was asked about each field is told of", async () => {
  const asked = bound.validate();
  const question = client.forms[0]!;
  await question.answer({ valid: true, live: true });
  await asked;
  client.says({ form_instance: question.formInstance, field: "email", error: "is taken" });
  expect(described("email")).toBe("is taken");
});

it("a form that is left alone is closed, also when that is known late", async () => {
  const form_instance = await typed();
  bound.stop();
  expect(client.closed).toEqual([form_instance]);
  expect(client.newsListeners.size).toBe(0);
  bound = bindForm(form, { client });
  type("name", "bob");
  leave("name");
  const [question] = client.fields.splice(0);
  bound.stop();
  expect(client.closed).toHaveLength(1);
  await question!.answer({ valid: true, live: true });
  expect(client.closed).toEqual([form_instance, question!.formInstance]);
});

it("a server that watches nothing is told nothing", async () => {
  await typed("ada", false);
  client.becomes("waiting");
  client.becomes("open");
  expect(client.asked()).toEqual([]);
  bound.stop();
  expect(client.closed).toEqual([]);
});

it("on another connection what is shown is asked about again: the server has forgotten it", async () => {
  await typed();
  client.becomes("waiting");
  client.becomes("connecting");
  expect(client.asked()).toEqual([]);
  client.becomes("open");
  expect(client.asked()).toEqual(["name=ada"]);
  client.becomes("open");
  expect(client.asked()).toEqual([]);
});

it("a form that is reset is told nothing more", async () => {
  const form_instance = await typed();
  form.reset();
  await settled();
  expect(client.closed).toEqual([form_instance]);
  client.says({ form_instance, field: "name", error: "is taken" });
  expect(described("name")).toBe("");
});

/** The user submits the form, and it is found valid. Returns which form it is. */
async function submitted(): Promise<string> {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.requestSubmit();
  await settled();
  const question = client.forms.shift()!;
  await question.answer({ valid: true, live: true });
  return question.formInstance;
}

it("a form that was sent is not told what has become of it in the records", async () => {
  type("name", "ada");
  const form_instance = await submitted();
  expect(client.closed).toEqual([form_instance]);
  client.says({ form_instance, field: "name", error: "is taken" });
  expect(described("name")).toBe("");
  client.becomes("waiting");
  client.becomes("open");
  expect(client.asked()).toEqual([]);
  await typed("bob");
  client.says({ form_instance, field: "name", error: "is taken" });
  expect(described("name")).toBe("is taken");
});

it("what is said of all of it is shown at the form until something is edited", async () => {
  const asked = bound.validate();
  const { formInstance: form_instance, answer } = client.forms[0]!;
  await answer({ valid: true, live: true });
  await asked;
  client.says({ form_instance, error: "nothing is left" });
  expect([form.dataset.rhtmxState, told.at(-1)]).toMatchObject([
    "invalid",
    { field: "", valid: false, error: "nothing is left" },
  ]);
  expect(document.body.textContent).toContain("nothing is left");
  client.says({ form_instance });
  expect(document.body.textContent).not.toContain("nothing is left");
  type("email", "x");
  told = [];
  client.says({ form_instance, error: "nothing is left" });
  expect(told).toEqual([]);
});

/** All of the form was asked about, and found valid; then the connection is another one. */
async function renewed(): Promise<void> {
  const asked = bound.validate();
  await client.forms.shift()!.answer({ valid: true, live: true });
  await asked;
  client.becomes("waiting");
  client.becomes("open");
}

it("on another connection all of it is asked about again, and the focus stays", async () => {
  await renewed();
  find("button").focus();
  expect(client.asked()).toEqual([]);
  const [question] = client.forms.splice(0);
  expect(question!.receipt).toBeUndefined();
  const errors = [
    { field: "name", error: "is taken" },
    { field: "", error: "nothing is left" },
  ];
  await question!.answer({ errors, live: true });
  expect(described("name")).toBe("is taken");
  expect(form.dataset.rhtmxState).toBe("invalid");
  expect(document.body.textContent).toContain("nothing is left");
  expect(document.activeElement).toBe(find("button"));
  const form_instance = question!.formInstance;
  client.says({ form_instance });
  expect(document.body.textContent).not.toContain("nothing is left");
  client.becomes("waiting");
  client.becomes("open");
  expect(client.forms).toHaveLength(1);
});

it("a form that is edited meanwhile does not show what was said of all of it", async () => {
  await renewed();
  const [question] = client.forms.splice(0);
  type("name", "ada");
  await question!.answer({ errors: [{ field: "", error: "nothing is left" }], live: true });
  expect(form.dataset.rhtmxState).toBe("idle");
  client.becomes("waiting");
  client.becomes("open");
  expect(client.forms).toEqual([]);
  expect(client.asked()).toEqual(["email="]);
});

it("where all of it cannot be judged its fields are asked about", async () => {
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  await renewed();
  await client.forms.shift()!.refuse(new Error("a validator took too long"));
  expect(said).toHaveBeenCalledOnce();
  expect(client.asked().sort()).toEqual(["email=", "name="]);
});

it("a question about all of it that is under way is answered by the next connection", async () => {
  await typed();
  const asked = bound.validate();
  client.becomes("waiting");
  client.becomes("open");
  expect(client.asked()).toEqual([]);
  await client.forms.shift()!.answer({ valid: true, live: true });
  expect([await asked, client.forms]).toEqual([true, []]);
});

it("what a write was rejected for stays on another connection", async () => {
  await typed();
  bound.reject({ message: "nothing is left" });
  client.becomes("waiting");
  client.becomes("open");
  expect(client.forms).toEqual([]);
  expect(document.body.textContent).toContain("nothing is left");
});
