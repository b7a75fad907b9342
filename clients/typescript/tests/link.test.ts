import { describe, expect, it } from "vitest";

import { Link } from "../src/link.ts";

const HEARTBEAT = 5_000;

/** A link that was welcomed at time 0. */
function open(): Link {
  const link = new Link(() => 0.5);
  link.tick(0);
  link.opened(0);
  link.sent(0);
  link.begin(HEARTBEAT, 0);
  return link;
}

it("the first connection is due at once", () => {
  const link = new Link(() => 1);
  expect(link.tick(0)).toBe("connect");
  expect(link.phase).toBe("connecting");
});

it("the next one is due after the wait", () => {
  const link = open();
  link.lost(100);
  expect(link.deadline).toBe(600);
  expect(link.tick(599)).toBeUndefined();
  expect(link.tick(600)).toBe("connect");
});

it("something can be sent from the opening of the socket to its end", () => {
  const link = new Link(() => 1);
  link.tick(0);
  expect(link.canSend).toBe(false);
  link.opened(0);
  expect(link.canSend).toBe(true);
  link.begin(HEARTBEAT, 0);
  expect(link.canSend).toBe(true);
  link.lost(0);
  expect(link.canSend).toBe(false);
});

describe("signs of life:", () => {
  it("a ping is due when nothing was sent for one heartbeat", () => {
    const link = open();
    link.received(4_000);
    expect(link.tick(4_999)).toBeUndefined();
    expect(link.tick(5_000)).toBe("ping");
  });

  it("whatever is sent puts the ping off", () => {
    const link = open();
    link.sent(4_000);
    link.received(4_000);
    expect(link.deadline).toBe(9_000);
  });

  it("two heartbeats of silence are the end", () => {
    const link = open();
    link.sent(9_000);
    expect(link.tick(9_999)).toBeUndefined();
    expect(link.tick(10_000)).toBe("give up");
  });

  it("a server that never welcomes is given up after the default of twice 20 seconds", () => {
    const link = new Link(() => 1);
    link.tick(0);
    expect(link.deadline).toBe(40_000);
    link.opened(1_000);
    expect(link.tick(40_999)).toBeUndefined();
    expect(link.tick(41_000)).toBe("give up");
  });

  it("the interval of the last connection does not outlive it", () => {
    const link = open();
    link.lost(0);
    link.tick(link.deadline!);
    expect(link.deadline).toBe(40_500);
  });

  it("a heartbeat of zero is not believed", () => {
    const link = new Link(() => 1);
    link.tick(0);
    link.opened(0);
    link.sent(0);
    link.begin(0, 0);
    expect(link.deadline).toBe(20_000);
  });
});

it("nothing is ever due once it is closed", () => {
  const link = open();
  link.end("closed");
  expect(link.deadline).toBeUndefined();
  expect(link.tick(1e12)).toBeUndefined();
});

it("offline nothing is due until a connection is wanted again, and then at once", () => {
  const link = open();
  link.end("offline");
  expect(link.deadline).toBeUndefined();
  expect(link.tick(1e9)).toBeUndefined();
  link.online(2e9);
  expect(link.tick(2e9)).toBe("connect");
});

it("woken, it does not wait any longer, and an open connection has to prove itself", () => {
  const waiting = open();
  waiting.lost(100);
  waiting.wake(101);
  expect(waiting.tick(101)).toBe("connect");
  const link = open();
  link.wake(100);
  expect(link.tick(100)).toBe("ping");
});
