// @vitest-environment happy-dom
/** Submission waits for the answer about the whole form, and happens once. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BoundForm, ValidationDetail } from "../../src/forms/index.ts";
import { bindForm } from "../../src/forms/index.ts";
import {
  becomesBad,
  described,
  FakeClient,
  find,
  page,
  settled,
  trusted,
  type,
  whole,
} from "./support.ts";

const INSIDE = `
  <input type="hidden" name="token" value="t">
  <input name="email" value="a@b.c"> <input name="phone">
  <button id="send" name="how" value="send">Send</button>
  <button id="save" formnovalidate>Save for later</button>`;

let client: FakeClient;
let form: HTMLFormElement;
let bound: BoundForm;
/** The submissions that the page saw, by their buttons. */
let sent: (string | undefined)[];

function click(id = "send"): void {
  const event = { bubbles: true, cancelable: true, submitter: find(`#${id}`) };
  form.dispatchEvent(new SubmitEvent("submit", event));
}

/** Another form, that the browser itself sends: the page has no script for it. */
function bindNative(attributes?: string): void {
  bound.stop();
  form = page(INSIDE, attributes);
  bound = bindForm(form, { client });
  // happy-dom would load another page.
  vi.spyOn(HTMLFormElement.prototype, "requestSubmit").mockImplementation(function (
    this: HTMLFormElement,
    submitter,
  ) {
    this.dispatchEvent(
      new SubmitEvent("submit", { cancelable: true, submitter: submitter ?? null }),
    );
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
  client = new FakeClient();
  form = page(INSIDE);
  sent = [];
  // As a page does that loads no other: it sends by itself. Before it is bound, on purpose.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sent.push(event.submitter?.id);
  });
  bound = bindForm(form, { client });
});

afterEach(() => {
  vi.restoreAllMocks();
  bound.stop();
  vi.useRealTimers();
});

it("the page sees no submission before the form was found valid, then it sees it once, with its button", async () => {
  click();
  await settled();
  expect(sent).toEqual([]);
  expect(form.dataset.rhtmxState).toBe("checking");
  expect(client.forms[0]!.values).toEqual({ token: "t", email: "a@b.c", phone: "", how: "send" });
  await client.forms[0]!.answer({});
  expect(sent).toEqual(["send"]);
  expect(form.dataset.rhtmxState).toBe("valid");
});

it("a form that is not valid shows all errors, goes to the first and is not sent", async () => {
  click();
  const errors = [
    { field: "phone", error: "is required" },
    { field: "email", error: "is taken" },
    { field: "", error: "Come back tomorrow." },
    { field: "age", error: "is required" },
  ];
  await client.forms[0]!.answer({ errors });
  expect(sent).toEqual([]);
  expect(form.dataset.rhtmxState).toBe("invalid");
  expect(described("email")).toBe("is taken");
  expect(described("phone")).toBe("is required");
  expect(document.activeElement).toBe(find("[name=email]"));
  expect(whole()).toBe("Come back tomorrow. age is required");
});

it("of several errors of one field the first is shown, whoever says them", async () => {
  bound = bindForm(form, { client });
  const errors = ["is too short", "has no digit"].map((error) => ({ field: "phone", error }));
  const validation = bound.validate();
  await client.forms[0]!.answer({ errors });
  expect(await validation).toBe(false);
  expect(described("phone")).toBe("is too short");
  bound.reject({
    message: "",
    violations: errors.map((each) => ({ ...each, message: each.error })),
  } as never);
  expect(described("phone")).toBe("is too short");
});

it("after that the next attempt asks again, and goes on", async () => {
  click();
  await client.forms[0]!.answer({ errors: [{ field: "phone", error: "is required" }] });
  type("phone", "1");
  click();
  await client.forms[1]!.answer({});
  expect(described("phone")).toBe("");
  expect(sent).toEqual(["send"]);
});

