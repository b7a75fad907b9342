// @vitest-environment happy-dom
/** An element that shows a room is told who is there, and the page is there if it says so. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { RoomDetail } from "../../src/htmx/index.ts";
import { bindPage } from "../../src/htmx/index.ts";
import { PageFakeClient } from "./support.ts";

let client: PageFakeClient;
let stop: () => void = () => undefined;
const ADA = { id: "1", state: { name: "Ada" } };

function bind(html: string): void {
  document.body.innerHTML = html;
  stop = bindPage(client);
}

const first = () => document.querySelector<HTMLElement>("[data-rhtmx-room]")!;
const room = () => client.rooms.get("orders/7")!;
/** The observer has seen what was done to the page. */
const seen = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  client = new PageFakeClient();
});

afterEach(() => {
  stop();
  vi.restoreAllMocks();
});

it("who is there is an event on the element, which bubbles", () => {
  bind('<p data-rhtmx-room="orders/7"></p>');
  const heard: RoomDetail[] = [];
  document.body.addEventListener("rhtmx:room", (event) =>
    heard.push((event as CustomEvent).detail),
  );
  room().tell(ADA);
  expect(heard).toEqual([{ room: "orders/7", members: [ADA], me: undefined, error: undefined }]);
  expect(room().held.size).toBe(0);
});

it("a page that says who it is, is there until the element is gone", async () => {
  bind(`<p data-rhtmx-room="orders/7" data-rhtmx-member='{"name":"Ada"}'></p>`);
  expect([...room().held.values()]).toEqual([{ name: "Ada" }]);
  first().remove();
  await seen();
  expect([room().held.size, room().listeners.size]).toEqual([0, 0]);
});

it("an element that comes later, or says something else, is seen", async () => {
  bind("<p></p>");
  document.body.innerHTML = '<p data-rhtmx-room="orders/7" data-rhtmx-member="1"></p>';
  await seen();
  expect([...room().held.values()]).toEqual([1]);
  first().dataset.rhtmxMember = "2";
  await seen();
  expect([...room().held.values()]).toEqual([2]);
  first().dataset.rhtmxRoom = "orders/8";
  await seen();
  expect([room().held.size, client.rooms.get("orders/8")!.held.size]).toEqual([0, 1]);
});

it("a page that is there in other words has not left in between", async () => {
  bind('<p data-rhtmx-room="orders/7" data-rhtmx-member="1"></p>');
  first().dataset.rhtmxMember = "2";
  await seen();
  expect([...room().held.values()]).toEqual([2]);
  expect(room().wasLeft).toBe(false);
  delete first().dataset.rhtmxMember;
  await seen();
  expect(room().wasLeft).toBe(true);
});

it("the end of the binding is the end of it", () => {
  bind('<p data-rhtmx-room="orders/7" data-rhtmx-member="1"></p>');
  stop();
  expect([room().held.size, room().listeners.size]).toEqual([0, 0]);
});

it("a name that is none, or no JSON, is reported and harms nothing else", () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
  bind(`<p data-rhtmx-room="orders"></p><p data-rhtmx-room="orders/8" data-rhtmx-member="{"></p>
    <p data-rhtmx-room="orders/7"></p>`);
  expect(error).toHaveBeenCalledTimes(2);
  expect(room().listeners.size).toBe(1);
});
