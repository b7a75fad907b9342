/**
 * The part of a client that is in every tab: memory, what is shown of it, and
 * the promises of this tab.
 *
 * Knows what was written, asked and opened here. Must not know the connection:
 * it talks to the part that leads in the words of `tab-messages.ts`, here or in another
 * tab.
 *
 * Listeners may call anything here. So none is called within a step, when the step is half done:
 * calls of listeners are collected, and made in order once the step has ended. What listeners
 * cause comes after all that was collected before.
 */

import type { Draft } from "../core/build-message.ts";
import { kept, makeWrite } from "../core/build-message.ts";
import type { Rejected, Stop } from "../core/options.ts";
import type { Row } from "../core/overlay.ts";
import { steady, View } from "../core/overlay.ts";
import { entityIn, within } from "../core/part.ts";
import type { Progress } from "../core/progress.ts";
import { progressOf } from "../core/progress.ts";
import { filtering, NOTHING } from "../core/row-list.ts";
import type { Op, Pending, State, Store, Write } from "../core/storage-ops.ts";
import { entityOf, QUEUE, REJECTED, stateOf } from "../core/storage-ops.ts";
import { otherGranularity } from "../core/streams.ts";
import type {
  State as Connection,
  Question,
  TabChannel,
  TabMessage,
  Why,
} from "../core/tab-messages.ts";
import { inOrder, placeOf } from "../core/write-order.ts";
import type { Refusal } from "../errors.ts";
import { RhtmxError, typed } from "../errors.ts";
import type { ServerMessage } from "../messages/types.ts";
import { checkFromClient } from "../wire/index.ts";
import { answerable, offer } from "./conflict-actions.ts";
import { HEARTBEAT } from "./leader-election.ts";
import { Listeners } from "./listeners.ts";
import { PendingPromises } from "./pending-promises.ts";
import { pause } from "./platform.ts";
import { TabMemory } from "./tab-memory.ts";
import { TabRooms } from "./tab-rooms.ts";

/** Showing may take a fifth of the time: while much arrives, less often what is long. */
const PATIENCE = 4;

/** So many rows are made before the page has its turn: some milliseconds. */
const AT_A_TIME = 4_000;

/** What is known of the acknowledgement of a write when it was missed, whichever it was. */
const UNKNOWN = { version: 0, duplicate: true, transaction: "", results: [], conflicts: 0 };

/** What a client has in each tab. */
export class Tab {
  /** The store was read, or cannot be. */
  readonly ready: Promise<void>;
  /** Who is where, and what is wanted of that here. */
  readonly rooms: TabRooms;
  readonly #store: Store;
  readonly #channel: TabChannel;
  readonly #state: State;
  readonly #memory: TabMemory;
  readonly #prefix: string;
  readonly #listeners = new Listeners();
  readonly #views = new Map<string, View>();
  readonly #parts = new Map<string, (rows: readonly Row[]) => readonly Row[]>();
  readonly #promises = new PendingPromises();
  readonly #open = new Map<string, boolean>();
  readonly #watched = new Set<string>();
  /** Why entities are not read, as it was reported. */
  readonly #unread = new Map<string, string>();
  /** Writes that wait until the store is loaded. */
  readonly #early = new Set<string>();
  /** Writes that another page has found and stored: what became of them shows what is read next. */
  readonly #elsewhere = new Set<string>();
  /** Who wants no connection. */
  readonly #against = new Set<Why>();
  /** What has to be looked at anew before it is shown: `QUEUE` and `REJECTED`. */
  readonly #stale = new Set<string>();
  /** Calls of listeners, for the end of the step; see the head of the file. */
  readonly #outlet: (() => void)[] = [];
  #depth = 0;
  #connection: Connection = "connecting";
  /** Takes what tabs say while this one leads. */
  #leader: ((message: TabMessage) => void) | undefined;
  #lacks: RhtmxError | undefined;
  #loaded = false;
  #ids = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #soon: Promise<void> | undefined;
  #pause = 0;
  #queue: readonly Pending[] = NOTHING;
  #rejected: readonly Rejected[] = NOTHING;
  #said = false;
  /** Why there is no connection, as it was reported. */
  #why: string | undefined;

