// @vitest-environment happy-dom
/** What a user typed survives a reload, for the very same form, and nothing that must not. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { BoundForm } from "../../src/forms/index.ts";
import { choose, FakeClient, find, page, settled, trusted, type } from "./support.ts";

const INSIDE = `
  <input name="email"> <input name="phone" value="from the server"> <textarea name="message"></textarea>
  <input type="checkbox" name="tags" value="a"> <input type="checkbox" name="tags" value="b" checked>
  <input type="radio" name="size" value="s" checked> <input type="radio" name="size" value="m">
  <select name="answer"><option>email<option>phone</select>
  <input name="line"> <input name="line">
  <input type="hidden" name="record" value="1"> <input type="hidden" name="csrf_token" value="x">`;

const FORM = 'data-rhtmx-form="contact" action="/save"';

let client: FakeClient;
let form: HTMLFormElement;
let bound: BoundForm | undefined;
/** What the page has at its window. */
let listening: AbortController;

/** Adds a form to the page, and binds it. */
async function add(inside = INSIDE, attributes = FORM): Promise<HTMLFormElement> {
  document.body.insertAdjacentHTML("beforeend", `<form ${attributes}>${inside}</form>`);
  form = document.body.lastElementChild as HTMLFormElement;
  const { bindForm } = await import("../../src/forms/index.ts");
  bound = bindForm(form, { client });
  return form;
}

/** The page is left, as it is. */
function leave(): void {
  window.dispatchEvent(new Event("pagehide"));
  bound?.stop();
  bound = undefined;
}

/** Another page comes in its place, with scripts and listeners of its own. */
function arrive(how: string, { responseStatus = 200, url = "/edit" } = {}): void {
  listening.abort();
  listening = new AbortController();
  vi.resetModules();
  client = new FakeClient();
  document.body.innerHTML = "";
  history.replaceState(null, "", url);
  const entry = { type: how, responseStatus } as unknown as PerformanceEntry;
  vi.spyOn(performance, "getEntriesByType").mockReturnValue([entry]);
}

/** The page is left and loaded again. */
async function reload(inside?: string, attributes?: string): Promise<HTMLFormElement> {
  leave();
  arrive("reload");
  return add(inside, attributes);
}

/** Everything that is in the tab's storage once the page is left. */
function stored(): string {
  leave();
  return JSON.stringify({ ...sessionStorage });
}

function toggle(selector: string): void {
  const control = find(selector);
  control.checked = !control.checked;
  control.dispatchEvent(trusted(new Event("input", { bubbles: true })));
}

/** Submits the form, which is valid. */
async function submit(): Promise<void> {
  form.requestSubmit();
  await settled();
  await client.forms.at(-1)!.answer({});
}

beforeEach(async () => {
  vi.useFakeTimers();
  sessionStorage.clear();
  listening = new AbortController();
  const { addEventListener } = window;
  vi.stubGlobal("addEventListener", (type: string, heard: EventListener, options?: object) =>
    addEventListener.call(window, type, heard, { signal: listening.signal, ...options }),
  );
  arrive("navigate");
  await add();
});

