import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { TabChannel, TabMessage } from "../../src/core/tab-messages.ts";
import { HEARTBEAT, LeaderElection } from "../../src/runtime/leader-election.ts";
import type { Page } from "../support/browser.ts";
import { Browser } from "../support/browser.ts";

const TOLD: TabMessage = { type: "synced", entity: "tasks" };

/** A tab that joined, and what became of it. */
class Member {
  readonly tab: Page;
  readonly port: TabChannel;
  readonly heard: string[] = [];
  readonly told: TabMessage[] = [];
  readonly waited: (boolean | undefined)[] = [];
  leads = false;
  /** How often it began to lead. */
  terms = 0;

  constructor(browser: Browser) {
    this.tab = browser.open();
    this.port = new LeaderElection("rhtmx:test", `tab ${browser.tabs.length}`, this.tab);
    this.port.onmessage = (message) => {
      this.heard.push(message.type);
      this.told.push(message);
    };
    const begin = (waited?: boolean) => {
      this.waited.push(waited);
      expect(this.leads, "it begins once").toBe(false);
      this.leads = true;
      this.terms += 1;
    };
    const end = () => {
      expect(this.leads, "it ends what it began").toBe(true);
      this.leads = false;
    };
    this.port.lead(begin, end);
  }
}

/** A browser with tabs that joined, the first of which leads. */
async function opened(count: number): Promise<{ browser: Browser; members: Member[] }> {
  const browser = new Browser();
  const members: Member[] = [];
  for (let each = 0; each < count; each++) {
    members.push(new Member(browser));
    await browser.settle();
  }
  return { browser, members };
}

/** Who leads, by position. */
function leaders(members: Member[]): number[] {
  return members.flatMap((each, index) => (each.leads && each.tab.running ? [index] : []));
}

describe("who leads", () => {
  it("one tab does, the first", async () => {
    const { members } = await opened(3);
    expect(leaders(members)).toEqual([0]);
  });

  it.each(["shut", "crash"] as const)("after a %s the next one does, at once", async (end) => {
    const { browser, members } = await opened(3);
    members[0]!.tab[end]();
    await browser.settle();
    expect(leaders(members)).toEqual([1]);
  });

  it("a tab that is done does not lead, and hears nothing", async () => {
    const { browser, members } = await opened(2);
    members[0]!.port.close();
    await browser.settle();
    expect(members[0]!.leads).toBe(false);
    expect(leaders(members)).toEqual([1]);
    members[1]!.port.post(TOLD);
    members[0]!.tab.freeze();
    members[0]!.tab.resume();
    await browser.wait(10 * HEARTBEAT);
    expect(members[0]!.heard).toEqual([]);
    expect(leaders(members)).toEqual([1]);
  });

  it("a tab that is done while the lock is on its way does not keep it", async () => {
    const { browser, members } = await opened(3);
    members[0]!.tab.shut();
    members[1]!.port.close();
    await browser.settle();
    expect(leaders(members)).toEqual([2]);
    expect(members[1]!.terms).toBe(0);
  });

  it("a leader that answers stays, however long", async () => {
    const { browser, members } = await opened(4);
    await browser.wait(1000 * HEARTBEAT);
    expect(members.map((each) => each.terms)).toEqual([1, 0, 0, 0]);
  });

  it("where there are no locks a tab is told so, and leads by itself", async () => {
    const browser = new Browser();
    const tab = browser.open();
    tab.navigator.locks.request = () =>
      Promise.reject(new DOMException("no locks here", "SecurityError"));
    let leads = 0;
    const port = new LeaderElection("rhtmx:test", "t", tab);
    const told: TabMessage[] = [];
    port.onmessage = (message) => {
      told.push(message);
      port.stand!("alone");
    };
    port.lead(
      () => leads++,
      () => leads--,
    );
    await browser.wait(10 * HEARTBEAT);
    expect([leads, told]).toEqual([1, [{ type: "unshared", why: "no locks here" }]]);
  });
});