it("a double click sends once, whether the answer is slow or quick", async () => {
  click();
  click();
  expect(client.forms.length).toBe(1);
  await client.forms[0]!.answer({});
  click();
  await settled();
  expect(client.forms.length).toBe(1);
  expect(sent).toEqual(["send"]);
});

it("a second click that is meant sends again", async () => {
  click();
  await client.forms[0]!.answer({});
  await vi.advanceTimersByTimeAsync(501);
  click();
  await client.forms[1]!.answer({});
  expect(sent).toEqual(["send", "send"]);
});

it("whoever writes on at once may send again at once", async () => {
  click();
  await client.forms[0]!.answer({});
  type("phone", "2");
  click();
  await client.forms[1]!.answer({});
  expect(sent).toEqual(["send", "send"]);
});

it("without a connection it waits and says so, and goes on when there is one", async () => {
  client.state = "waiting";
  click();
  await settled();
  expect(form.dataset.rhtmxState).toBe("waiting");
  expect(whole()).toBe("Waiting for the connection…");
  client.becomes("offline");
  expect(form.dataset.rhtmxState).toBe("waiting");
  client.becomes("open");
  expect(form.dataset.rhtmxState).toBe("checking");
  expect(whole()).toBe("");
  await client.forms[0]!.answer({});
  expect(sent).toEqual(["send"]);
});

it("the words for waiting may be the page's own", async () => {
  form.dataset.rhtmxWaiting = "Warte auf die Verbindung …";
  client.state = "offline";
  click();
  expect(whole()).toBe("Warte auf die Verbindung …");
});

it("whoever writes on while it waits has not sent: half a sentence must not go", async () => {
  client.state = "waiting";
  click();
  type("phone", "1");
  expect(form.dataset.rhtmxState).toBe("idle");
  await client.forms[0]!.answer({});
  expect(sent).toEqual([]);
  click();
  await client.forms[1]!.answer({});
  expect(sent).toEqual(["send"]);
});

it("nor has whoever writes on in an editor of the page's own", async () => {
  form.insertAdjacentHTML("beforeend", "<div contenteditable></div>");
  client.state = "waiting";
  click();
  find("[contenteditable]").dispatchEvent(new InputEvent("input", { bubbles: true }));
  await client.forms[0]!.answer({});
  expect(sent).toEqual([]);
  expect(form.dataset.rhtmxState).toBe("idle");
});

it("what a script changed meanwhile is asked about before it goes", async () => {
  click();
  find("[name=phone]").value = "changed";
  await client.forms[0]!.answer({});
  expect(sent).toEqual([]);
  expect(client.forms[1]!.values.phone).toBe("changed");
  await client.forms[1]!.answer({});
  expect(sent).toEqual(["send"]);
});

it("an answer about a field that comes after the click does not hide that about the form", async () => {
  type("email", "x");
  const answer = bound.check("email");
  click();
  await client.forms[0]!.answer({ errors: [{ field: "email", error: "is taken" }] });
  await client.fields[0]!.answer({});
  expect(await answer).toBeUndefined();
  expect(described("email")).toBe("is taken");
});

it("what could not be asked is told, and may be tried again", async () => {
  click();
  await client.forms[0]!.refuse(new Error("no form 'contact' is registered here"));
  expect(whole()).toBe("no form 'contact' is registered here");
  expect(form.dataset.rhtmxState).toBe("invalid");
  click();
  await client.forms[1]!.answer({});
  expect(sent).toEqual(["send"]);
});

it.each([
  ["button", "#send"],
  ["image", "#image"],
  ["button that htmx posts by", "#posts"],
])("going from a field to the %s asks nothing that could move it away", (_, selector) => {
  form.insertAdjacentHTML(
    "beforeend",
    '<input id="image" type="image"><a id="posts" hx-post="/"></a>',
  );
  type("email", "a");
  const relatedTarget = find(selector);
  // As a browser does, with a text that was typed.
  find("[name=email]").dispatchEvent(trusted(new Event("change", { bubbles: true })));
  find("[name=email]").dispatchEvent(new FocusEvent("focusout", { bubbles: true, relatedTarget }));
  expect(client.asked()).toEqual([]);
  find("[name=email]").dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  expect(client.asked()).toEqual(["email=a"]);
});