afterEach(() => {
  bound?.stop();
  listening.abort();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("everything that the user wrote or chose is there after a reload, and after another", async () => {
  type("email", "ada@");
  type("message", "two\nlines");
  toggle("[name=tags][value=a]");
  toggle("[name=tags][value=b]");
  toggle("[name=size][value=m]");
  type("answer", "phone");
  type("line", "one");
  for (const time of ["first", "second"]) {
    const data = [...new FormData(await reload())].map((each) => each.join("="));
    expect(data.slice(0, -2), time).toEqual([
      "email=ada@",
      "phone=from the server",
      "message=two\nlines",
      "tags=a",
      "size=m",
      "answer=phone",
      "line=one",
      "line=",
    ]);
  }
});

it("of controls of one name each has its own text", async () => {
  const second = form.querySelectorAll<HTMLInputElement>("[name=line]")[1]!;
  second.value = "two";
  second.dispatchEvent(trusted(new Event("input", { bubbles: true })));
  const { elements } = await reload();
  const lines = [...elements].filter((each) => each.getAttribute("name") === "line");
  expect(lines.map((each) => (each as HTMLInputElement).value)).toEqual(["", "two"]);
});

it.each<[string, (first: HTMLInputElement, second: HTMLInputElement) => unknown]>([
  ["is removed", (first) => first.remove()],
  ["is renamed", (first) => (first.name = "old")],
  ["goes behind it", (first, second) => second.after(first)],
  [
    "has another before it",
    (first) => first.insertAdjacentHTML("beforebegin", '<input name="line">'),
  ],
])(
  "a text stays that of its control if one of the same name %s, before or after",
  async (_, act) => {
    for (const time of ["before", "after"]) {
      const [first, second] = form.querySelectorAll<HTMLInputElement>("[name=line]");
      if (time === "before") act(first!, second!);
      second!.value = "two";
      second!.dispatchEvent(trusted(new Event("input", { bubbles: true })));
      if (time === "after") act(first!, second!);
      await reload();
      expect([...form.querySelectorAll<HTMLInputElement>("[name=line]")][0]!.value, time).toBe("");
      form.reset();
      await reload();
    }
  },
);

it("a row that takes the name of another keeps its text for itself", async () => {
  const rows = '<input name="row[0]"><input name="row[1]">';
  const other = 'data-rhtmx-form="rows"';
  await reload(rows, other);
  type("row[1]", "two");
  find('[name="row[0]"]').remove();
  find('[name="row[1]"]').name = "row[0]";
  await reload(rows, other);
  expect(["row[0]", "row[1]"].map((each) => find(`[name="${each}"]`).value)).toEqual(["", "two"]);
});

it("what a script put there is not kept: it puts it there again", async () => {
  find("[name=email]").value = "by a script";
  find("[name=email]").dispatchEvent(new Event("input", { bubbles: true }));
  expect(stored()).not.toContain("script");
});

it.each([
  ["has another value", "phone", ["from the server", "newer"]],
  ["is ticked", "tags", ["checked", ""]],
  ["has another choice", "size", ['value="m"', 'value="m" checked']],
  ["has other options", "answer", ["<option>phone", "<option>phone<option>post"]],
  ["is one more", "line", ['<input name="line">', '<input name="line"><input name="line">']],
  ["is not to be written in", "email", ['name="email"', 'name="email" readonly']],
  ["is disabled", "email", ['name="email"', 'name="email" disabled']],
])("a control that %s now is the server's", async (_, name, [before, now]) => {
  if (name === "tags") toggle("[name=tags][value=b]");
  else if (name === "size") toggle("[name=size][value=m]");
  else type(name, name === "answer" ? "phone" : "typed");
  type("message", "stays");
  await reload(INSIDE.replace(before!, now!));
  expect(find("[name=message]").value).toBe("stays");
  const state = (each: HTMLInputElement) => [each.value, each.checked];
  const found = [...form.querySelectorAll<HTMLInputElement>(`[name=${name}]`)].map(state);
  const fresh = document.createElement("form");
  fresh.innerHTML = INSIDE.replace(before!, now!);
  expect(found).toEqual([...fresh.querySelectorAll<HTMLInputElement>(`[name=${name}]`)].map(state));
});

it("what a script found for another record stays", async () => {
  bound?.stop();
  document.body.innerHTML = "";
  // The page's script fills the form in before it is bound, as frameworks do.
  const { bindForm } = await import("../../src/forms/index.ts");
  const fill = (title: string) => {
    form = page('<input name="title">', FORM);
    find("[name=title]").value = title;
  };
  fill("Pay the rent");
  bound = bindForm(form, { client });
  type("title", "Sell the house");
  leave();
  arrive("reload");
  fill("Call the bank");
  bound = (await import("../../src/forms/index.ts")).bindForm(form, { client });
  expect(find("[name=title]").value).toBe("Call the bank");
});

it.each([
  ["action", INSIDE, FORM.replace("/save", "/save/2")],
  ["id", INSIDE, `${FORM} id="second"`],
  ["name", INSIDE, `${FORM} name="second"`],
  ["hx-post", INSIDE, `${FORM} hx-post="/save/2"`],
  ["hx-vals", INSIDE, `${FORM} hx-vals='{"id":2}'`],
  ["button", `${INSIDE}<button name="id" value="2">`, FORM],
  ["formaction of a button", `${INSIDE}<button formaction="/save/2">`, FORM],
  ["link that posts it", `${INSIDE}<a data-hx-put="/save/2"></a>`, FORM],
  ["form at the server", INSIDE, FORM.replace("contact", "other")],
  ["record, in a hidden field", INSIDE.replace('value="1"', 'value="2"'), FORM],
  [
    "record, in a hidden field of the framework's",
    `${INSIDE}<input type="hidden" name="_id" value="2">`,
    FORM,
  ],
])("a form with another %s is another form", async (_, inside, attributes) => {
  type("email", "ada@");
  await reload(inside, attributes);
  expect(find("[name=email]").value).toBe("");
});

it.each(["readonly", "disabled"])("what is %s tells one record from another", async (how) => {
  const inside = (id: number) => `${INSIDE}<input name="number" value="${id}" ${how}>`;
  await reload(inside(1));
  type("email", "ada@");
  await reload(inside(1));
  expect(find("[name=email]").value).toBe("ada@");
  await reload(inside(2));
  expect(find("[name=email]").value).toBe("");
});

it("a token that is another one on every load does not make another form", async () => {
  type("email", "ada@");
  await reload(INSIDE.replace('value="x"', 'value="y"'));
  expect(find("[name=email]").value).toBe("ada@");
  const tokens = (value: string) =>
    ["_csrf", "_xsrf", "task[_token]", "__VIEWSTATE", "_wpnonce"]
      .map((name) => `<input type="hidden" name="${name}" value="${value}">`)
      .join("");
  const vals = (value: string) => `${FORM} hx-vals='{"csrf":"${value}"}'`;
  await reload(INSIDE + tokens("x"), vals("x"));
  type("email", "ada@");
  await reload(INSIDE + tokens("y"), vals("y"));
  expect(find("[name=email]").value).toBe("ada@");
});

it.each([
  ["id", "two"],
  ["action", "/save/2"],
  ["hx-put", "/save/2"],
])("nothing is kept of a form whose %s a framework has changed in place", async (name, value) => {
  type("email", "ada@");
  form.setAttribute(name, value);
  type("message", "for another record");
  await reload();
  expect(["email", "message"].map((each) => find(`[name=${each}]`).value)).toEqual(["", ""]);
});

it("what a script writes into a hidden field meanwhile, as an editor does, does not make another form", async () => {
  type("email", "ada@");
  find("[name=record]").value = "typed in an editor";
  await reload();
  expect(find("[name=email]").value).toBe("ada@");
});

it("another address is another form, also one that a script shows", async () => {
  type("email", "ada@");
  leave();
  arrive("reload", { url: "/edit?id=2" });
  await add();
  expect(find("[name=email]").value).toBe("");
  history.replaceState(null, "", "/edit");
  await add();
  expect(form.querySelector<HTMLInputElement>("[name=email]")!.value).toBe("");
});

it("a form that is opened in a page that goes on is a new one", async () => {
  type("email", "scrap");
  form.remove();
  await add();
  expect(find("[name=email]").value).toBe("");
});

it("what was given up before the reload is not back after it", async () => {
  type("email", "scrap");
  form.remove();
  await add();
  await reload();
  expect(find("[name=email]").value).toBe("");
});

it("a page that is loaded by a link begins anew, and by going back it goes on", async () => {
  type("email", "ada@");
  leave();
  arrive("navigate", { url: "/other" });
  await add("", 'data-rhtmx-form="other"');
  leave();
  arrive("back_forward");
  await add();
  expect(find("[name=email]").value).toBe("ada@");
  leave();
  arrive("navigate");
  await add();
  expect(find("[name=email]").value).toBe("");
  await reload();
  expect(find("[name=email]").value).toBe("");
});

it("of two forms that are alike nobody could tell whose text it is", async () => {
  await add();
  type("email", "ada@");
  expect(stored()).not.toContain("ada@");
});

it("what is put back is told to the page's listeners, and asked about", async () => {
  type("email", "ada@");
  const told = vi.fn();
  document.addEventListener("input", told);
  await reload();
  document.removeEventListener("input", told);
  expect(told).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(300);
  expect(client.asked()).toEqual(["email=ada@"]);
});

it("a framework that watches a control's value sees that it is another one", async () => {
  type("email", "ada@");
  leave();
  arrive("reload");
  form = page(INSIDE, FORM);
  const email = find("[name=email]");
  const written = vi.fn();
  const own = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")!;
  Object.defineProperty(email, "value", { ...own, set: written });
  bound = (await import("../../src/forms/index.ts")).bindForm(form, { client });
  expect(email.value).toBe("ada@");
  expect(written).not.toHaveBeenCalled();
});

it("what the browser itself has put back already is kept as well", async () => {
  type("email", "ada@");
  leave();
  arrive("back_forward");
  form = page(INSIDE, FORM);
  find("[name=email]").value = "ada@";
  bound = (await import("../../src/forms/index.ts")).bindForm(form, { client });
  // By a reload it does not.
  await reload();
  expect(find("[name=email]").value).toBe("ada@");
});

it("what is opened while nobody looks at the page is a new form, too", async () => {
  type("email", "ada@");
  window.dispatchEvent(new Event("pagehide"));
  form.remove();
  await add();
  expect(find("[name=email]").value).toBe("");
});

it("binding a form anew goes on with its draft", async () => {
  type("email", "ada@");
  await reload();
  bound!.stop();
  bound = (await import("../../src/forms/index.ts")).bindForm(form, { client });
  await reload();
  expect(find("[name=email]").value).toBe("ada@");
});

it("a page that is only hidden keeps it as well, while it is", async () => {
  type("email", "ada@");
  const state = vi.spyOn(Object.getPrototypeOf(document) as Document, "visibilityState", "get");
  state.mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
  expect(JSON.stringify({ ...sessionStorage })).toContain("ada@");
  state.mockReturnValue("visible");
  document.dispatchEvent(new Event("visibilitychange"));
  // A tab that is duplicated now has nothing of it.
  expect(sessionStorage.length).toBe(0);
});

it("a form that was not valid keeps its draft", async () => {
  type("email", "ada@");
  form.requestSubmit();
  await settled();
  await client.forms[0]!.answer({ errors: [{ field: "email", error: "no" }] });
  await reload();
  expect(find("[name=email]").value).toBe("ada@");
});

it("a reset drops the draft", async () => {
  type("email", "ada@");
  form.reset();
  expect(stored()).not.toContain("ada");
});

/** The browser sends the form: another page is loaded. */
async function sendNatively(): Promise<void> {
  const { prototype } = HTMLFormElement;
  vi.spyOn(prototype, "requestSubmit").mockImplementation(function (this: HTMLFormElement) {
    this.dispatchEvent(new SubmitEvent("submit", { cancelable: true, bubbles: true }));
  });
  type("email", "ada@");
  await submit();
  leave();
}

it.each([
  ["answered", "navigate", {}, ""],
  ["answered by a page that sends back to the form", "navigate", { url: "/edit" }, ""],
  ["answered after the browser failed and tried again", "reload", {}, ""],
  ["refused by the server", "navigate", { responseStatus: 422 }, "ada@"],
  ["lost by the server", "navigate", { responseStatus: 500 }, "ada@"],
])("a form that was sent, and %s: its draft", async (_, how, answer, left) => {
  await sendNatively();
  arrive(how, { url: "/done", ...answer });
  await add("", 'data-rhtmx-form="other"');
  // That one says nothing of the post any more.
  leave();
  arrive("navigate", { url: "/elsewhere" });
  await add("", 'data-rhtmx-form="other"');
  leave();
  arrive("back_forward");
  await add();
  expect(find("[name=email]").value).toBe(left);
});

it.each([
  [200, ""],
  [303, ""],
  [0, "ada@"],
  [422, "ada@"],
  [500, "ada@"],
])("a form that htmx posted, with the answer %s: its draft", async (status, left) => {
  let triggeringEvent: Event | undefined;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    triggeringEvent = event;
  });
  type("email", "ada@");
  await submit();
  const detail = { requestConfig: { triggeringEvent }, xhr: { status } };
  form.dispatchEvent(new CustomEvent("htmx:afterRequest", { detail }));
  await reload();
  expect(find("[name=email]").value).toBe(left);
});