describe("a tab that stands by itself", () => {
  it("leads at once, is followed by another, and neither hears the other", async () => {
    const { browser, members } = await opened(2);
    const [first, second] = [members[0]!, members[1]!];
    first.port.stand!("alone");
    await browser.wait(10 * HEARTBEAT);
    expect(leaders(members)).toEqual([0, 1]);
    expect(first.terms).toBe(2);
    const before = [first.heard.length, second.heard.length];
    await browser.in(first.tab, () => first.port.post({ type: "wake" }));
    await browser.in(second.tab, () => second.port.post({ type: "wake" }));
    await browser.wait(10 * HEARTBEAT);
    expect([first.heard.length, second.heard.length]).toEqual(before);
  });

  it("stands in line again with the others, knowing that it has missed something", async () => {
    const { browser, members } = await opened(2);
    const [first, second] = [members[0]!, members[1]!];
    first.port.stand!("alone");
    await browser.wait(HEARTBEAT);
    first.heard.splice(0);
    first.port.stand!("shared");
    await browser.wait(10 * HEARTBEAT);
    expect(leaders(members)).toEqual([1]);
    expect(first.heard).toContain("lost");
    second.tab.shut();
    await browser.wait(HEARTBEAT);
    expect(leaders(members)).toEqual([0]);
  });

  it("does not lead where it stands nowhere", async () => {
    const { browser, members } = await opened(1);
    members[0]!.port.stand!("nowhere");
    await browser.wait(10 * HEARTBEAT);
    expect(members[0]!.leads).toBe(false);
  });

  it("leads from the first on if it was told before it was asked to lead", async () => {
    const browser = new Browser();
    const [one, two] = [new Member(browser), browser.open()];
    await browser.settle();
    let leads = 0;
    const port = new LeaderElection("rhtmx:test", "late", two);
    port.stand!("alone");
    await browser.in(two, () =>
      port.lead(
        () => leads++,
        () => leads--,
      ),
    );
    await browser.settle();
    expect([one.leads, leads]).toEqual([true, 1]);
  });

  it("leads on when it was frozen and wakes", async () => {
    const { browser, members } = await opened(1);
    const [only] = members;
    only!.port.stand!("alone");
    await browser.settle();
    await browser.in(only!.tab, () => only!.tab.freeze());
    expect(only!.leads).toBe(false);
    await browser.in(only!.tab, () => only!.tab.resume());
    await browser.settle();
    expect(only!.leads).toBe(true);
  });
});

describe("a leader that hangs", () => {
  it("is replaced within two heartbeats, whenever it began to hang", async () => {
    for (let phase = 0; phase < 2 * HEARTBEAT; phase += 130) {
      const { browser, members } = await opened(3);
      await browser.wait(phase);
      members[0]!.tab.hang();
      await browser.wait(2 * HEARTBEAT);
      expect(leaders(members), `after ${phase}`).toHaveLength(1);
      expect(members[0]!.tab.running).toBe(false);
    }
  });

  it("is not replaced if it goes on within one", async () => {
    for (let phase = 0; phase < 2 * HEARTBEAT; phase += 130) {
      const { browser, members } = await opened(3);
      await browser.wait(phase);
      members[0]!.tab.hang();
      await browser.wait(HEARTBEAT);
      members[0]!.tab.goOn();
      await browser.wait(4 * HEARTBEAT);
      expect(
        members.map((each) => each.terms),
        `after ${phase}`,
      ).toEqual([1, 0, 0]);
    }
  });

  it("ends its lead when it goes on, and stands in line", async () => {
    const { browser, members } = await opened(2);
    members[0]!.tab.hang();
    await browser.wait(2 * HEARTBEAT);
    members[0]!.tab.goOn();
    await browser.settle();
    expect(leaders(members)).toEqual([1]);
    members[1]!.tab.shut();
    await browser.settle();
    expect(leaders(members)).toEqual([0]);
  });

  it("is followed by one that runs, also if the next in line hangs too", async () => {
    const { browser, members } = await opened(3);
    members[1]!.tab.hang();
    members[0]!.tab.shut();
    await browser.wait(2 * HEARTBEAT);
    expect(leaders(members)).toEqual([2]);
  });

  it("knows that it paused, once", async () => {
    const { browser, members } = await opened(1);
    await browser.wait(10 * HEARTBEAT);
    expect(members[0]!.port.paused?.()).toBe(false);
    members[0]!.tab.hang();
    await browser.wait(3 * HEARTBEAT);
    members[0]!.tab.goOn();
    await browser.wait(HEARTBEAT);
    expect(members[0]!.port.paused?.()).toBe(true);
    expect(members[0]!.port.paused?.()).toBe(false);
  });
});

it("when the whole machine slept, the leader goes on", async () => {
  const { browser, members } = await opened(3);
  for (let phase = 0; phase < 2 * HEARTBEAT; phase += 370) {
    await browser.wait(phase);
    for (const each of members) each.tab.hang();
    await browser.wait(1000 * HEARTBEAT);
    // Those who ask go on first, which is the worst case.
    for (const each of [...members].reverse()) {
      each.tab.goOn();
      await browser.wait(50);
    }
    await browser.wait(4 * HEARTBEAT);
    expect(members.map((each) => each.terms)).toEqual([1, 0, 0]);
  }
});