it("a button with formnovalidate sends at once", () => {
  click("save");
  expect(sent).toEqual(["save"]);
  expect(client.forms).toEqual([]);
});

it("a button that was taken away meanwhile does not keep the form from going", async () => {
  click();
  find("#send").remove();
  await client.forms[0]!.answer({});
  // Without it the form is another one.
  expect(client.forms[1]!.values.how).toBeUndefined();
  await client.forms[1]!.answer({});
  expect(sent.length).toBe(1);
});

it("a button that submits nothing any more does not keep the form from going, nor the next from being asked about", async () => {
  click();
  find("#send").setAttribute("type", "button");
  await client.forms[0]!.answer({});
  await client.forms[1]!.answer({});
  expect(sent.length).toBe(1);
  type("phone", "1");
  form.requestSubmit();
  expect(sent.length).toBe(1);
  expect(client.forms.length).toBe(3);
});

it("a button that closes a dialog sends nothing: the page sees it at once", () => {
  find("#send").setAttribute("formmethod", "dialog");
  click("send");
  expect(sent).toEqual(["send"]);
  expect(client.forms).toEqual([]);
});

it.each([
  ["takes a submission back that waits", "dialog", ["idle", 0]],
  ["was closed before it was asked leaves it alone", "dialog[open]", ["valid", 1]],
])("a dialog that %s", async (_, selector, after) => {
  document.body.innerHTML = '<dialog open><dialog id="other"></dialog></dialog>';
  document.body.firstElementChild!.append(form);
  if (selector !== "dialog") find("dialog").removeAttribute("open");
  click();
  for (const each of document.querySelectorAll("dialog")) {
    if (each.id !== "other" || selector !== "dialog") each.dispatchEvent(new Event("close"));
  }
  await client.forms[0]!.answer({});
  expect([form.dataset.rhtmxState, sent.length]).toEqual(after);
});

it("of several wrong controls the first that takes the focus has it", async () => {
  form.insertAdjacentHTML("afterbegin", '<input type="hidden" name="phone" value="no">');
  // happy-dom gives the focus to what is hidden.
  vi.spyOn(find("[name=phone]"), "focus").mockReturnValue();
  click();
  await client.forms[0]!.answer({ errors: [{ field: "phone", error: "is wrong" }] });
  expect(document.activeElement).toBe(find("[name=phone]:not([type])"));
});

it("of two buttons the last that was pressed counts", async () => {
  find("#save").removeAttribute("formnovalidate");
  click("send");
  click("save");
  await client.forms[0]!.answer({});
  expect(sent).toEqual([]);
  expect(client.forms[1]!.values.how).toBeUndefined();
  await client.forms[1]!.answer({});
  expect(sent).toEqual(["save"]);
});

it("values that are others each time they are looked at are not asked about for ever", async () => {
  find("[name=token]").setAttribute("name", "time");
  const time = vi.spyOn(find("[name=time]"), "value", "get");
  let now = 0;
  time.mockImplementation(() => `${++now}`);
  click();
  for (let asked = 0; asked < client.forms.length; asked++) await client.forms[asked]!.answer({});
  expect(client.forms.length).toBe(4);
  expect(sent).toEqual(["send"]);
});

it("a form in which something is no value is not asked about, nor sent, and the first has the focus", async () => {
  becomesBad("phone");
  click();
  await settled();
  expect(client.forms).toEqual([]);
  expect(sent).toEqual([]);
  expect(form.dataset.rhtmxState).toBe("invalid");
  expect(described("phone")).toBe("Please enter a number.");
  expect(document.activeElement).toBe(find("[name=phone]"));
  find("[name=phone]").disabled = true;
  click();
  await client.forms[0]!.answer({});
  expect(sent).toEqual(["send"]);
});

