/**
 * What is told and never stored. The product has no such message yet: others stand for it.
 * `tests/house/test_new_message.py` adds one, and sends it both ways.
 */
import { describe, expect, it, vi } from "vitest";
import type { TabMessage } from "../../src/core/tab-messages.ts";
import { tell } from "../../src/runtime/ephemeral.ts";
import { alone } from "../../src/runtime/single-tab.ts";
import { Tab } from "../../src/runtime/tab.ts";
import { Driver, TestStore } from "../support/driver.ts";
import { WELCOME } from "../support/welcome.ts";

const PONG = { type: "pong" } as never;

async function connected(): Promise<Driver> {
  const driver = await Driver.create(new TestStore("c1"));
  driver.connect();
  driver.says(WELCOME);
  driver.sent = [];
  return driver;
}

describe("what is told", () => {
  it("is sent at once, and not again on the next connection", async () => {
    const driver = await connected();
    expect(tell(driver.tab, PONG)).toBe(true);
    expect(driver.sent).toEqual([PONG]);
    driver.lose();
    driver.sent = [];
    driver.connect();
    driver.says(WELCOME);
    expect(driver.sent).not.toContainEqual(PONG);
  });

  it("is gone without a connection, and says so", async () => {
    const driver = await connected();
    driver.lose();
    driver.sent = [];
    expect(tell(driver.tab, PONG)).toBe(false);
    driver.connect();
    expect(tell(driver.tab, PONG)).toBe(false);
    driver.says(WELCOME);
    expect(driver.sent).not.toContainEqual(PONG);
  });

  it("is refused where no server would take it", async () => {
    const driver = await connected();
    expect(() => tell(driver.tab, { type: "sync", entity: "", since: 0 } as never)).toThrow(
      "sync.entity: 1 to 255 bytes expected, got 0",
    );
    expect(() =>
      tell(driver.tab, { type: "sync", entity: "__proto__", since: 0 } as never),
    ).toThrow("sync.entity");
    expect(driver.sent).toEqual([]);
  });

  it("is a problem where it is larger than this server takes, in whichever tab that is", async () => {
    const driver = await Driver.create(new TestStore("c1"));
    driver.connect();
    driver.says({ ...WELCOME, limits: { ...WELCOME.limits, message_bytes: 100 } });
    const listener = vi.fn();
    driver.tab.on("error", listener);
    driver.sent = [];
    tell(driver.tab, { type: "authenticate", token: "x".repeat(100) } as never);
    expect(listener).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: "too_large" }),
    );
    expect(driver.sent).toEqual([]);
  });

  it("reaches those who listen to its type, in the tab that leads and in any other", async () => {
    const tab = new Tab(new TestStore("c1"), alone(), "t");
    await tab.ready;
    const [heard, other] = [vi.fn(), vi.fn()];
    const stop = tab.on("told pong", heard);
    tab.on("told ping", other);
    const told: TabMessage = { type: "told", message: PONG };
    tab.hear(told);
    stop();
    tab.hear(told);
    expect(heard).toHaveBeenCalledExactlyOnceWith(PONG);
    expect(other).not.toHaveBeenCalled();
    tab.close();
  });
});
