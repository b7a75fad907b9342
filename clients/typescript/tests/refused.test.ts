/**
 * Handshakes that fail, over real sockets of `ws` 8.
 */
import { createServer } from "node:http";
import { afterEach, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { connect } from "../src/client.ts";
import type { AddressInfo } from "node:net";
import type { RequestListener } from "node:http";
import type { ConnectOptions } from "../src/options.ts";

const ends: (() => void)[] = [];

afterEach(() => ends.splice(0).forEach((end) => end()));

/** What a program is told first. */
async function told(
  answer: RequestListener,
  sockets: ConstructorParameters<typeof WebSocketServer>[0] | undefined,
  options: ConnectOptions = {},
) {
  const server = createServer(answer);
  if (sockets) new WebSocketServer({ ...sockets, server });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = connect(`ws://127.0.0.1:${port}/api/ws`, { WebSocket, storage: false, ...options });
  ends.push(() => {
    client.close();
    server.close();
    server.closeAllConnections();
  });
  const listener = vi.fn();
  client.onError(listener);
  await vi.waitFor(() => expect(listener).toHaveBeenCalled(), 5_000);
  return { ...listener.mock.calls[0]![0], message: listener.mock.calls[0]![0].message, state: client.state };
}

it("the server refuses the program, with words that a plain request is told, too", async () => {
  const answer: RequestListener = (_request, response) => {
    response.writeHead(403, { "content-type": "application/json" });
    response.end(JSON.stringify({ type: "error", code: "forbidden", message: "not from here" }));
  };
  const refusal = await told(answer, { verifyClient: () => false });
  // It says 401 to the handshake, if nothing else is asked for: that is what counts.
  expect(refusal.message).toMatch(/HTTP 401: is the path right\?$/);
  const sockets = { verifyClient: (_: unknown, done: (ok: boolean, code: number) => void) => done(false, 403) };
  const same = await told(answer, sockets);
  expect(same).toMatchObject({ code: "forbidden", state: "waiting" });
  expect(same.message).toMatch(/refused: not from here$/);
});

it("there is a web server and no WebSocket", async () => {
  const refusal = await told((_request, response) => void response.writeHead(404).end("no"), undefined);
  expect(refusal).toMatchObject({ code: "not_supported", state: "waiting" });
  expect(refusal.message).toMatch(/HTTP 404: is the path right\?$/);
});

it("the server chooses no subprotocol, or another", async () => {
  const answer: RequestListener = (_request, response) => void response.writeHead(426).end();
  for (const chosen of [false, "mqtt"] as const) {
    const refusal = await told(answer, { handleProtocols: () => chosen }, { format: "proto" });
    expect(refusal.message).toMatch(/Server sent (no|an invalid) subprotocol$/);
  }
});