describe("a tab that the browser freezes", () => {
  it("steps down before, and the next one leads at once", async () => {
    const { browser, members } = await opened(2);
    members[0]!.tab.freeze();
    expect(members[0]!.leads).toBe(false);
    await browser.settle();
    expect(leaders(members)).toEqual([1]);
  });

  it("is not in line while it is frozen, but again when it wakes", async () => {
    const { browser, members } = await opened(3);
    members[1]!.tab.freeze();
    members[0]!.tab.shut();
    await browser.settle();
    expect(leaders(members)).toEqual([2]);
    members[1]!.tab.resume();
    members[2]!.tab.shut();
    await browser.settle();
    expect(leaders(members)).toEqual([1]);
  });

  it("is told that it may have missed something", async () => {
    const { browser, members } = await opened(2);
    members[1]!.tab.freeze();
    members[1]!.tab.resume();
    await browser.settle();
    expect(members[1]!.heard).toEqual(["lost"]);
  });

  it("which is said once, though others went on telling while it was put aside", async () => {
    const { browser, members } = await opened(2);
    members[0]!.port.post(TOLD);
    await browser.settle();
    members[1]!.tab.hide();
    for (let times = 0; times < 3; times += 1) members[0]!.port.post(TOLD);
    members[1]!.tab.show();
    members[0]!.port.post(TOLD);
    await browser.settle();
    expect(members[1]!.heard).toEqual(["synced", "lost", "synced"]);
  });

  it("does not mind a `pageshow` that follows nothing, as every page has one", async () => {
    const { browser, members } = await opened(2);
    for (const each of members) each.tab.resume();
    await browser.settle();
    expect(members.map((each) => [each.terms, ...each.heard])).toEqual([[1], [0]]);
  });
});

describe("what is told", () => {
  it("reaches every other tab, in order", async () => {
    const { browser, members } = await opened(3);
    members[1]!.port.post(TOLD);
    members[1]!.port.post({ type: "wake" });
    await browser.settle();
    expect(members.map((each) => each.heard)).toEqual([["synced", "wake"], [], ["synced", "wake"]]);
  });

  it("if some of it is lost, the next message shows it", async () => {
    const { browser, members } = await opened(2);
    members[0]!.port.post(TOLD);
    await browser.settle();
    members[1]!.tab.loses = 1;
    members[0]!.port.post(TOLD);
    members[0]!.port.post({ type: "wake" });
    await browser.settle();
    expect(members[1]!.heard).toEqual(["synced", "lost", "wake"]);
  });

  it("if the last of it is lost, the next sign of life shows it", async () => {
    const { browser, members } = await opened(2);
    await browser.wait(HEARTBEAT);
    members[1]!.tab.loses = 1;
    members[0]!.port.post(TOLD);
    await browser.wait(HEARTBEAT);
    expect(members[1]!.heard).toEqual(["lost"]);
  });

  it("before a tab was opened is not missed", async () => {
    const { browser, members } = await opened(1);
    members[0]!.port.post(TOLD);
    const late = new Member(browser);
    await browser.wait(4 * HEARTBEAT);
    members[0]!.port.post(TOLD);
    await browser.settle();
    expect(late.heard).toEqual(["synced"]);
  });

  it("a tab that leaves may not have told its last write: the leader looks for it", async () => {
    const { browser, members } = await opened(3);
    members[2]!.tab.shut();
    await browser.wait(HEARTBEAT);
    expect(members.map((each) => each.heard)).toEqual([["hole"], [], []]);
    await browser.wait(10 * HEARTBEAT);
    expect(members[0]!.heard).toHaveLength(1);
  });

  it("also if it led: the next leader looks for it", async () => {
    const { browser, members } = await opened(3);
    members[0]!.tab.shut();
    await browser.wait(HEARTBEAT);
    expect(members[1]!.heard).toEqual(["hole"]);
  });
});