  /**
   * @param prefix a random one: nobody else has ids that begin with it.
   * @param state the memory to work on, if somebody else knows it.
   */
  constructor(store: Store, channel: TabChannel, prefix: string, state = stateOf()) {
    this.#store = store;
    this.#channel = channel;
    this.#prefix = prefix;
    this.#state = state;
    this.#memory = new TabMemory(store, state);
    this.rooms = new TabRooms(prefix, (message) => this.send(message));
    channel.onmessage = (message) => this.hear(message);
    store.onlost = (error) => this.report(error);
    store.onmove = (standing) => channel.stand?.(standing);
    store.onback = () => this.load();
    this.ready = this.load();
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** The id that others see of what is written here; empty until the store is loaded. */
  get clientId(): string {
    return this.#state.meta.client_id;
  }

  /** The epoch of what is held of an entity; undefined if nothing of it was received. */
  epochOf(entity: string): string | undefined {
    const [place] = this.#state.entities.get(entity)?.places.values() ?? [];
    return place?.version ? place.epoch : undefined;
  }

  /** How far a long load of a part is; undefined: none is under way, as far as is known. */
  progressOf(name: string): Progress | undefined {
    const place = this.#state.entities.get(entityIn(name))?.places.get(name);
    return place && progressOf(place.head, place.version);
  }

  /** Whether this tab has the connection of all. */
  get leads(): boolean {
    return !!this.#leader;
  }

  /** Why there is no way to a server here, if so. */
  get lacks(): RhtmxError | undefined {
    return this.#lacks;
  }

  /** Calls a listener with each event of that name. */
  on(name: string, listener: (...args: never[]) => void): Stop {
    return this.#listeners.on(name, listener);
  }

  /** A step begins: listeners are called when it has ended. */
  begin(): void {
    this.#depth += 1;
  }

  /** A step ends. */
  end(): void {
    // What listeners do meanwhile are steps within this one: told in their turn.
    if (this.#depth === 1)
      for (let tell = this.#outlet.shift(); tell; tell = this.#outlet.shift()) tell();
    this.#depth -= 1;
  }

  #step(act: () => void): void {
    this.begin();
    try {
      act();
    } finally {
      this.end();
    }
  }

  /** Tells everybody: the other tabs, this one, the leader. */
  send(message: TabMessage): void {
    // First, so that others get what comes of it after it.
    this.#channel.post(message);
    this.hear(message);
  }

  /** Another tab tells something. */
  hear(message: TabMessage): void {
    this.#step(() => {
      this.#take(message);
      this.#leader?.(message);
    });
  }

  /** Tells the other tabs and this one, as the leader. */
  tell(message: TabMessage): void {
    this.#channel.post(message);
    this.#step(() => this.#take(message));
  }

