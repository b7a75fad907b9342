/**
 * A browser without pages: its locks, its channels, and tabs that open, hang,
 * sleep, wake, close and crash. Time passes when the test says so.
 *
 * A tab's tasks are kept in order by where they come from: the lock, the
 * channel, a timer; between those there is none. A tab that does not run keeps
 * them until it does again; what its timers missed is made up for once.
 */
import type { Surroundings } from "../../src/runtime/leader-election.ts";

type Task = () => void;

/** So much happens at a time at most; some hundred is usual. */
const MOST_STEPS = 20_000;

/** Node's own, whatever stands in its place while a test runs. */
const nodesImmediate = globalThis.setImmediate;

interface Timer {
  readonly act: Task;
  /** Milliseconds; without them it acts once. */
  readonly every: number | undefined;
  due: number;
}

interface Request {
  readonly tab: Page;
  readonly grant: () => Promise<unknown>;
  readonly refuse: (error: Error) => void;
}

/** Picks one of so many, by chance that can be had again. */
export function picker(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % count;
  };
}

/** See the head of the file. */
export class Browser {
  now = 1;
  /** The tab in which something happens right now. */
  current: Page | undefined;
  readonly tabs: Page[] = [];
  /** Which of so many comes first where there is no order. */
  readonly pick: (count: number) => number;
  readonly #held = new Map<string, Request>();
  readonly #lines = new Map<string, Request[]>();

  constructor(pick: (count: number) => number = () => 0) {
    this.pick = pick;
  }

  /** Opens a tab. */
  open(): Page {
    const tab = new Page(this);
    this.tabs.push(tab);
    return tab;
  }

  /** Lets everything happen that happens without time passing. */
  async settle(): Promise<void> {
    await drained();
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const busy = this.tabs.filter((tab) => tab.busy);
      if (!busy.length) return;
      const tab = busy[this.pick(busy.length)]!;
      await this.in(tab, () => tab.step());
    }
    throw new Error("it never comes to rest");
  }

  /** Lets so many things happen, or fewer. */
  async some(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const busy = this.tabs.filter((tab) => tab.busy);
      const tab = busy[this.pick(busy.length)];
      if (!tab) return;
      await this.in(tab, () => tab.step());
    }
  }

  /** Something happens in a tab, with all that follows at once. */
  async in(tab: Page, act: Task): Promise<void> {
    this.current = tab;
    act();
    await drained();
    this.current = undefined;
  }

  /** Time passes. */
  async wait(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    await this.settle();
    for (;;) {
      const due = Math.min(...this.tabs.map((tab) => tab.due));
      if (due > end) break;
      this.now = Math.max(this.now, due);
      for (const tab of this.tabs) tab.tick();
      await this.settle();
    }
    this.now = end;
  }

  /** Whether a tab stands in line for a lock, or has it. */
  request(
    tab: Page,
    name: string,
    options: LockOptions,
    act: LockGrantedCallback<unknown>,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const refuse = (error: Error) => tab.do("lock", () => reject(error));
      const leave = () => {
        if (!line.includes(request)) return;
        line.splice(line.indexOf(request), 1);
        reject(options.signal!.reason);
      };
      const grant = async () => {
        options.signal?.removeEventListener("abort", leave);
        resolve(await act({ name, mode: "exclusive" }));
      };
      const request = { tab, grant, refuse };
      const line = this.#lines.get(name) ?? [];
      this.#lines.set(name, line);
      if (options.steal) {
        this.#held.get(name)?.refuse(new DOMException("stolen", "AbortError"));
        this.#grant(name, request);
        return;
      }
      if (options.ifAvailable && (this.#held.has(name) || line.length)) {
        return tab.do("lock", async () => resolve(await act(null)));
      }
      line.push(request);
      options.signal?.addEventListener("abort", leave);
      this.#next(name);
    });
  }

  /** A tab is gone, and its locks with it. */
  gone(tab: Page): void {
    for (const [name, line] of this.#lines) {
      line.splice(0, line.length, ...line.filter((each) => each.tab !== tab));
      if (this.#held.get(name)?.tab === tab) this.#release(name);
    }
  }

  /** Who has a lock. */
  holder(name: string): Page | undefined {
    return this.#held.get(name)?.tab;
  }

  #grant(name: string, request: Request): void {
    this.#held.set(name, request);
    request.tab.do("lock", async () => {
      await request.grant();
      if (this.#held.get(name) === request) this.#release(name);
    });
  }

  #release(name: string): void {
    this.#held.delete(name);
    this.#next(name);
  }

  #next(name: string): void {
    const first = this.#lines.get(name);
    if (first?.length && !this.#held.has(name)) this.#grant(name, first.shift()!);
  }
}

/** Every promise that can go on has. */
function drained(): Promise<void> {
  return new Promise((resolve) => nodesImmediate(resolve));
}

