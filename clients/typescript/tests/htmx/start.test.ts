// @vitest-environment happy-dom
/** The script tag starts by itself where there is something to do. */
import { beforeEach, expect, it, vi } from "vitest";

import { start } from "../../src/htmx/index.ts";
import { PageFakeClient } from "./support.ts";

let clients: PageFakeClient[];
let urls: string[];
let connect: (url: string) => PageFakeClient;

function tag(attributes = ""): HTMLScriptElement {
  const template = document.createElement("template");
  template.innerHTML = `<script ${attributes}></script>`;
  return template.content.querySelector("script")!;
}

/** Lets observers of the page see what was done to it. */
const seen = () => new Promise<void>((resolve) => void setTimeout(resolve));

function loading(state: DocumentReadyState): void {
  vi.spyOn(Object.getPrototypeOf(document) as Document, "readyState", "get").mockReturnValue(state);
}

beforeEach(() => {
  vi.restoreAllMocks();
  document.body.innerHTML = "";
  // What an earlier test started, and the document still has, counts to that test.
  const own = { clients: [] as PageFakeClient[], urls: [] as string[] };
  ({ clients, urls } = own);
  connect = (url) => {
    own.urls.push(url);
    own.clients.push(new PageFakeClient());
    return own.clients.at(-1)!;
  };
});

it.each([
  '<form data-rhtmx-form="contact"></form>',
  '<p data-rhtmx-changes="tasks"></p>',
  '<ul hx-trigger="rhtmx:state from:body"></ul>',
  '<ul data-hx-trigger="load, rhtmx:tasks:changed"></ul>',
])("a page with %s is connected", (html) => {
  document.body.innerHTML = html;
  start(connect, tag());
  expect(urls).toEqual(["/api/ws"]);
});

it("the tag says where to", () => {
  document.body.innerHTML = '<p data-rhtmx-changes="tasks"></p>';
  start(connect, tag('data-url="wss://example.com/api/ws"'));
  expect(urls).toEqual(["wss://example.com/api/ws"]);
});

it("a page without anything to do is not connected, until something comes", async () => {
  document.body.innerHTML = '<ul hx-trigger="load, other:changed"></ul>';
  start(connect, tag());
  await seen();
  expect(urls).toEqual([]);
  document.body.insertAdjacentHTML("beforeend", '<p data-rhtmx-changes="tasks"></p>');
  await seen();
  document.body.insertAdjacentHTML("beforeend", '<p data-rhtmx-changes="users"></p>');
  await seen();
  expect(urls.length).toBe(1);
  expect(clients[0]!.watched()).toEqual(["tasks", "users"]);
});

it("it waits until the page has been read to its end", () => {
  loading("loading");
  document.body.innerHTML = '<form data-rhtmx-form="contact"></form>';
  start(connect, tag());
  expect(urls).toEqual([]);
  loading("interactive");
  document.dispatchEvent(new Event("DOMContentLoaded"));
  expect(urls.length).toBe(1);
});

it("with a deferred script it starts once", () => {
  loading("interactive");
  document.body.innerHTML = '<p data-rhtmx-changes="tasks"></p>';
  start(connect, tag("defer"));
  document.dispatchEvent(new Event("DOMContentLoaded"));
  expect(urls.length).toBe(1);
});

it("a page that connects by itself says so, and a module has no tag", () => {
  document.body.innerHTML = '<p data-rhtmx-changes="tasks"></p>';
  start(connect, tag("data-manual"));
  start(connect, null);
  expect(urls).toEqual([]);
});
