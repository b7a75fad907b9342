import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Runner } from "../src/runner.ts";
import { WELCOME } from "./support/harness.ts";
import { fakeSockets } from "./support/sockets.ts";
import type { Event } from "../src/events.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start(tell: (event: Event, runner: Runner) => void = () => {}) {
  const { all, WebSocket } = fakeSockets();
  const options = { url: "ws://x/", WebSocket, format: "json", random: () => 0.5 } as const;
  const runner: Runner = new Runner(options, (event) => tell(event, runner));
  runner.run((session, now) => session.tick(now));
  return { runner, sockets: all };
}

it("connects, says hello and pings in time", () => {
  const { sockets } = start();
  const [socket] = sockets;
  socket!.opens();
  expect(socket!.heard().map((each) => each.type)).toEqual(["hello"]);
  socket!.says(WELCOME);
  vi.advanceTimersByTime(WELCOME.heartbeat);
  expect(socket!.heard()).toEqual([{ type: "ping" }]);
});

it("connects again after a wait, with a new socket", () => {
  const { sockets } = start();
  sockets[0]!.opens();
  sockets[0]!.ends(1006);
  vi.advanceTimersByTime(499);
  expect(sockets).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(sockets).toHaveLength(2);
});

it("closes a socket that fell silent and goes on without it", () => {
  const { sockets, runner } = start();
  sockets[0]!.opens();
  sockets[0]!.says(WELCOME);
  vi.advanceTimersByTime(2 * WELCOME.heartbeat);
  expect(sockets[0]!.closedWith).toBe(4001);
  expect(runner.state).toBe("waiting");
});

it("tries again when the socket cannot even be made", () => {
  class Broken {
    constructor() {
      throw new Error("not allowed here");
    }
  }
  const options = { url: "ws://x/", format: "json", random: () => 0.5 } as const;
  const runner = new Runner({ ...options, WebSocket: Broken as never }, () => {});
  expect(() => runner.run((session, now) => session.tick(now))).toThrow("not allowed here");
  expect(vi.getTimerCount()).toBe(1);
  runner.run((session) => session.close());
});

it("has no timer once it is closed", () => {
  const { runner } = start();
  runner.run((session) => session.close());
  expect(vi.getTimerCount()).toBe(0);
});

it("tells what a listener caused after what came before it", () => {
  const told: string[] = [];
  const { sockets } = start((event, runner) => {
    if (event.event === "state") {
      if (event.state === "open") runner.run((session) => session.close());
      told.push(event.state);
    } else if (event.event === "problem") told.push("problem");
  });
  sockets[0]!.opens();
  sockets[0]!.says(WELCOME);
  expect(told).toEqual(["connecting", "open", "closed"]);
});

it("throws what the session throws, and still does what follows", () => {
  const { runner, sockets } = start();
  sockets[0]!.opens();
  sockets[0]!.says(WELCOME);
  sockets[0]!.heard();
  const act = () =>
    runner.run((session) => {
      session.subscribe("records", "users");
      session.subscribe("records", "users");
    });
  expect(act).toThrow("already");
  expect(sockets[0]!.heard()).toEqual([{ type: "subscribe", entities: ["users"] }]);
});