/** One tab, as what runs in it sees it: see `Surroundings`. */
export class Page implements Surroundings {
  running = true;
  /** It does not exist any more. */
  gone = false;
  /** How many of the next messages to it get lost. */
  loses = 0;
  readonly #browser: Browser;
  #isHidden = false;
  readonly #tasks = new Map<string, Task[]>();
  readonly #timers = new Set<Timer>();
  readonly #events = new EventTarget();
  readonly #channels = new Set<Channel>();

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  readonly navigator = {
    locks: {
      request: (name: string, options: LockOptions, act: LockGrantedCallback<unknown>) =>
        this.#browser.request(this, name, options, act),
    } as Surroundings["navigator"]["locks"],
  };

  readonly performance = { now: () => this.#browser.now };

  readonly BroadcastChannel = channelOf(this);

  addEventListener(name: string, listener: Task, options: AddEventListenerOptions): void {
    this.#events.addEventListener(name, listener, options);
  }

  setInterval(act: Task, every: number): Timer {
    return this.#timer(act, every, every);
  }

  setTimeout(act: Task, wait = 0): Timer {
    return this.#timer(act, wait, undefined);
  }

  clearInterval(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** It hangs: nothing runs in it, and nothing tells it so. */
  hang(): void {
    this.running = false;
  }

  /** It goes on where it hung. */
  goOn(): void {
    if (this.#isHidden) this.show();
    else this.running = !this.gone;
  }

  /** The browser freezes it. */
  freeze(): void {
    this.#events.dispatchEvent(new Event("freeze"));
    this.running = false;
  }

  /** The browser wakes it. */
  resume(): void {
    this.running = true;
    this.#events.dispatchEvent(new Event("resume"));
  }

  /** Its user leaves the page, and the browser keeps it for the way back. */
  hide(): void {
    this.#events.dispatchEvent(new Event("pagehide"));
    this.running = false;
    this.#isHidden = true;
  }

  /** Its user comes back. */
  show(): void {
    this.running = true;
    this.#isHidden = false;
    this.#events.dispatchEvent(new Event("pageshow"));
  }

  /** Its user closes it; it may run until then. */
  shut(): void {
    if (this.running) this.#events.dispatchEvent(new Event("pagehide"));
    this.crash();
  }

  /** It is gone without a word. */
  crash(): void {
    this.running = false;
    this.gone = true;
    this.#tasks.clear();
    this.#timers.clear();
    this.#channels.clear();
    this.#browser.gone(this);
  }

  /** Something happens in it, when it can; in order with what comes from the same source. */
  do(source: string, task: Task): void {
    if (this.gone) return;
    const tasks = this.#tasks.get(source) ?? [];
    tasks.push(task);
    this.#tasks.set(source, tasks);
  }

  /** Whether it has something to do, and can. */
  get busy(): boolean {
    return this.running && this.#tasks.size > 0;
  }

  /** Does what comes next. */
  step(): void {
    const sources = [...this.#tasks.keys()];
    const source = sources[this.#browser.pick(sources.length)]!;
    const tasks = this.#tasks.get(source)!;
    const task = tasks.shift();
    if (!tasks.length) this.#tasks.delete(source);
    task?.();
  }

  /** When a timer is due; never while it does not run. */
  get due(): number {
    return this.running ? Math.min(...[...this.#timers].map((each) => each.due)) : Infinity;
  }

  /** Has the timers act that are due. */
  tick(): void {
    for (const timer of this.#timers) {
      if (!this.running || timer.due > this.#browser.now) continue;
      timer.due = timer.every ? this.#browser.now + timer.every : Infinity;
      this.do("timer", () => {
        if (!this.#timers.has(timer)) return;
        if (!timer.every) this.#timers.delete(timer);
        timer.act();
      });
    }
  }

  #timer(act: Task, wait: number, every: number | undefined): Timer {
    const timer = { act, every, due: this.#browser.now + wait };
    this.#timers.add(timer);
    return timer;
  }

  /** Its channels of a name. */
  joined(channel: Channel): void {
    this.#channels.add(channel);
  }

  has(channel: Channel): boolean {
    return this.#channels.has(channel);
  }

  left(channel: Channel): void {
    this.#channels.delete(channel);
  }

  /** Tells all other channels of a name. */
  tell(from: Channel, data: unknown): void {
    for (const tab of this.#browser.tabs) {
      for (const channel of tab.#channels) {
        if (channel === from || channel.name !== from.name) continue;
        if (tab.loses > 0) tab.loses -= 1;
        else tab.do("channel", () => tab.has(channel) && channel.onmessage?.({ data }));
      }
    }
  }
}

interface Channel {
  readonly name: string;
  onmessage: ((event: { data: unknown }) => void) | null;
}

function channelOf(tab: Page): Surroundings["BroadcastChannel"] {
  class FakeChannel implements Channel {
    readonly name: string;
    onmessage: Channel["onmessage"] = null;

    constructor(name: string) {
      this.name = name;
      tab.joined(this);
    }

    postMessage(data: unknown): void {
      if (!tab.has(this)) throw new DOMException("it is closed", "InvalidStateError");
      tab.tell(this, structuredClone(data));
    }

    close(): void {
      tab.left(this);
    }
  }
  return FakeChannel as unknown as Surroundings["BroadcastChannel"];
}
