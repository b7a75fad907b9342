import { expect, it, vi } from "vitest";

import { Socket } from "../../src/runtime/socket.ts";
import type { FakeWebSocket } from "../support/sockets.ts";
import { fakeSockets } from "../support/sockets.ts";

function make() {
  const { all, WebSocket } = fakeSockets();
  const listener = { opened: vi.fn(), hangs: vi.fn(), received: vi.fn(), closed: vi.fn() };
  const socket = new Socket(WebSocket, "ws://x/", "rhtmx.v1.proto", listener);
  return { socket, listener, fake: all[0]! };
}

it("asks for its subprotocol, and for binary frames as buffers", () => {
  const { fake } = make();
  expect(fake.protocols).toEqual(["rhtmx.v1.proto"]);
  expect(fake.binaryType).toBe("arraybuffer");
});

it("hands on text as text and buffers as bytes", () => {
  const { fake, listener } = make();
  fake.onmessage?.({ data: "hi" });
  fake.onmessage?.({ data: Uint8Array.of(1, 2).buffer });
  expect(listener.received.mock.calls).toEqual([["hi"], [Uint8Array.of(1, 2)]]);
});

it("reports its opening and its end with the close code", () => {
  const { fake, listener } = make();
  fake.opens();
  fake.onerror?.();
  fake.ends(4000);
  expect(listener.opened).toHaveBeenCalledOnce();
  expect(listener.closed).toHaveBeenCalledExactlyOnceWith(4000, undefined);
});

it("says which subprotocol was chosen; one that tells none has what was asked for", () => {
  const { fake, listener } = make();
  fake.opens();
  fake.protocol = "";
  fake.opens();
  expect(listener.opened.mock.calls).toEqual([["rhtmx.v1.proto"], [""]]);
});

it("says why it ended, where it is told", () => {
  const { fake, listener } = make();
  fake.onerror?.({ message: "Unexpected server response: 403" });
  fake.ends(1006);
  expect(listener.closed).toHaveBeenCalledExactlyOnceWith(1006, "Unexpected server response: 403");
});

it("is silent once it is closed from this side", () => {
  const { socket, fake, listener } = make();
  socket.close(4001);
  fake.opens();
  fake.says({ type: "ping" });
  fake.ends(1006);
  expect(fake.closedWith).toBe(4001);
  expect(listener.received).not.toHaveBeenCalled();
  expect(listener.closed).not.toHaveBeenCalled();
});

it("that neither opens nor fails hangs after five seconds", () => {
  vi.useFakeTimers();
  const { listener } = make();
  vi.advanceTimersByTime(4_999);
  expect(listener.hangs).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  vi.useRealTimers();
  expect(listener.hangs).toHaveBeenCalledOnce();
  expect(listener.closed).not.toHaveBeenCalled();
});

it.each([
  ["opened", (_socket: Socket, fake: FakeWebSocket) => fake.opens()],
  ["failed", (_socket: Socket, fake: FakeWebSocket) => fake.ends(1006)],
  ["was closed", (socket: Socket) => socket.close(1000)],
])("that %s does not hang", (_what, act) => {
  vi.useFakeTimers();
  const { socket, fake, listener } = make();
  act(socket, fake);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  expect(listener.hangs).not.toHaveBeenCalled();
});

it("that a page's policy blocks ends without `close`, and says so", () => {
  vi.useFakeTimers();
  const { fake, listener } = make();
  fake.readyState = 3;
  fake.onerror?.();
  expect(listener.closed).not.toHaveBeenCalled();
  vi.runAllTimers();
  vi.useRealTimers();
  expect(listener.closed).toHaveBeenCalledExactlyOnceWith(
    1006,
    expect.stringContaining("connect-src"),
  );
});

it.each([
  ["is closing still", 2, (_fake: FakeWebSocket) => {}],
  ["has told its end", 3, (fake: FakeWebSocket) => fake.ends(1001)],
])("one that fails and %s waits for no other end", (_what, state, act) => {
  vi.useFakeTimers();
  const { fake, listener } = make();
  fake.readyState = state;
  fake.onerror?.({ message: "it broke" });
  act(fake);
  const told = listener.closed.mock.calls.length;
  vi.runAllTimers();
  expect(listener.closed).toHaveBeenCalledTimes(told);
  vi.useRealTimers();
});