it("what a script of the page has sent by itself is kept until it resets the form", async () => {
  form.addEventListener("submit", (event) => event.preventDefault());
  type("email", "ada@");
  await submit();
  await reload();
  expect(find("[name=email]").value).toBe("ada@");
  form.addEventListener("submit", (event) => event.preventDefault());
  await submit();
  form.reset();
  await reload();
  expect(find("[name=email]").value).toBe("");
});

it("a form that was sent from a page which was loaded again instead has its draft", async () => {
  await sendNatively();
  arrive("reload");
  await add();
  expect(find("[name=email]").value).toBe("ada@");
});

it("what was typed after it was sent has not gone", async () => {
  const { prototype } = HTMLFormElement;
  vi.spyOn(prototype, "requestSubmit").mockImplementation(function (this: HTMLFormElement) {
    this.dispatchEvent(new SubmitEvent("submit", { cancelable: true, bubbles: true }));
  });
  type("email", "ada@");
  await submit();
  type("message", "and one more thing");
  leave();
  arrive("navigate", { url: "/done" });
  await add("", 'data-rhtmx-form="other"');
  leave();
  arrive("back_forward");
  await add();
  expect(find("[name=message]").value).toBe("and one more thing");
});

it("a page without a form takes note of the answer, too", async () => {
  await sendNatively();
  arrive("navigate", { url: "/done" });
  const { start } = await import("../../src/htmx/index.ts");
  const script = document.createElement("script");
  script.dataset.manual = "";
  start(() => expect.unreachable(), script);
  expect(sessionStorage.length).toBe(0);
});

