/**
 * The deciding core of a client without sockets and timers: memory, session and
 * store, on a clock that the test moves. The test is the server.
 */

import type { Event } from "../../src/core/events.ts";
import type { SessionOptions } from "../../src/core/session.ts";
import type { Op, Write } from "../../src/core/storage-ops.ts";
import { stateOf } from "../../src/core/storage-ops.ts";
import type { TabMessage } from "../../src/core/tab-messages.ts";
import { RhtmxError } from "../../src/errors.ts";
import type { Message, ServerMessage } from "../../src/messages/types.ts";
import { alone } from "../../src/runtime/single-tab.ts";
import { Tab } from "../../src/runtime/tab.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { codecOf, decode, encode } from "../../src/wire/index.ts";
import { TestSession } from "./session.ts";

/** A disk that can be full. */
export class TestStore extends MemoryStore {
  full = false;

  override async add(write: Write, instead?: string): Promise<number> {
    this.#check();
    return super.add(write, instead);
  }

  override async apply(ops: readonly Op[], leader?: string): Promise<boolean> {
    this.#check();
    return super.apply(ops, leader);
  }

  #check(): void {
    if (this.full) throw new RhtmxError("storage_full", "the disk is full");
  }
}

/** One run of a program. */
export class Driver {
  readonly store: TestStore;
  readonly tab: Tab;
  readonly #options: Partial<SessionOptions>;
  session!: TestSession;
  readonly state = stateOf();
  now = 0;
  /** What was sent since the last look. */
  sent: Message[] = [];
  /** What was told since the last look. */
  told: Event[] = [];
  /** What is to be stored, and is not. */
  unstored: Op[] = [];
  #wantsFlush = false;
  static runs = 0;

  /** Starts a program on a store; use `create`. */
  private constructor(store: TestStore, options: Partial<SessionOptions>) {
    this.store = store;
    this.#options = options;
    this.tab = new Tab(store, alone(), `run${(Driver.runs += 1)}`, this.state);
  }

  static async create(store: TestStore, options: Partial<SessionOptions> = {}): Promise<Driver> {
    const driver = new Driver(store, options);
    await driver.tab.ready;
    const random = () => 0.5;
    driver.session = new TestSession(
      { codec: codecOf("json"), random, ...driver.#options },
      driver.state,
    );
    driver.lead();
    return driver;
  }

  /** The session takes what tabs say. */
  lead(): void {
    this.tab.lead((message) => this.run(() => this.session.told(message, this.now)));
  }

  /** Does something, and what follows from it. */
  run(act: () => void): void {
    act();
    if (this.#wantsFlush) return;
    this.#wantsFlush = true;
    for (let more = true; more; ) {
      const { frames, events, ops } = this.session.take();
      this.sent.push(...frames.map((frame) => decode(frame, "json")));
      this.unstored.push(...ops);
      this.tab.noted(ops);
      events.forEach((event) => this.#handle(event));
      more = frames.length + events.length + ops.length > 0;
    }
    this.#wantsFlush = false;
  }

  /** Lets what is under way end. */
  async settle(): Promise<void> {
    for (let round = 0; round < 4; round += 1) {
      await this.#flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A connection is made. */
  connect(): void {
    this.run(() => this.session.told({ type: "wake" }, this.now));
    this.run(() => this.session.opened(this.now));
  }

  /** The server says something. */
  says(...messages: ServerMessage[]): void {
    for (const message of messages) {
      this.run(() => this.session.receive(encode(message, "json"), this.now));
    }
  }

  /** It says something that may be new. */
  hears(text: string): void {
    this.run(() => this.session.receive(text, this.now));
  }

  lose(code?: number): void {
    this.run(() => this.session.lost(code, this.now));
  }

  /** Time passes; what is due on the way is done. */
  elapse(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      const { deadline } = this.session;
      this.now = Math.max(this.now, Math.min(end, deadline ?? end));
      this.run(() => this.session.tick(this.now));
      if ((this.session.deadline ?? Infinity) > end) break;
      if (this.session.deadline === deadline && this.now >= end) break;
    }
    this.now = end;
    this.run(() => {});
  }

  #handle(event: Event): void {
    this.told.push(event);
    if (event.type === "renew") void this.#renew(event.write);
    else if (event.type === "reload") {
      void this.#flush()
        .then(() => this.tab.reload(() => [...this.unstored]))
        .then(() => this.run(() => this.session.loaded()));
    } else if (!["connect", "disconnect", "token"].includes(event.type)) {
      this.tab.tell(event as TabMessage);
    }
  }

  /** As the leader does it. */
  async #renew(write: Write): Promise<void> {
    const { id } = write;
    try {
      const renewed = { ...write, seq: await this.store.add(write) };
      this.tab.tell({ type: "ops", ops: [["write", id, renewed]] });
      this.run(() => this.session.told({ type: "added", write: renewed }, this.now));
    } catch {
      this.run(() => this.session.unnumbered(id, this.now));
    }
  }

  async #flush(): Promise<void> {
    const ops = this.unstored;
    if (!ops.length) return;
    this.unstored = [];
    try {
      await this.store.apply(ops);
    } catch {
      this.unstored = [...ops, ...this.unstored];
      return;
    }
    this.run(() => this.session.stored(ops));
  }
}