it("while a page is loading for it, another attempt is refused in words; who edits may send", async () => {
  bindNative();
  const submitted = vi.fn();
  form.addEventListener("submit", submitted);
  click();
  await client.forms[0]!.answer({});
  await vi.advanceTimersByTimeAsync(9_000);
  click();
  expect(client.forms.length).toBe(1);
  expect(whole()).toBe("Is being sent…");
  form.dataset.rhtmxSending = "Wird gesendet …";
  click();
  expect(whole()).toBe("Wird gesendet …");
  // What came was a download, perhaps.
  await vi.advanceTimersByTimeAsync(1_001);
  click();
  await client.forms[1]!.answer({});
  expect(submitted).toHaveBeenCalledTimes(2);
  type("phone", "1");
  click();
  await client.forms[2]!.answer({});
  expect(submitted).toHaveBeenCalledTimes(3);
});

it.each([
  ["another window", 'target="_blank"'],
  ["a script", 'method="dialog"'],
])("a form that is sent to %s may be sent again: this page stays", async (_, attribute) => {
  bindNative(`data-rhtmx-form="contact" ${attribute}`);
  click();
  await client.forms[0]!.answer({});
  await vi.advanceTimersByTimeAsync(501);
  click();
  expect(client.forms.length).toBe(2);
  expect(whole()).toBe("");
});

/** What htmx tells of a request that came from an event, in each version. */
const HTMX = {
  2: {
    begun: (triggeringEvent: Event) =>
      new CustomEvent("htmx:beforeSend", { detail: { requestConfig: { triggeringEvent } } }),
    over: (triggeringEvent: Event, status: number) =>
      new CustomEvent("htmx:afterRequest", {
        detail: { requestConfig: { triggeringEvent }, xhr: { status } },
      }),
  },
  4: {
    begun: (sourceEvent: Event) =>
      new CustomEvent("htmx:before:request", { detail: { ctx: { sourceEvent } } }),
    over: (sourceEvent: Event, status: number) =>
      new CustomEvent("htmx:finally:request", {
        detail: { ctx: { sourceEvent, response: { status } } },
      }),
  },
};

describe.each([2, 4] as const)("while htmx %s posts it", (version) => {
  const { begun, over } = HTMX[version];
  let cause: Event;

  beforeEach(async () => {
    form.addEventListener("submit", (event) => (cause = event));
    click();
    await client.forms[0]!.answer({});
    form.dispatchEvent(begun(cause));
    await vi.advanceTimersByTimeAsync(60_000);
  });

  it("another attempt is refused in words, until it is over", async () => {
    click();
    expect(client.forms.length).toBe(1);
    expect(whole()).toBe("Is being sent…");
    // Where its form is in no page any more, version 4 tells the document.
    (version === 4 ? document : form).dispatchEvent(over(cause, 0));
    expect(whole()).toBe("");
    click();
    expect(client.forms.length).toBe(2);
  });

  it("other requests of the page say nothing about it", () => {
    form.dispatchEvent(over(new Event("keyup"), 200));
    form.dispatchEvent(new CustomEvent("htmx:afterRequest", { detail: {} }));
    click();
    expect(client.forms.length).toBe(1);
  });

  it("what is over says nothing to whoever has edited it since", () => {
    click();
    type("phone", "2");
    form.dispatchEvent(over(cause, 200));
    expect(form.dataset.rhtmxState).toBe("idle");
  });

  it("whoever edits it may send that", async () => {
    type("phone", "2");
    click();
    await client.forms[1]!.answer({});
    expect(sent).toEqual(["send", "send"]);
  });
});