it.each([
  [true, ""],
  [false, "ada@"],
])("back from the browser's cache, arrived: %s", async (arrived, left) => {
  await sendNatively();
  if (arrived) sessionStorage.clear();
  window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  await reload();
  expect(find("[name=email]").value).toBe(left);
});

it.each([
  ["a password", '<input name="key" type="password">'],
  ["a password that the page shows", '<input name="password">'],
  ["a new password", '<input name="key" autocomplete="new-password">'],
  ["a number of a card", '<input name="key" autocomplete="section-pay cc-number">'],
  ["a code that is used once", '<input name="key" autocomplete="one-time-code">'],
  ["what the page asks not to remember", '<input name="key" autocomplete="off">'],
])("%s is not kept", async (_, control) => {
  await add(`${control}<input name="other">`, 'data-rhtmx-form="keys"');
  type("other", "kept");
  type(control.includes('"password">') && !control.includes("key") ? "password" : "key", "secret");
  const all = stored();
  expect(all).toContain("kept");
  expect(all).not.toContain("secret");
});

it("a password that a button of the page shows for a moment is not kept, nor one that is hidden later", async () => {
  await add(
    '<input name="key" type="password"><input name="pin"><input name="other">',
    'data-rhtmx-form="keys"',
  );
  find("[name=key]").type = "text";
  type("key", "secret");
  type("pin", "secret");
  type("other", "kept");
  find("[name=pin]").type = "password";
  const all = stored();
  expect(all).toContain("kept");
  expect(all).not.toContain("secret");
});