describe("what a tab holds may be older than the store", () => {
  async function begun(hangs: boolean) {
    const browser = new Browser((count) => count - 1);
    const first = new Member(browser);
    await browser.settle();
    const second = new Member(browser);
    if (hangs) second.tab.hang();
    await browser.settle();
    first.tab.crash();
    second.tab.goOn();
    await browser.settle();
    return [first.waited, second.waited];
  }

  it("if the lock was taken before it was loaded, though it is free by then", async () => {
    const browser = new Browser();
    const first = new Member(browser);
    const tab = browser.open();
    const late = new LeaderElection("rhtmx:test", "late", tab);
    await browser.settle();
    first.tab.crash();
    await browser.settle();
    const start = vi.fn();
    late.lead(start, () => {});
    await browser.settle();
    expect([first.waited, start.mock.calls]).toEqual([[false], [[true]]]);
  });

  it("but not if it has the lock from before it loads", async () => {
    const browser = new Browser();
    const port = new LeaderElection("rhtmx:test", "only", browser.open());
    await browser.wait(10 * HEARTBEAT);
    const start = vi.fn();
    port.lead(start, () => {});
    await browser.settle();
    expect(start.mock.calls).toEqual([[false]]);
  });

  it.each([
    ["before it heard that it has the lock", async () => {}],
    ["before it has loaded", (browser: Browser) => browser.settle()],
  ])("if it hung %s: it stands in line again", async (_when, act) => {
    const browser = new Browser();
    const tab = browser.open();
    const port = new LeaderElection("rhtmx:test", "slow", tab);
    await act(browser);
    tab.hang();
    const other = new Member(browser);
    await browser.wait(4 * HEARTBEAT);
    expect(other.leads).toBe(true);
    tab.goOn();
    const start = vi.fn();
    port.lead(start, () => {});
    await browser.settle();
    expect(start).not.toHaveBeenCalled();
    other.tab.crash();
    await browser.settle();
    expect(start.mock.calls).toEqual([[true]]);
  });

  it.each([true, false])(
    "if it did not lead from the start, though it heard nothing since (it hung: %o)",
    async (hangs) => {
      expect(await begun(hangs)).toEqual([[false], [true]]);
    },
  );
});

describe("the leader is told that a tab is gone", () => {
  /** Three tabs that the first has heard of. */
  async function heard() {
    const world = await opened(3);
    await world.browser.wait(HEARTBEAT);
    for (const each of world.members) each.heard.length = 0;
    return world;
  }
  const gone = (member: Member) =>
    member.told.flatMap((each) => (each.type === "gone" ? [each.tab] : []));

  it.each(["shut", "crash", "freeze"] as const)(
    "after a %s, at once, and the others with it",
    async (end) => {
      const { browser, members } = await heard();
      members[2]!.tab[end]();
      await browser.settle();
      expect(members.slice(0, 2).map(gone)).toEqual([["tab 3"], ["tab 3"]]);
    },
  );

  it("after it is done", async () => {
    const { browser, members } = await heard();
    members[1]!.port.close();
    await browser.settle();
    expect(gone(members[0]!)).toEqual(["tab 2"]);
  });

  it("but not of one that hangs", async () => {
    const { browser, members } = await heard();
    members[2]!.tab.hang();
    await browser.wait(20 * HEARTBEAT);
    expect(gone(members[0]!)).toEqual([]);
  });

  it("each time that it goes", async () => {
    const { browser, members } = await heard();
    for (let times = 0; times < 2; times++) {
      members[2]!.tab.freeze();
      await browser.settle();
      members[2]!.tab.resume();
      members[2]!.port.post(TOLD);
      await browser.settle();
    }
    expect(gone(members[0]!)).toEqual(["tab 3", "tab 3"]);
  });

  it("also if it began to lead after it had heard of it, or leads again", async () => {
    const { browser, members } = await heard();
    members[0]!.tab.freeze();
    await browser.settle();
    members[0]!.tab.resume();
    members[1]!.tab.freeze();
    await browser.wait(2 * HEARTBEAT);
    expect(leaders(members)).toEqual([2]);
    members[1]!.tab.resume();
    members[2]!.tab.freeze();
    await browser.wait(2 * HEARTBEAT);
    expect(leaders(members)).toEqual([0]);
    members[1]!.tab.crash();
    await browser.settle();
    expect(gone(members[0]!).at(-1)).toBe("tab 2");
  });

  it("and one that is not heard of yet when its lock is asked for is there all the same", async () => {
    const { browser, members } = await heard();
    members.push(new Member(browser));
    members[3]!.port.post(TOLD);
    await browser.wait(4 * HEARTBEAT);
    expect(members.map(gone)).toEqual([[], [], [], []]);
  });
});

const happening = fc.record({
  what: fc.constantFrom("open", "shut", "crash", "hang", "goOn", "freeze", "resume", "wait"),
  who: fc.nat(5),
  how: fc.nat(2 * HEARTBEAT),
});

it("whatever happens, soon exactly one tab leads of those that run", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (happenings) => {
      const { browser, members } = await opened(2);
      for (const { what, who, how } of happenings) {
        const tab = members[who % members.length]!.tab;
        if (what === "open") members.push(new Member(browser));
        else if (what === "wait") await browser.wait(how);
        else if (!tab.gone && tab.running !== ["goOn", "resume"].includes(what)) tab[what]();
        if (how % 2) await browser.settle();
      }
      members.push(new Member(browser));
      await browser.wait(4 * HEARTBEAT);
      expect(leaders(members)).toHaveLength(1);
      expect(browser.holder("rhtmx:test")?.running).toBe(true);
    }),
    { numRuns: 100 },
  );
});