describe("a button that htmx posts the form by", () => {
  let posted: number;

  beforeEach(() => {
    form.insertAdjacentHTML(
      "beforeend",
      `<button id="post" name="how" value="post" hx-post="/save"><b>Post</b></button>
      <button id="row" type="button" formnovalidate data-hx-post="/row">Row</button>
      <button id="list" type="button" hx-get="/list">List</button>
      <input id="field" hx-post="/field">`,
    );
    form.noValidate = true;
    posted = 0;
    form.addEventListener("click", (event) => {
      event.preventDefault();
      posted += 1;
    });
  });

  it("is held until the form was found valid, and then clicked as it was", async () => {
    find("b").click();
    expect(client.forms[0]!.values.how).toBe("post");
    await client.forms[0]!.answer({ errors: [{ field: "phone", error: "is required" }] });
    expect(posted).toBe(0);
    find("b").click();
    find("b").click();
    await client.forms[1]!.answer({});
    expect([posted, client.forms.length]).toEqual([1, 2]);
  });

  it("says if it is no submission; what sends no values, or is no button, is none", () => {
    for (const id of ["row", "list", "field"]) find(`#${id}`).click();
    expect([posted, client.forms.length]).toEqual([3, 0]);
  });

  it("comes after the browser's own checks, as a submission does", async () => {
    form.noValidate = false;
    find("[name=phone]").required = true;
    find("b").click();
    expect([posted, client.forms.length]).toEqual([0, 0]);
    type("phone", "1");
    find("b").click();
    expect(client.forms.length).toBe(1);
  });
});

it.each([
  ["hx-trigger", "change, keyup delay:1s", 1],
  ["data-hx-trigger", "load", 1],
  ["hx-trigger", "submit, keyup", 0],
  ["hx-other", "", 0],
])("of what %s='%s' posts without a check a developer is told", (attribute, trigger, warnings) => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  bound.stop();
  form = page(INSIDE, `data-rhtmx-form="contact" hx-post="/save" ${attribute}="${trigger}"`);
  bound = bindForm(form, { client });
  expect(warn).toHaveBeenCalledTimes(warnings);
});

it("back from the browser's cache it may be sent again at once", async () => {
  bindNative();
  click();
  await client.forms[0]!.answer({});
  window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  expect(form.dataset.rhtmxState).toBe("idle");
  click();
  expect(client.forms.length).toBe(2);
});

it("a submission that a script asks for waits like any other", async () => {
  form.requestSubmit();
  await settled();
  expect(sent).toEqual([]);
  await client.forms[0]!.answer({});
  expect(sent.length).toBe(1);
});

it("a script may ask about the form without sending it; two at a time are one question", async () => {
  const both = [bound.validate(), bound.validate()];
  expect(client.forms.length).toBe(1);
  await client.forms[0]!.answer({ errors: [{ field: "phone", error: "is required" }] });
  expect(await Promise.all(both)).toEqual([false, false]);
  expect(sent).toEqual([]);
});

it("the answer about the form is an event for each field and one for the whole, and they bubble", async () => {
  const seen: ValidationDetail[] = [];
  const take = (event: Event) => seen.push((event as CustomEvent<ValidationDetail>).detail);
  document.addEventListener("rhtmx:validation", take);
  click();
  const errors = [
    { field: "phone", error: "is required" },
    { field: "", error: "Too late." },
  ];
  await client.forms[0]!.answer({ errors });
  document.removeEventListener("rhtmx:validation", take);
  const told = new Map(seen.map((each) => [each.field, each]));
  expect(seen.length).toBe(told.size);
  const answer = { form: "contact", metadata: null };
  expect(told.get("phone")).toEqual({
    ...answer,
    field: "phone",
    valid: false,
    error: "is required",
  });
  expect(told.get("email")).toEqual({ ...answer, field: "email", valid: true, error: "" });
  expect(seen.at(-1)).toEqual({ ...answer, field: "", valid: false, error: "Too late." });
});

it("a form that was left alone is sent as it is", async () => {
  bound.stop();
  click();
  expect(sent).toEqual(["send"]);
  expect(client.forms).toEqual([]);
});

it("words that the server wrote into the page stay until the user writes", () => {
  bound.stop();
  form = page(`${INSIDE}<p data-rhtmx-error="">Your session has ended.</p>`);
  bound = bindForm(form, { client });
  expect(form.dataset.rhtmxState).toBe("idle");
  expect(whole()).toBe("Your session has ended.");
  type("phone", "1");
  expect(whole()).toBe("");
});
