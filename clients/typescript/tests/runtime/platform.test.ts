import { afterEach, describe, expect, it, vi } from "vitest";

import {
  askPlainly,
  globalWebSocket,
  lacking,
  pause,
  randomId,
  watchPage,
  webSocketUrl,
} from "../../src/runtime/platform.ts";
import { refusal } from "../support/refusal.ts";

afterEach(() => void vi.unstubAllGlobals());

describe("a URL", () => {
  it.each([
    ["ws://localhost:3000/api/ws", "ws://localhost:3000/api/ws"],
    ["https://example.com/api/ws", "wss://example.com/api/ws"],
    ["http://example.com/api/ws?x=1", "ws://example.com/api/ws?x=1"],
  ])("%s is %s", (given, absolute) => {
    expect(webSocketUrl(given)).toBe(absolute);
  });

  it("may be relative in a page", () => {
    vi.stubGlobal("location", { href: "https://example.com/tasks/7" });
    expect(webSocketUrl("/api/ws")).toBe("wss://example.com/api/ws");
  });

  it.each(["::", "http://", "ws://x:y/", "127.0.0.1:3000/api/ws"])(
    "that is none is refused in words: %s",
    (given) => {
      expect(refusal(() => webSocketUrl(given)).message).toContain(`'${given}' is no URL`);
    },
  );
});

describe("a connection", () => {
  it.each(["/api/ws", "./ws", "../api/ws", "api/ws", ""])(
    "is lacking where %s is relative to no page",
    (given) => {
      expect(lacking(webSocketUrl(given), class {})).toMatchObject({
        code: "not_supported",
        message: expect.stringContaining("give the whole URL"),
      });
    },
  );

  it("is lacking without a WebSocket, and the user is told to pass one", () => {
    expect(lacking("ws://x/api/ws", undefined)).toMatchObject({
      code: "not_supported",
      message: expect.stringContaining("pass that of npm's ws as {WebSocket}"),
    });
  });

  it("is not lacking with both, in a page and elsewhere", () => {
    expect(lacking(webSocketUrl("ws://x/api/ws"), class {})).toBeUndefined();
    vi.stubGlobal("location", { href: "https://example.com/tasks/7" });
    expect(lacking(webSocketUrl("/api/ws"), class {})).toBeUndefined();
  });
});

it("there is no WebSocket where the place has none", () => {
  vi.stubGlobal("WebSocket", undefined);
  expect(globalWebSocket()).toBeUndefined();
});

it("the WebSocket of the place is taken", () => {
  const WebSocket = class {};
  vi.stubGlobal("WebSocket", WebSocket);
  expect(globalWebSocket()).toBe(WebSocket);
});

it("an id is 32 hexadecimal digits, another one each time", () => {
  expect(randomId()).toMatch(/^[0-9a-f]{32}$/);
  expect(randomId()).not.toBe(randomId());
});

describe("a plain request", () => {
  function stub(answer: Response | undefined) {
    const fetch = vi.fn(async () => answer ?? Promise.reject(new TypeError("Failed to fetch")));
    vi.stubGlobal("fetch", fetch);
    return fetch;
  }

  it("goes to the same address, says where the page comes from, and reads what is said in JSON", async () => {
    const headers = { "content-type": "application/json" };
    const fetch = stub(new Response("{}", { status: 403, headers }));
    expect(await askPlainly("wss://x/api/ws?a=1")).toEqual({ status: 403, text: "{}" });
    expect(fetch).toHaveBeenCalledExactlyOnceWith("https://x/api/ws?a=1", {
      cache: "no-store",
      referrerPolicy: "origin",
    });
  });

  it("does not read a page", async () => {
    stub(new Response("<html>", { headers: { "content-type": "text/html" } }));
    expect(await askPlainly("ws://x/")).toEqual({ status: 200, text: "" });
  });

  it("that nobody answers, or says no word that may be read, has no answer", async () => {
    stub(undefined);
    expect(await askPlainly("ws://x/")).toBeUndefined();
  });

  it("where there is no `fetch` has no answer", async () => {
    vi.stubGlobal("fetch", undefined);
    expect(await askPlainly("ws://x/")).toBeUndefined();
  });
});

describe("a pause", () => {
  it("lets other tasks have their turn", async () => {
    const order: string[] = [];
    setImmediate(() => order.push("another task"));
    await pause();
    await pause();
    expect(order).toEqual(["another task"]);
  });

  it("is left to the browser where that can say when to go on", async () => {
    const go = vi.fn(async () => {});
    vi.stubGlobal("scheduler", { yield: go });
    await pause();
    expect(go).toHaveBeenCalledOnce();
  });
});

describe("the page", () => {
  it("tells of the network, and of somebody who looks again, until it is stopped", () => {
    const [page, document] = [new EventTarget(), new EventTarget() as Document];
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("document", document);
    const told: string[] = [];
    const stop = watchPage(({ type }) => told.push(type));
    page.dispatchEvent(new Event("offline"));
    page.dispatchEvent(new Event("online"));
    page.dispatchEvent(new Event("pageshow"));
    page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    document.dispatchEvent(new Event("resume"));
    document.dispatchEvent(new Event("visibilitychange"));
    Object.assign(document, { visibilityState: "visible" });
    document.dispatchEvent(new Event("visibilitychange"));
    expect(told).toEqual(["offline", "online", "wake", "wake", "wake"]);
    stop();
    page.dispatchEvent(new Event("online"));
    expect(told).toHaveLength(5);
  });

  it("is not there in Node: nothing is told", () => {
    expect(() => watchPage(() => {})()).not.toThrow();
  });
});