  /** This tab leads from now on: `leader` takes what tabs say. It does no longer without one. */
  lead(leader?: (message: TabMessage) => void): void {
    this.#leader = leader;
    // First of all whether a connection is wanted.
    for (const why of this.#against) leader?.({ type: "offline", why });
  }

  /** A session has applied these to memory, and will have them stored. */
  noted(ops: readonly Op[]): void {
    for (const op of ops) this.#memory.note(op);
    this.#changed();
  }

  /** The rows of a part, as they are shown; the same array as long as nothing changed. */
  rows(name: string): readonly Row[] {
    if (!this.#loaded) return NOTHING;
    const entity = entityIn(name);
    const rows = this.#view(entity).list(entityOf(this.#state, entity));
    if (name === entity) return rows;
    const isIn = within(name);
    const part = this.#parts.get(name) ?? filtering<Row>(({ data }) => isIn(data));
    this.#parts.set(name, part);
    return part(rows);
  }

  /** One of them. */
  row(name: string, id: string): Row | undefined {
    const entity = entityIn(name);
    const row = this.#loaded
      ? this.#view(entity).row(entityOf(this.#state, entity), id)
      : undefined;
    return row && within(name)(row.data) ? row : undefined;
  }

  /** The writes without an answer. */
  get queue(): readonly Pending[] {
    if (this.#stale.delete(QUEUE)) {
      const all = inOrder(this.#state.writes);
      const now = all.slice(placeOf(all, { seq: -Infinity }));
      this.#queue = steady(this.#queue, now);
    }
    return this.#queue;
  }

  /** The writes that were rejected for good. */
  get rejected(): readonly Rejected[] {
    if (this.#stale.delete(REJECTED)) {
      const before = new Map(this.#rejected.map((each) => [each.id, each]));
      const now = [...this.#state.rejected.values()].map((each) => {
        const known = before.get(each.id);
        return known ? steady(known, { ...known, ...each }) : offer(this, each);
      });
      this.#rejected = steady(this.#rejected, now);
    }
    return this.#rejected;
  }

  /** There is no way to a server here, and never will be: calls are rejected, and say why. */
  lack(why: RhtmxError): void {
    this.#lacks = why;
    this.#connection = "closed";
  }

  /** Somebody listens to what only a server can tell: that none will is said, once. */
  expect(): void {
    const lacks = this.#lacks;
    if (!lacks || this.#said) return;
    this.#said = true;
    void this.ready.then(() => this.report(lacks));
  }

  /**
   * Writes. Shown at once; kept before it is sent; resolves when the server has it.
   *
   * @param instead the rejected write that this one replaces.
   * @param epoch that of the versions that it names, if that is not of what is held.
   * @param now when the user did it, in milliseconds since 1970.
   */
  write<M extends ServerMessage>(
    draft: Draft,
    instead?: string,
    epoch?: string,
    now = Date.now(),
  ): Promise<M> {
    return this.#promise((id) => {
      const write = makeWrite(id, draft, now, this.#state, epoch);
      if (this.#loaded) return this.#keep(write, instead);
      // What it builds on is not known yet: a page that ends before leaves what is known.
      this.#early.add(id);
      this.#store.hold?.(write, instead ?? "");
      const again = kept(draft, write);
      void this.ready
        .then(() => {
          // Another page may have found and sent it meanwhile, and told so.
          if (!this.#early.has(id)) return;
          this.#keep(makeWrite(id, again, now, this.#state, epoch), instead);
        })
        .catch((error) => this.#promises.settle(id, undefined, error));
    });
  }

  #keep(write: Write, instead: string | undefined): void {
    const { id } = write;
    this.#early.delete(id);
    // Another page may have found it before this one was there.
    if (this.#state.writes.has(id)) return;
    // It is kept, as everything is that waits when a client is closed.
    if (this.#connection === "closed") return void this.#store.add(write, instead).catch(() => {});
    this.#apply([["write", id, write]]);
    this.#showSoon();
    this.add(write, instead);
  }

  /** Has the store keep a write, and number it. */
  add(write: Write, instead?: string): void {
    const begun = performance.now();
    this.#store.add(write, instead).then(
      (seq) => {
        // Unless the leader found it in the store before this tab came round, and has told so.
        const known = this.#state.writes.get(write.id);
        if (!known || known.seq) return;
        if (!seq) {
          this.#drop(write.id);
          this.#elsewhere.add(write.id);
          this.send({ type: "hole" });
          return this.#lost();
        }
        const client = this.clientId;
        const added = { type: "added", write: { ...known, seq }, instead, client } as const;
        if (performance.now() - begun < HEARTBEAT) return this.send(added);
        // This tab hung. Whether anything is left to be sent only the store knows.
        this.#step(() => this.#take(added));
        this.send({ type: "hole" });
        this.#lost();
      },
      (error: RhtmxError) => {
        this.#drop(write.id);
        this.#promises.settle(write.id, undefined, error);
        this.report(error);
      },
    );
  }

  #drop(id: string): void {
    this.#memory.drop(id);
    this.#changed();
  }

  /** Asks. */
  ask<M extends ServerMessage>(question: Question): Promise<M> {
    return this.#promise((id) => {
      checkFromClient({ ...question, request_id: id });
      this.send({ type: "ask", id, question });
    }, question);
  }

  /**
   * Begins to read a part of an entity, by its name: see `part.ts`.
   *
   * @throws RhtmxError `not_supported`: the entity is read at the other granularity.
   */
  open(entity: string, fields: boolean): void {
    if (this.#reads(entity, !fields)) throw otherGranularity(entity);
    if (this.#open.has(entity)) return;
    this.#open.set(entity, fields);
    this.send({ type: "open", entity, fields, tab: this.#prefix });
  }

  /** Whether an entity is read at a granularity here. */
  #reads(name: string, fields: boolean): boolean {
    const watched = [...this.#watched].map((each) => [each, false] as const);
    return [...this.#open, ...watched].some(
      ([each, byField]) => byField === fields && entityIn(each) === entityIn(name),
    );
  }

  /** Reads an entity no longer. What is held of it stays. */
  shut(entity: string): void {
    this.#unread.delete(entity);
    if (this.#open.delete(entity)) this.send({ type: "shut", entity, tab: this.#prefix });
  }

  /** Listens to the changes of a part; the last one who stops ends it. */
  changes(entity: string, listener: (change: never) => void): Stop {
    if (this.#reads(entity, true)) throw otherGranularity(entity);
    this.expect();
    const seen = `seen ${entity}`;
    const tab = this.#prefix;
    const stop = this.on(seen, listener);
    if (!this.#watched.has(entity)) this.send({ type: "watch", entity, tab });
    this.#watched.add(entity);
    return () => {
      stop();
      if (!this.#listeners.hears(seen) && this.#watched.delete(entity)) {
        this.send({ type: "unwatch", entity, tab });
      }
    };
  }

  #take(message: TabMessage): void {
    switch (message.type) {
      case "ops":
        return this.#takeOps(message.ops, message.leader);
      case "added":
        return this.#added(message.write, message.instead, message.client);
      case "state":
        return this.#become(message.state, message.error);
      case "outcome":
      case "answer":
        this.#early.delete(message.id);
        return this.#promises.settle(message.id, message.answer, message.error);
      case "conflict":
        return this.#emit("conflict", answerable(this, message.conflict));
      case "room":
        return this.rooms.take(message.room, message.now)
          ? this.#emit(`room ${message.room}`)
          : undefined;
      case "told":
        return this.#emit(`told ${(message.message as ServerMessage).type}`, message.message);
      case "problem":
        return this.report(typed(message.error));
      case "rejected":
        return this.#notRead(message.entity, message.fields, typed(message.error));
      case "synced":
      case "seen":
        if (message.type === "synced") this.#unread.delete(message.entity);
        return this.#emit(`${message.type} ${message.entity}`, message.change);
      case "offline":
        return void this.#against.add(message.why);
      case "online":
        return void this.#against.delete(message.why);
      case "hello":
        for (const why of this.leads ? this.#against : [])
          this.#channel.post({ type: "offline", why });
        return;
      case "gone":
        // This tab is there: its lock has changed hands.
        return message.tab === this.#prefix && !this.leads ? this.again(true) : undefined;
      case "lead":
        return this.#led(message.leader, message.client);
      case "lost":
        return this.#lost();
      case "unshared":
        return this.#store.refuse?.(message.why);
    }
  }

  /** Another tab leads: the one before may have stored what it could not tell any more. */
  #led(leader: string, client: string | undefined): void {
    if (!this.leads && this.#isOf(client)) this.#state.meta.leader = leader;
    this.#lost();
  }

  /** Applies what another tab has told; `leader`: whoever leads, as it said. */
  #takeOps(ops: readonly Op[], leader: string | undefined): void {
    // Late, of one that does not lead any more; or this tab has missed who does.
    if (leader && leader !== this.#state.meta.leader) return this.#lost();
    this.#apply(ops);
    this.#settleMissed();
  }

  /** What the leader holds is what counts. */
  #lost(): void {
    if (this.leads) return;
    void this.load().then(() => {
      this.#channel.post({ type: "hello" });
      this.again(true);
    });
  }

  /** Says everything to a new leader. `missed`: there may be changes that this tab was not told. */
  again(missed?: boolean): void {
    const tab = this.#prefix;
    for (const [entity, fields] of this.#open) this.send({ type: "open", entity, fields, tab });
    for (const entity of this.#watched) this.send({ type: "watch", entity, tab, missed });
    this.rooms.again();
    for (const [id, question] of this.#promises.all) {
      if (question) this.send({ type: "ask", id, question });
    }
  }

  /** Memory has changed: listeners are called soon, once for all that changes until then. */
  #changed(): void {
    this.#store.look?.(this.#connection === "open");
    const { changed } = this.#state;
    for (const name of [QUEUE, REJECTED]) if (changed.has(name)) this.#stale.add(name);
    if (!this.#loaded || !changed.size) return;
    this.#timer ??= setTimeout(() => this.#show(), this.#pause);
  }

  /** Tells whoever looks, now, and whether it was written here. */
  #show(own = false): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const names = [...this.#state.changed];
    this.#state.changed.clear();
    this.#after(() => {
      // This takes as long as much has come, however often it is done: it is no reason to wait.
      for (const name of names) if (this.#hasRows(name)) this.rows(name);
      const begun = performance.now();
      for (const name of names) this.#listeners.emit(`rows ${name}`, own);
      this.#pause = PATIENCE * (performance.now() - begun);
    });
  }

  /** Whether that is an entity, and somebody looks at its rows. */
  #hasRows(name: string): boolean {
    return this.#state.entities.has(name) && this.#listeners.hears(`rows ${name}`);
  }

  /** The first of several writes in one go shows now, as a controlled input needs; the rest after it. */
  #showSoon(): void {
    if (this.#soon) return;
    this.#show(true);
    this.#soon = Promise.resolve().then(() => {
      this.#soon = undefined;
      this.#show(true);
    });
  }

  /** Applies operations here, in the store and in the other tabs. */
  commit(...ops: Op[]): void {
    this.send({ type: "ops", ops });
    this.#store.apply(ops).catch((error: RhtmxError) => this.report(error));
  }

  /** Loads the queue anew, for all tabs; see `TabMemory`. */
  async reload(unstored: () => Op[]): Promise<void> {
    // Who leads by the time that all is read knows better: what was answered would come back.
    const { leader } = this.#state.meta;
    const elsewhere = this.#toBeFound();
    this.#tellOps(await this.#memory.reload(unstored), leader);
    this.#settleMissed(elsewhere);
    this.#changed();
  }

  /** Tells the other tabs what has changed, as the leader. */
  #tellOps(ops: readonly Op[], leader = this.#state.meta.leader): void {
    this.#channel.post({ type: "ops", ops, leader });
  }

  /** This tab is done. */
  close(): void {
    this.#emit("closed");
    this.#become("closed", { code: "closed", message: "the client was closed", details: null });
    clearTimeout(this.#timer);
    // What was written before it could be read is stored first.
    void this.ready.then(() => this.#store.close());
  }

  /** Reads everything from the store. */
  async load(): Promise<void> {
    const elsewhere = this.#toBeFound();
    try {
      await this.#memory.load();
      // Anything may have come or gone; what is as it was stays the same row.
      for (const [name, view] of this.#views) view.doubt(entityOf(this.#state, name));
      // Later it may be shown meanwhile, and half of what was loaded is no state that ever was.
      if (!this.#loaded) await this.#prepare();
      this.#state.changed.add(QUEUE).add(REJECTED);
      this.#settleMissed(elsewhere);
    } catch (error) {
      this.report(error as RhtmxError);
      this.#state.meta.client_id ||= this.#prefix;
    }
    this.#loaded = true;
    this.#changed();
  }

  /**
   * Makes the rows of what is read here before anybody looks, some at a time: for a page with a
   * hundred thousand of them one go would take longer than it may be without an answer.
   */
  async #prepare(): Promise<void> {
    for (const name of new Set([...this.#open.keys()].map(entityIn))) {
      const { dirty } = entityOf(this.#state, name);
      if (dirty.size <= AT_A_TIME) continue;
      const all = [...dirty];
      dirty.clear();
      for (let at = 0; at < all.length; at += AT_A_TIME) {
        for (const id of all.slice(at, at + AT_A_TIME)) dirty.add(id);
        this.#view(name).list(entityOf(this.#state, name));
        await pause();
      }
    }
  }

  #view(entity: string): View {
    const view = this.#views.get(entity) ?? new View();
    this.#views.set(entity, view);
    return view;
  }

  #apply(ops: readonly Op[]): void {
    this.#memory.apply(ops);
    this.#changed();
  }

  /** Takes a write of another tab; where that comes late, the leader's word counts. */
  #added(write: Write, instead: string | undefined, client: string | undefined): void {
    if (!this.#isOf(client)) return this.#lost();
    const { id } = write;
    if (!this.#memory.added(write, client) && this.leads) {
      this.#tellOps([["write", id, this.#state.writes.get(id)]]);
    }
    this.#apply([["rejected", instead ?? ""]]);
  }

  /**
   * Whether what is told is of this tab's database. Another one may have taken its place, as this
   * tab will learn: what has a number there has none here.
   */
  #isOf(client = this.clientId): boolean {
    return client === this.clientId || !this.clientId;
  }

  #promise<M extends ServerMessage>(begin: (id: string) => void, question?: Question): Promise<M> {
    const id = `${this.#prefix}-${++this.#ids}`;
    const answer = this.#promises.wait<M>(id, question);
    try {
      if (this.#connection === "closed")
        throw this.#lacks ?? new RhtmxError("closed", "the client is closed");
      this.#step(() => begin(id));
    } catch (error) {
      this.#promises.settle(id, undefined, error as RhtmxError);
    }
    return answer;
  }

  /** What is elsewhere, if what is read from here on shows it. */
  #toBeFound(): readonly string[] {
    return this.#store.stored === false ? [] : [...this.#elsewhere];
  }

  /**
   * Outcomes that this tab did not hear: a write that is gone is durable.
   *
   * @param found what was elsewhere, and would have been read.
   */
  #settleMissed(found: readonly string[] = []): void {
    for (const id of found) this.#elsewhere.delete(id);
    const { writes, rejected } = this.#state;
    for (const [id, question] of this.#promises.all) {
      const write = writes.get(id);
      const isOpen = this.#early.has(id) || this.#elsewhere.has(id);
      if (question || isOpen || (write && !write.settled)) continue;
      const { code, text: message = "", details = null } = rejected.get(id) ?? {};
      this.#promises.settle(id, UNKNOWN, code && { code, message, details });
    }
  }

  #notRead(entity: string, fields: boolean, error: RhtmxError): void {
    const isWanted = this.#open.get(entity) === fields || (!fields && this.#watched.has(entity));
    if (!isWanted) return;
    // It is rejected again on each connection.
    if (this.#unread.get(entity) === error.message) return;
    this.#unread.set(entity, error.message);
    this.report(error);
    this.#emit(`rejected ${entity}`, error);
  }

  #become(state: Connection, error?: Refusal): void {
    // This tab may have missed `online`.
    if (state !== "offline") this.#against.clear();
    const isNew = error && error.message !== this.#why;
    if (state === this.#connection && (!isNew || state === "closed")) return;
    this.#connection = state;
    // The next attempt, which fails for the same reason, is not worth another word.
    if (error || state === "open") this.#why = error?.message;
    this.#store.look?.(state === "open");
    this.#emit("state", state, error && typed(error));
    if (state !== "closed") return isNew ? this.report(typed(error)) : undefined;
    this.#promises.end(error);
    this.#channel.close();
  }

  /** Tells listeners what went wrong and was no answer. */
  report(error: RhtmxError): void {
    this.#after(() => {
      if (!this.#listeners.emit("error", error)) console.error(error);
    });
  }

  #emit(name: string, ...args: unknown[]): void {
    this.#after(() => this.#listeners.emit(name, ...args));
  }

  /** Does something with listeners once the step is done. */
  #after(tell: () => void): void {
    this.#step(() => this.#outlet.push(tell));
  }
}
