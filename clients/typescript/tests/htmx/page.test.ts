// @vitest-environment happy-dom
/** What a page asks for is found, watched and told, by one event for a burst. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { inc } from "../../src/core/operations.ts";
import { RhtmxError } from "../../src/errors.ts";
import { bindPage } from "../../src/htmx/index.ts";
import { find, type } from "../forms/support.ts";
import { change, PageFakeClient } from "./support.ts";

let client: PageFakeClient;
let stop: () => void = () => undefined;

/** What the body told of an event, in order. */
function listen(name: string): unknown[] {
  const seen: unknown[] = [];
  document.body.addEventListener(name, (event) => seen.push((event as CustomEvent).detail));
  return seen;
}

function bind(html: string): void {
  document.body.innerHTML = html;
  stop = bindPage(client);
}

beforeEach(() => {
  vi.useFakeTimers();
  client = new PageFakeClient();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("entities are found in triggers and in lists of names", () => {
  bind(`
    <ul hx-trigger="load, rhtmx:tasks:changed from:body delay:1s,rhtmx:users:changed[detail.id]"></ul>
    <ul data-hx-trigger="rhtmx:of:colons:changed from:body"></ul>
    <ul hx-trigger="rhtmx:state from:body"></ul>
    <p data-rhtmx-changes=" posts  tasks "></p>`);
  expect(client.watched()).toEqual(["of:colons", "posts", "tasks", "users"]);
});

it("a change is an event on the body, from where it bubbles", async () => {
  bind('<p data-rhtmx-changes="tasks"></p>');
  const seen = listen("rhtmx:tasks:changed");
  const onWindow = vi.fn();
  window.addEventListener("rhtmx:tasks:changed", onWindow);
  client.change("tasks", change("7", 3));
  await vi.advanceTimersByTimeAsync(50);
  expect(seen).toEqual([{ ...change("7", 3), count: 1, ids: ["7"] }]);
  expect(onWindow).toHaveBeenCalledOnce();
});

it("a burst is one event with the newest change, their number and the records", async () => {
  bind('<p data-rhtmx-changes="tasks"></p>');
  const seen = listen("rhtmx:tasks:changed");
  for (let version = 1; version <= 1000; version++) {
    client.change("tasks", change(`${version % 2}`, version));
  }
  await vi.advanceTimersByTimeAsync(50);
  expect(seen).toEqual([{ ...change("0", 1000), count: 1000, ids: ["1", "0"] }]);
  client.change("tasks", change("0", 1001));
  await vi.advanceTimersByTimeAsync(50);
  expect(seen.length).toBe(2);
});

it("when something may have been missed the event says nothing else", async () => {
  bind('<p data-rhtmx-changes="tasks"></p>');
  const seen = listen("rhtmx:tasks:changed");
  client.change("tasks", null);
  client.change("tasks", change("7", 3));
  await vi.advanceTimersByTimeAsync(50);
  expect(seen).toEqual([{}]);
});

it("an element whose own trigger names an event gets one that does not bubble", async () => {
  bind(
    '<div><ul hx-trigger="rhtmx:tasks:changed"></ul></div><ol hx-trigger="rhtmx:users:changed"></ol>',
  );
  const [onList, onParent, onOther] = [vi.fn(), vi.fn(), vi.fn()];
  find("ul").addEventListener("rhtmx:tasks:changed", onList);
  find("div").addEventListener("rhtmx:tasks:changed", onParent);
  find("ol").addEventListener("rhtmx:tasks:changed", onOther);
  client.change("tasks", change("7", 3));
  await vi.advanceTimersByTimeAsync(50);
  expect([onList, onParent, onOther].map((each) => each.mock.calls.length)).toEqual([1, 0, 0]);
});

it("what comes into the page is watched, what leaves it no longer", async () => {
  bind('<p data-rhtmx-changes="tasks"></p>');
  document.body.insertAdjacentHTML(
    "beforeend",
    '<b><ul hx-trigger="rhtmx:users:changed"></ul></b>',
  );
  await vi.advanceTimersByTimeAsync(0);
  expect(client.watched()).toEqual(["tasks", "users"]);
  find("p").remove();
  await vi.advanceTimersByTimeAsync(0);
  expect(client.watched()).toEqual(["users"]);
  find("ul").setAttribute("hx-trigger", "rhtmx:posts:changed");
  await vi.advanceTimersByTimeAsync(0);
  expect(client.watched()).toEqual(["posts"]);
});

it("an entity that two elements ask for is watched once, until both are gone", async () => {
  bind('<p data-rhtmx-changes="tasks"></p><ul hx-trigger="rhtmx:tasks:changed"></ul>');
  expect(client.watches).toBe(1);
  find("p").remove();
  await vi.advanceTimersByTimeAsync(0);
  expect(client.watched()).toEqual(["tasks"]);
  expect(client.watches).toBe(1);
});

it("each state of the connection is an event", () => {
  bind("");
  const seen = listen("rhtmx:state");
  client.becomes("waiting");
  client.becomes("open");
  expect(seen).toEqual([{ state: "waiting" }, { state: "open" }]);
});

it("forms are bound as they come, and left alone when they go", async () => {
  bind('<form data-rhtmx-form="contact"><input name="email"></form>');
  document.body.insertAdjacentHTML(
    "beforeend",
    '<form data-rhtmx-form="b"><input name="b"></form>',
  );
  await vi.advanceTimersByTimeAsync(0);
  type("b", "x");
  await vi.advanceTimersByTimeAsync(300);
  expect(client.asked()).toEqual(["b=x"]);
  expect(client.listeners.size).toBe(3);
  document.body.innerHTML = "";
  await vi.advanceTimersByTimeAsync(0);
  expect(client.listeners.size).toBe(1);
});

it("after the end nothing is watched, bound or told", async () => {
  bind(
    '<p data-rhtmx-changes="tasks"></p><form data-rhtmx-form="contact"><input name="email"></form>',
  );
  const seen = listen("rhtmx:state");
  stop();
  expect(client.watched()).toEqual([]);
  client.becomes("waiting");
  document.body.insertAdjacentHTML("beforeend", '<p data-rhtmx-changes="users"></p>');
  await vi.advanceTimersByTimeAsync(0);
  expect([client.watched(), client.listeners.size, seen]).toEqual([[], 0, []]);
});

it("parts are found where they are named, each by itself, with texts and other values", () => {
  bind(`
    <ul data-rhtmx-watch="orders?customer=7 orders?customer=8&open:=true users" data-rhtmx-changes="a?b"></ul>
    <ol data-rhtmx-watch="orders?customer=7&customer=8%26&amount:=1&valueOf=7"></ol>`);
  expect(client.watched()).toEqual([
    "a?b",
    'orders {"customer":"7"}',
    'orders {"customer":"8","open":true}',
    'orders {"customer":["7","8&"],"amount":1,"valueOf":"7"}',
    "users",
  ]);
});

it("a trigger within an element that watches parts of its entity asks for no more than these", () => {
  bind(`
    <div data-rhtmx-watch="orders?customer=7">
      <ul hx-trigger="rhtmx:orders:changed, rhtmx:users:changed"></ul>
    </div>`);
  expect(client.watched()).toEqual(['orders {"customer":"7"}', "users"]);
});

it("a change of a part is an event of its entity that says which, on the body and where it is watched", async () => {
  bind(`
    <ul data-rhtmx-watch="orders?customer=7" hx-trigger="rhtmx:orders:changed"></ul>
    <ol data-rhtmx-watch="orders?customer=8" hx-trigger="rhtmx:orders:changed"></ol>
    <p hx-trigger="rhtmx:orders:changed"></p>`);
  const seen = listen("rhtmx:orders:changed");
  const on = (name: string) => {
    const heard = vi.fn();
    find(name).addEventListener("rhtmx:orders:changed", heard);
    return heard;
  };
  const all = ["ul", "ol", "p"].map(on);
  const calls = () => all.map((each) => each.mock.calls.length);
  client.change('orders {"customer":"7"}', change("1", 3));
  await vi.advanceTimersByTimeAsync(50);
  expect(seen).toEqual([{ ...change("1", 3), count: 1, ids: ["1"], where: { customer: "7" } }]);
  expect(calls()).toEqual([1, 0, 0]);
  client.change('orders {"customer":"8"}', null);
  await vi.advanceTimersByTimeAsync(50);
  expect(seen.at(-1)).toEqual({ where: { customer: "8" } });
  client.change("orders", change("1", 4));
  await vi.advanceTimersByTimeAsync(50);
  expect(seen.at(-1)).toEqual({ ...change("1", 4), count: 1, ids: ["1"] });
  expect(calls()).toEqual([1, 1, 1]);
});

it("a part that is named anew is watched, and the one before let go", async () => {
  bind('<ul data-rhtmx-watch="orders?customer=7"></ul>');
  find("ul").dataset.rhtmxWatch = "orders?customer=8";
  await vi.advanceTimersByTimeAsync(0);
  expect(client.watched()).toEqual(['orders {"customer":"8"}']);
});

it("a click on an element that counts adds to its field, and does nothing else", () => {
  bind(`
    <form>
      <button data-rhtmx-inc="tasks/7/votes"><b>+</b></button>
      <button data-rhtmx-inc="tasks/7/votes:-1">-</button>
      <a href="/plain" data-rhtmx-inc='prices/a/b:c/sum:"-0.50"'>less</a>
    </form>`);
  const clicks = ["b", "button + button", "a"].map((each) => {
    const click = new MouseEvent("click", { bubbles: true, cancelable: true });
    find(each).dispatchEvent(click);
    return click.defaultPrevented;
  });
  expect(clicks).toEqual([true, true, true]);
  expect(client.pushed).toEqual([
    ["tasks", "7", { votes: inc(1) }],
    ["tasks", "7", { votes: inc(-1) }],
    ["prices", "a/b:c", { sum: inc("-0.50") }],
  ]);
});

it.each([
  ["tasks/votes", "data-rhtmx-inc: not entity/record/field"],
  ["tasks/7/votes:0.5", "increment: not an integer"],
])("a click on what counts nothing, %s, is told on the element", async (text, words) => {
  bind(`<button data-rhtmx-inc="${text}">+</button><i></i>`);
  vi.spyOn(console, "error").mockReturnValue();
  const seen = listen("rhtmx:rejected");
  find("i").click();
  find("button").click();
  await vi.advanceTimersByTimeAsync(0);
  expect(seen).toMatchObject([{ error: { code: "bad_message" } }]);
  expect(String((seen[0] as { error: Error }).error)).toContain(words);
});

it("what names no field stands at the record, and on the console", async () => {
  bind(`<button data-rhtmx-inc="tasks/7/votes">+</button> <p data-rhtmx-error="tasks/7"></p>`);
  const logged = vi.spyOn(console, "error").mockReturnValue();
  client.refusal = new RhtmxError("forbidden", "you may not write this");
  find("button").click();
  await vi.advanceTimersByTimeAsync(0);
  expect(find("p").textContent).toBe("you may not write this");
  expect(logged.mock.calls).toEqual([[client.refusal]]);
});

it("a count that is rejected is told on the element, and a page that was let go counts no more", async () => {
  bind('<button data-rhtmx-inc="tasks/7/votes">+</button>');
  vi.spyOn(console, "error").mockReturnValue();
  client.refusal = new Error("no");
  const seen = listen("rhtmx:rejected");
  find("button").click();
  await vi.advanceTimersByTimeAsync(0);
  expect(seen).toEqual([{ error: client.refusal }]);
  client.refusal = undefined;
  stop();
  find("button").click();
  expect(client.pushed).toEqual([]);
});

it("what a check finds wrong with a count stands at the field, as text, until the next click", async () => {
  bind(`
    <button data-rhtmx-inc="tasks/7/votes">+</button>
    <p data-rhtmx-error="tasks/7/votes"></p> <p data-rhtmx-error="tasks/7"></p>
    <p data-rhtmx-error="tasks/77/votes">theirs</p> <p data-rhtmx-error="votes">a form's</p>`);
  const violations = [
    { field: "votes", code: "", message: "<b>enough</b>" },
    { field: "", code: "", message: "is closed" },
  ];
  client.refusal = new RhtmxError("invalid_data", "no", { details: { violations } });
  const places = () => [...document.querySelectorAll("p")].map((each) => each.textContent);
  find("button").click();
  await vi.advanceTimersByTimeAsync(0);
  expect(places()).toEqual(["<b>enough</b>", "is closed", "theirs", "a form's"]);
  expect(find("p").getAttribute("aria-live")).toBe("polite");
  client.refusal = undefined;
  find("button").click();
  expect(places()).toEqual(["", "", "theirs", "a form's"]);
});

it("what a check finds wrong with a count stands in a place that comes later, too, until the next click", async () => {
  bind('<button data-rhtmx-inc="tasks/7/votes">+</button><div></div>');
  const violations = [{ field: "votes", code: "", message: "enough" }];
  client.refusal = new RhtmxError("invalid_data", "no", { details: { violations } });
  const swap = async () => {
    find("div").innerHTML = '<p data-rhtmx-error="tasks/7/votes"></p>';
    await vi.advanceTimersByTimeAsync(0);
  };
  find("button").click();
  await vi.advanceTimersByTimeAsync(0);
  for (const _ of [1, 2]) {
    await swap();
    expect(find("p").textContent).toBe("enough");
  }
  client.refusal = undefined;
  find("button").click();
  expect(find("p").textContent).toBe("");
  await swap();
  expect(find("p").textContent).toBe("");
});
