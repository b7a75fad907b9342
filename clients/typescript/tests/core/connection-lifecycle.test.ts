import { describe, expect, it } from "vitest";

import { ConnectionLifecycle } from "../../src/core/connection-lifecycle.ts";

const HEARTBEAT = 5_000;

/** A link that was welcomed at time 0. */
function open(): ConnectionLifecycle {
  const link = new ConnectionLifecycle(() => 0.5);
  link.tick(0);
  link.opened(0);
  link.sent(0);
  link.begin(HEARTBEAT, 0);
  return link;
}

it("the first connection is due at once", () => {
  const link = new ConnectionLifecycle(() => 1);
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
  const link = new ConnectionLifecycle(() => 1);
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
    const link = new ConnectionLifecycle(() => 1);
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
    const link = new ConnectionLifecycle(() => 1);
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

describe("woken,", () => {
  /** A ping is sent, and nothing else. */
  function ping(link: ConnectionLifecycle, now: number): void {
    link.pinged();
    link.sent(now);
  }

  /** A link that was woken at 1,000 and has sent its ping. */
  function woken(): ConnectionLifecycle {
    const link = open();
    link.wake(1_000);
    expect(link.tick(1_000)).toBe("ping");
    ping(link, 1_000);
    return link;
  }

  it("it does not wait any longer", () => {
    const link = open();
    link.lost(100);
    link.wake(101);
    expect(link.tick(101)).toBe("connect");
  });

  it("an open connection is asked at once, and given up after 3 seconds of silence", () => {
    const link = woken();
    expect(link.deadline).toBe(4_000);
    expect(link.tick(3_999)).toBeUndefined();
    expect(link.tick(4_000)).toBe("give up");
  });

  it("one that answers after 2.9 seconds goes on, with its usual patience", () => {
    const link = woken();
    link.received(3_900);
    link.ponged();
    expect(link.deadline).toBe(6_000);
    link.tick(6_000);
    link.sent(6_000);
    expect(link.tick(13_899)).toBe("ping");
    expect(link.tick(13_900)).toBe("give up");
  });

  it("the answer to an earlier ping proves nothing, the next one does", () => {
    const link = open();
    ping(link, 5_000);
    link.received(5_100);
    link.wake(6_000);
    expect(link.tick(6_000)).toBe("ping");
    ping(link, 6_000);
    link.received(6_001);
    link.ponged();
    expect(link.deadline).toBe(9_001);
    link.received(6_100);
    link.ponged();
    expect(link.deadline).toBe(11_000);
  });

  it("whatever comes gives it three more seconds: the answer may stand behind much else", () => {
    const link = woken();
    link.received(3_900);
    expect(link.tick(6_899)).toBe("ping");
    link.sent(6_899);
    expect(link.tick(6_900)).toBe("give up");
  });

  it("twice, it is asked once, and has no more time", () => {
    const link = woken();
    link.wake(2_000);
    expect(link.tick(2_000)).toBeUndefined();
    expect(link.deadline).toBe(4_000);
  });

  it("again after it has proved itself, it has to do so again", () => {
    const link = woken();
    link.received(1_100);
    link.ponged();
    link.wake(2_000);
    expect(link.tick(2_000)).toBe("ping");
    link.sent(2_000);
    expect(link.deadline).toBe(5_000);
  });

  it("it has no more time than without", () => {
    const link = open();
    link.sent(9_000);
    link.wake(9_500);
    link.tick(9_500);
    link.sent(9_500);
    expect(link.deadline).toBe(10_000);
  });

  it("one that slept for longer than its patience is given up at once", () => {
    const link = open();
    link.wake(600_000);
    expect(link.tick(600_000)).toBe("give up");
  });

  it.each([
    ["that is being made", (_link: ConnectionLifecycle) => {}],
    ["that has no welcome", (link: ConnectionLifecycle) => link.opened(0)],
  ])("a connection %s has 3 seconds", (_what, act) => {
    const link = new ConnectionLifecycle(() => 0);
    link.tick(0);
    act(link);
    link.wake(10_000);
    link.wake(11_000);
    expect(link.tick(12_999)).toBeUndefined();
    expect(link.tick(13_000)).toBe("give up");
  });

  it("the handshake after one that failed so has 10 seconds, and the one after that 3 again", () => {
    const link = new ConnectionLifecycle(() => 0);
    link.tick(0);
    link.wake(10_000);
    link.lost(13_000);
    link.tick(13_000);
    link.wake(14_000);
    expect(link.deadline).toBe(23_000);
    link.opened(15_000);
    link.begin(HEARTBEAT, 15_000);
    link.lost(15_000);
    link.tick(15_000);
    link.wake(16_000);
    expect(link.deadline).toBe(19_000);
  });

  it("and what comes of it has 3 seconds when it is woken", () => {
    const link = new ConnectionLifecycle(() => 0);
    link.tick(0);
    link.wake(10_000);
    link.lost(13_000);
    link.tick(13_000);
    link.opened(13_000);
    link.begin(HEARTBEAT, 13_000);
    link.sent(13_000);
    link.wake(14_000);
    expect(link.tick(14_000)).toBe("ping");
    link.sent(14_000);
    expect(link.deadline).toBe(17_000);
  });

  it("a handshake has proved itself with its welcome", () => {
    const link = new ConnectionLifecycle(() => 0);
    link.tick(0);
    link.opened(0);
    link.wake(1_000);
    link.begin(HEARTBEAT, 1_001);
    link.sent(1_001);
    expect(link.deadline).toBe(1_001 + HEARTBEAT);
  });

  it("one whose forerunner owed the answer to a ping does not owe that", () => {
    const link = open();
    ping(link, 5_000);
    link.lost(6_000);
    link.tick(link.deadline!);
    link.opened(7_000);
    link.begin(HEARTBEAT, 7_000);
    link.sent(7_000);
    link.wake(8_000);
    ping(link, 8_000);
    link.received(8_100);
    link.ponged();
    expect(link.deadline).toBe(8_000 + HEARTBEAT);
  });

  it("so has one that was begun by the same waking, of which the browser tells in several events", () => {
    const link = new ConnectionLifecycle(() => 0);
    link.tick(0);
    link.wake(99);
    expect(link.deadline).toBe(10_000);
    const older = new ConnectionLifecycle(() => 0);
    older.tick(0);
    older.wake(100);
    expect(older.deadline).toBe(3_100);
  });

  it.each([
    ["lost", (link: ConnectionLifecycle) => link.lost(2_000)],
    [
      "ended, and wanted again,",
      (link: ConnectionLifecycle) => (link.end("offline"), link.online(2_000)),
    ],
  ])("and %s, the next one has its usual time", (_what, act) => {
    const link = woken();
    act(link);
    const begun = link.deadline!;
    link.tick(begun);
    expect(link.deadline).toBe(begun + 40_000);
    link.opened(begun);
    link.begin(HEARTBEAT, begun);
    link.sent(begun);
    expect(link.deadline).toBe(begun + HEARTBEAT);
    link.tick(begun + HEARTBEAT);
    link.sent(begun + HEARTBEAT);
    expect(link.deadline).toBe(begun + 2 * HEARTBEAT);
  });
});

describe("timers that stood still:", () => {
  it("a ping that is 3 seconds late and more counts as waking", () => {
    const link = open();
    link.received(4_000);
    expect(link.tick(8_001)).toBe("ping");
    link.sent(8_001);
    expect(link.deadline).toBe(11_001);
  });

  it("one that is less late is just a ping", () => {
    const link = open();
    link.received(4_000);
    expect(link.tick(8_000)).toBe("ping");
    link.sent(8_000);
    expect(link.deadline).toBe(13_000);
  });
});
