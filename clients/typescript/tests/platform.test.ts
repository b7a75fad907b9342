import { afterEach, describe, expect, it, vi } from "vitest";

import { globalWebSocket, randomId, webSocketUrl } from "../src/platform.ts";
import { refusal } from "./support/refusal.ts";

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

  it("that is none is refused in words", () => {
    expect(refusal(() => webSocketUrl("/api/ws")).message).toContain("'/api/ws' is no URL");
  });
});

it("where there is no WebSocket the user is told to pass one", () => {
  vi.stubGlobal("WebSocket", undefined);
  expect(refusal(globalWebSocket).message).toContain("pass one as an option");
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
