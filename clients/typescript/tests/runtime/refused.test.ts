/**
 * Handshakes that fail, over real sockets of `ws` 8.
 */

import type { RequestListener } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Client } from "../../src/api/client.ts";
import { connect } from "../../src/api/client.ts";
import type { ConnectOptions } from "../../src/core/options.ts";
import { settle } from "../support/client.ts";
import { fakeSockets } from "../support/sockets.ts";
import { WELCOME } from "../support/welcome.ts";

const ends: (() => void)[] = [];

afterEach(() => ends.splice(0).forEach((end) => end()));

interface Told {
  readonly code: string;
  readonly message: string;
  readonly state: string;
}

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
  const client = connect(`ws://127.0.0.1:${port}/api/ws`, {
    WebSocket,
    storage: false,
    ...options,
  });
  ends.push(() => {
    client.close();
    server.close();
    server.closeAllConnections();
  });
  return firstTold(client);
}

/** Its first error, and its state at that moment: a while later the next attempt is under way. */
function firstTold(client: Client): Promise<Told> {
  return new Promise((resolve) => {
    client.onError(({ code, message }) => resolve({ code, message, state: client.state }));
  });
}

it("the server refuses the program, with words that a plain request is told, too", async () => {
  const answer: RequestListener = (_request, response) => {
    response.writeHead(403, { "content-type": "application/json" });
    response.end(JSON.stringify({ type: "error", code: "forbidden", message: "not from here" }));
  };
  const refusal = await told(answer, { verifyClient: () => false });
  // It says 401 to the handshake, if nothing else is asked for: that is what counts.
  expect(refusal.message).toMatch(/HTTP 401: is the path right\?$/);
  const sockets = {
    verifyClient: (_: unknown, done: (ok: boolean, code: number) => void) => done(false, 403),
  };
  const same = await told(answer, sockets);
  expect(same).toMatchObject({ code: "forbidden", state: "waiting" });
  expect(same.message).toMatch(/refused: not from here$/);
});

it("there is a web server and no WebSocket", async () => {
  const refusal = await told(
    (_request, response) => void response.writeHead(404).end("no"),
    undefined,
  );
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

it("nobody is there, and nobody ever was", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const client = connect(`ws://127.0.0.1:${port}/api/ws`, { WebSocket, storage: false });
  ends.push(() => client.close());
  const { message, state } = await firstTold(client);
  expect(message).toMatch(/ECONNREFUSED.*: is the server running there\?$/);
  expect(state).toBe("waiting");
});

describe("a handshake that hangs", () => {
  function hanging() {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    ends.push(() => void vi.useRealTimers());
    const fetch = vi.fn(async () => new Response("<!doctype html>"));
    vi.stubGlobal("fetch", fetch);
    ends.push(() => void vi.unstubAllGlobals());
    const { all, WebSocket } = fakeSockets();
    const client = connect("ws://x/api/ws", { WebSocket, storage: false });
    ends.push(() => client.close());
    const told = vi.fn();
    client.onError(told);
    return { all, client, told, fetch };
  }

  it("at a development server that passes nothing on is told, once, while it goes on", async () => {
    const { all, client, told } = hanging();
    await settle();
    await vi.advanceTimersByTimeAsync(5_000);
    await settle();
    expect(told).toHaveBeenCalledOnce();
    expect(told.mock.calls[0]![0].message).toMatch(
      /a web page: does what serves it pass WebSockets on\?$/,
    );
    expect([client.state, all.length]).toEqual(["waiting", 1]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(told).toHaveBeenCalledOnce();
    expect(all.length).toBeGreaterThan(1);
  });

  it("at a server that was there is none that anybody has to see to", async () => {
    const { all, told, fetch } = hanging();
    await settle();
    all[0]!.opens();
    all[0]!.says(WELCOME);
    all[0]!.ends(1006);
    await vi.advanceTimersByTimeAsync(20_000);
    await settle();
    expect(all.length).toBeGreaterThan(1);
    expect([told.mock.calls, fetch.mock.calls]).toEqual([[], []]);
  });
});