it("what is called off is nothing that must not be kept", async () => {
  await add('<input name="day-off">', 'data-rhtmx-form="keys"');
  type("day-off", "Friday");
  expect(stored()).toContain("Friday");
});

it("an element of the page's own may have what a list of choices has", async () => {
  await add('<x-list name="kind"></x-list><input name="other">', 'data-rhtmx-form="keys"');
  const list = Object.assign(form.querySelector("x-list")!, { options: [{}], value: "a" });
  vi.spyOn(Object.getPrototypeOf(form) as HTMLFormElement, "elements", "get").mockReturnValue([
    list,
    find("[name=other]"),
  ] as unknown as HTMLFormControlsCollection);
  const { bindForm } = await import("../../src/forms/index.ts");
  bound!.stop();
  bound = bindForm(form, { client });
  type("other", "kept");
  expect(stored()).toContain("kept");
});

it("what is hidden is not kept, neither with the form nor with a field of its name", async () => {
  await add(
    '<input type="hidden" name="a" value="secret"><input name="a">',
    'data-rhtmx-form="keys"',
  );
  const shown = form.querySelector<HTMLInputElement>("[name=a]:not([type])")!;
  shown.value = "kept";
  shown.dispatchEvent(trusted(new Event("input", { bubbles: true })));
  const all = stored();
  expect(all).toContain("kept");
  expect(all).not.toContain("secret");
});

