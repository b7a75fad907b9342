/**
 * Whole clients in the tabs of a browser without pages: one store and one
 * server for all, and time that passes when the test says so.
 */
import { vi } from "vitest";

import * as compose from "../../src/core/build-message.ts";
import type { State, Write } from "../../src/core/storage-ops.ts";
import { stateOf } from "../../src/core/storage-ops.ts";
import type { RhtmxError } from "../../src/errors.ts";
import type { Message, Push } from "../../src/messages/types.ts";
import { takeTurns } from "../../src/runtime/leader.ts";
import { LeaderElection } from "../../src/runtime/leader-election.ts";
import { Tab } from "../../src/runtime/tab.ts";
import type { Disk } from "../../src/stores/fallback.ts";
import { Fallback } from "../../src/stores/fallback.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import type { Frame } from "../../src/wire/index.ts";
import { codecOf, decode } from "../../src/wire/index.ts";
import type { Page } from "./browser.ts";
import { Browser } from "./browser.ts";
import { FakeDisk } from "./disk.ts";
import { Service } from "./service.ts";
import { FakeWebSocket } from "./sockets.ts";

/** Clients in tabs, each with its own way to the store of all. */
export abstract class Clients<D extends Disk> {
  readonly browser: Browser;
  readonly service = new Service();
  readonly clients: TabClient<D>[] = [];
  #count = 0;

  /** @param pick which of so many comes first where there is no order. */
  constructor(pick: (count: number) => number) {
    this.browser = new Browser(pick);
    const real = globalThis.setTimeout;
    vi.stubGlobal("setTimeout", (act: () => void, wait?: number) => {
      const { current } = this.browser;
      return current ? current.setTimeout(act, wait) : real(act, wait);
    });
    vi.stubGlobal("clearTimeout", (timer: unknown) => this.browser.current?.clearInterval(timer));
    vi.spyOn(performance, "now").mockImplementation(() => this.browser.now);
  }

  /** How a tab reaches the store. */
  protected abstract diskOf(page: Page, state: State, makeId: () => string): D;

  /** How much was written. */
  get count(): number {
    return this.#count;
  }

  /** Opens a tab with a client. */
  async open(): Promise<void> {
    const page = this.browser.open();
    const diskOf = (state: State, makeId: () => string) => this.diskOf(page, state, makeId);
    await this.browser.in(page, () =>
      this.clients.push(new TabClient(page, this.service, this.clients.length, diskOf)),
    );
  }

  /** Writes in a tab: something new, into a record of its own if none is given. */
  async write(client: TabClient<D>, record?: string): Promise<void> {
    const data = `w${String(++this.#count).padStart(3, "0")}`;
    await this.browser.in(client.page, () => client.write(record ?? data, data));
  }

  /** Every connection is cut; what is on its way is lost. */
  cut(): void {
    for (const client of this.clients) client.sockets.forEach((socket) => socket.cut());
  }
}

/** Whose store is in memory. */
export class Window extends Clients<FakeDisk> {
  /** What was written, as far as it is in the store. */
  readonly kept: string[] = [];
  store = new MemoryStore("c1", "hush");

  /** The database is gone; what takes its place is empty, and somebody else. */
  async wipe(): Promise<void> {
    this.store = new MemoryStore(`c1 after ${this.count}`, "hush");
    for (const { page, disk } of this.clients)
      await this.browser.in(page, () => disk.breaks("it was taken away"));
  }

  protected override diskOf(page: Page): TabDisk {
    return new TabDisk(page, this);
  }
}

/** A client in a tab, put together as `client.ts` does it. */
export class TabClient<D extends Disk = FakeDisk> {
  readonly page: Page;
  readonly tab: Tab;
  readonly state = stateOf();
  readonly store: Fallback;
  readonly disk: D;
  readonly sockets = new Set<TabSocket>();
  readonly errors: string[] = [];
  /** What became of its writes. */
  readonly outcomes = new Map<string, string>();
  /** What was refused at once for want of room. */
  readonly refused: string[] = [];
  isClosed = false;
  readonly #stop: () => void;

  constructor(
    page: Page,
    service: Service,
    index: number,
    diskOf: (state: State, makeId: () => string) => D,
  ) {
    const id = `tab${index}`;
    const sockets = this.sockets;
    class Recorded extends TabSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, page, service, sockets);
      }
    }
    this.page = page;
    let ids = 0;
    const makeId = () => `${id} ${++ids}`;
    const state = this.state;
    this.disk = diskOf(state, makeId);
    const channel = new LeaderElection("rhtmx:test", id, page);
    this.store = new Fallback(this.disk, state, makeId);
    this.tab = new Tab(this.store, channel, id, state);
    this.tab.on("error", ({ message }) => this.errors.push(message));
    const random = () => 0.5;
    const options = {
      url: "ws://x",
      WebSocket: Recorded,
      codec: codecOf("json"),
      leader: id,
      random,
      store: this.store,
      channel,
      state,
    } as const;
    this.#stop = takeTurns(this.tab, options);
    this.tab.open("tasks", false);
  }

  /** It is done, and its page goes on. */
  close(): void {
    this.isClosed = true;
    this.#stop();
    this.tab.close();
  }

  write(id: string, data: string): void {
    this.outcomes.set(data, "waiting");
    const message = compose.push("tasks", id, "update", data, {});
    const refused = ({ code }: RhtmxError) => {
      this.outcomes.set(data, "refused");
      if (code !== "storage_full") return;
      this.outcomes.delete(data);
      this.refused.push(data);
    };
    void this.tab.write(message).then(() => this.outcomes.set(data, "durable"), refused);
  }
}

/** The store, as a tab sees it: what comes of a call comes when the tab can hear it. */
class TabDisk extends FakeDisk {
  readonly #page: Page;
  readonly #kept: string[];

  constructor(page: Page, window: Window) {
    super(() => window.store);
    this.#page = page;
    this.#kept = window.kept;
  }

  override add(write: Write, instead?: string): Promise<number> {
    if (!this.why && !this.full) this.#kept.push((write.message as Push).data as string);
    return super.add(write, instead);
  }

  protected override later<T>(act: () => Promise<T>): Promise<T> {
    const promise = super.later(act);
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#page.do("store", () => resolve(value)),
        (error) => this.#page.do("store", () => reject(error)),
      );
    });
  }
}

/** A socket whose other side is the service; its tab hears of it when it can. */
class TabSocket extends FakeWebSocket {
  readonly #page: Page;
  readonly #service: Service;
  readonly #all: Set<TabSocket>;

  constructor(url: string, protocols: string[], page: Page, service: Service, all: Set<TabSocket>) {
    super(url, protocols);
    this.#page = page;
    this.#service = service;
    this.#all = all;
    all.add(this);
    page.do("socket", () => this.opens());
  }

  override send(data: Frame): void {
    if (this.#all.has(this)) this.#service.hear(this, decode(data, this.format));
  }

  override says(...messages: Message[]): void {
    this.#page.do("socket", () => {
      if (this.#all.has(this)) super.says(...messages);
    });
  }

  override close(code?: number): void {
    super.close(code);
    this.#gone();
  }

  /** The network is gone. */
  cut(): void {
    this.#gone();
    this.#page.do("socket", () => this.ends(1006));
  }

  #gone(): void {
    this.#all.delete(this);
    this.#service.gone(this);
  }
}
