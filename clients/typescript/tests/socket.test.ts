import { expect, it, vi } from "vitest";

import { Socket } from "../src/socket.ts";
import { fakeSockets } from "./support/sockets.ts";

function make() {
  const { all, WebSocket } = fakeSockets();
  const listener = { opened: vi.fn(), received: vi.fn(), closed: vi.fn() };
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
  expect(listener.closed).toHaveBeenCalledExactlyOnceWith(4000);
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