it("a file is not kept", async () => {
  await add('<input type="file" name="photo"><input name="other">', 'data-rhtmx-form="keys"');
  type("other", "kept");
  choose("photo", new File([], "secret.png"));
  expect(stored()).toContain("kept");
  expect(JSON.stringify({ ...sessionStorage })).not.toContain("secret");
});

it("what is no value cannot be kept, nor takes the server's value away", async () => {
  Object.defineProperty(find("[name=phone]"), "validity", { value: { badInput: true } });
  type("phone", "");
  await reload();
  expect(find("[name=phone]").value).toBe("from the server");
});

it("nothing of a form that asks not to be remembered is kept", async () => {
  document.body.innerHTML = "";
  await add(INSIDE, `${FORM} autocomplete="off"`);
  type("email", "secret");
  expect(stored()).not.toContain("secret");
});

it("nothing is kept where the page does without drafts", async () => {
  const { bindForm } = await import("../../src/forms/index.ts");
  bound?.stop();
  bound = bindForm(page(INSIDE), { client, drafts: false });
  type("email", "secret");
  expect(stored()).not.toContain("secret");
});

it("a postal code is nothing that must not be kept", async () => {
  await add('<input name="profile" autocomplete="postal-code">', 'data-rhtmx-form="keys"');
  type("profile", "0150");
  expect(stored()).toContain("0150");
});

it("a storage that is full or forbidden does not break the form", async () => {
  vi.spyOn(globalThis, "sessionStorage", "get").mockImplementation(() => {
    throw new DOMException("forbidden", "SecurityError");
  });
  type("email", "ada@");
  await reload();
  type("email", "ada@");
  await vi.advanceTimersByTimeAsync(300);
  expect(client.asked()).toEqual(["email=ada@"]);
});

it("rubbish in the storage does not break the form", async () => {
  type("email", "ada@");
  leave();
  const [key] = Object.keys(sessionStorage);
  for (const rubbish of ["{", "null", "7", '["/",false,[["email",5]]]']) {
    sessionStorage.setItem(key!, rubbish);
    arrive("reload");
    await add();
    type("email", "a");
    await vi.advanceTimersByTimeAsync(300);
    expect(client.asked()).toContain("email=a");
    bound!.stop();
  }
});

it("keeps nothing of a field that the schema says is secret", async () => {
  leave();
  arrive("navigate");
  client.isSecret = (field) => field === "message";
  await add();
  type("email", "ada@example.com");
  type("message", "for nobody");
  const kept = stored();
  expect(kept).toContain("ada@example.com");
  expect(kept).not.toContain("for nobody");
});
