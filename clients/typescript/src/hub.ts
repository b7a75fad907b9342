/**
 * The part of a client that is in every tab: memory, what is shown of it, and
 * the promises of this tab.
 *
 * Knows what was written, asked and opened here. Must not know the connection:
 * it talks to the part that leads in the words of `port.ts`, here or in another
 * tab.
 */
import { Answers } from "./answers.ts";
import { RhtmxError, typed } from "./errors.ts";
import { Listeners } from "./listeners.ts";
import { answerable, offer } from "./offers.ts";
import { View } from "./overlay.ts";
import { apply, bySeq, entityOf, QUEUE, REFUSED, stateOf } from "./store.ts";
import { checkEntity, otherGranularity } from "./streams.ts";
import { HEARTBEAT } from "./tabs.ts";
import { checkFromClient } from "./wire/index.ts";
import type { Refusal } from "./errors.ts";
import type { State as Connection } from "./events.ts";
import type { Push, PushFields, ServerMessage } from "./messages/types.ts";
import type { Rejected, Stop } from "./options.ts";
import type { Row } from "./overlay.ts";
import type { Port, Told } from "./port.ts";
import type { Question } from "./requests.ts";
import type { Op, Pending, State, Store, Write } from "./store.ts";

/** Showing may take a fifth of the time: while much arrives, less often what is long. */
const PATIENCE = 4;

/** What is known of the acknowledgement of a write when it was missed. */
const UNKNOWN = { version: 0, duplicate: true };

/** See the head of the file. */
export class Hub extends Listeners {
  readonly store: Store;
  readonly port: Port;
  state: State = stateOf();
  connection: Connection = "connecting";
  /** The store was read, or cannot be. */
  readonly ready: Promise<void>;
  /** Who wants no connection. */
  readonly against = new Set<"app" | "network">();
  /** Takes messages while this tab leads. */
  leader: ((message: Told) => void) | undefined;
  readonly #prefix: string;
  readonly #views = new Map<string, View>();
  readonly #answers = new Answers();
  readonly #open = new Map<string, boolean>();
  readonly #watched = new Map<string, number>();
  #loaded = false;
  /** What was told while the store is being read. */
  #told: Op[] | undefined = [];
  /** Writes that were found in the store, or by another tab, before they were told. */
  readonly #found = new Set<string>();
  #loading: Promise<void> = Promise.resolve();
  #ids = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pause = 0;
  #queue: readonly Pending[] | undefined;
  #rejected: readonly Rejected[] | undefined;

  /** @param prefix a random one: nobody else has ids that begin with it. */
  constructor(store: Store, port: Port, prefix: string) {
    super();
    this.store = store;
    this.port = port;
    this.#prefix = prefix;
    port.onmessage = (message) => {
      this.receive(message);
      this.leader?.(message);
    };
    store.onlost = (error) => this.#report(error);
    this.ready = this.load();
  }

  /** Tells everybody: this tab, the leader, the other tabs. */
  send(message: Told): void {
    this.receive(message);
    this.leader?.(message);
    this.port.post(message);
  }

  /** The rows of an entity, as they are shown. */
  rows(entity: string): readonly Row[] {
    if (!this.#loaded) return [];
    return this.#view(entity).list(entityOf(this.state, entity), this.state.writes);
  }

  /** One of them. */
  row(entity: string, id: string): Row | undefined {
    this.rows(entity);
    return this.#view(entity).rows.get(id);
  }

  /** The writes without an answer. */
  get queue(): readonly Pending[] {
    this.#queue ??= [...this.state.writes.values()].filter((each) => !each.settled).sort(bySeq);
    return this.#queue;
  }

  /** The writes that were refused for good. */
  get rejected(): readonly Rejected[] {
    this.#rejected ??= [...this.state.refused.values()].map((each) => offer(this, each));
    return this.#rejected;
  }

  /**
   * Writes. Shown at once; kept before it is sent; resolves when the server has it.
   *
   * @param make makes the message, once what it builds on is loaded.
   * @param refused the refused write that this one replaces.
   */
  write<M extends ServerMessage>(make: () => Push | PushFields, refused?: string): Promise<M> {
    if (!this.#loaded) return this.ready.then(() => this.write(make, refused));
    return this.#promise((id) => {
      const message = structuredClone(checkFromClient(make()));
      const { entity, entity_id: entityId } = message;
      const epoch = entityOf(this.state, entity).place?.epoch ?? this.state.meta.epoch;
      const write = { id, entity, entityId, message, epoch, since: Date.now() };
      this.#apply([["write", id, write]]);
      this.show();
      this.add(write, refused);
    });
  }

  /** Has the store keep a write, and number it. */
  add(write: Write, refused?: string): void {
    const begun = performance.now();
    this.store.add(write, refused).then(
      (seq) => {
        // Unless the leader found it in the store before this tab came round, and has told so.
        const known = this.state.writes.get(write.id);
        if (!known || known.seq) return;
        const added = { type: "added", write: { ...write, seq }, refused } as const;
        if (performance.now() - begun < HEARTBEAT) return this.send(added);
        // This tab hung. Whether anything is left to be sent only the store knows.
        this.receive(added);
        this.send({ type: "hole" });
        this.#lost();
      },
      (error: RhtmxError) => {
        this.#apply([["write", write.id]]);
        this.receive({ type: "outcome", id: write.id, error });
        this.#report(error);
      },
    );
  }

  /** Asks. */
  ask<M extends ServerMessage>(question: Question): Promise<M> {
    return this.#promise((id) => {
      checkFromClient({ ...question, request_id: id });
      this.send({ type: "ask", id, question });
    }, question);
  }

  /**
   * Begins to read an entity.
   *
   * @throws RhtmxError `not_supported`: it is read at the other granularity.
   */
  open(entity: string, fields: boolean): void {
    const before = this.#open.get(entity) ?? (this.#watched.get(entity) ? false : fields);
    if (before !== fields) throw otherGranularity(entity);
    if (this.#open.has(entity)) return;
    checkEntity(entity);
    this.#open.set(entity, fields);
    this.send({ type: "open", entity, fields });
  }

  /** Watches an entity; the last one who stops ends it. */
  watch(entity: string, listener: (change: never) => void): Stop {
    if (this.#open.get(entity)) throw otherGranularity(entity);
    checkEntity(entity);
    const count = (by: number) => {
      const now = (this.#watched.get(entity) ?? 0) + by;
      this.#watched.set(entity, now);
      return now;
    };
    const stop = this.on(`seen ${entity}`, listener);
    const tab = this.#prefix;
    if (count(1) === 1) this.send({ type: "watch", entity, tab });
    let stopped = false;
    return () => {
      if (stopped) return;
      stopped = true;
      stop();
      if (!count(-1)) this.send({ type: "unwatch", entity, tab });
    };
  }

  /** Takes a message. */
  receive(message: Told): void {
    switch (message.type) {
      case "ops":
        // Late, of one that does not lead any more; or this tab has missed who does.
        if (message.leader && message.leader !== this.state.meta.leader) return this.#lost();
        this.#apply(message.ops);
        return this.#settleMissed();
      case "added":
        return this.#added(message.write, message.refused);
      case "state":
        return this.#become(message.state, message.error);
      case "outcome":
      case "answer":
        return this.#answers.settle(message.id, message.answer, message.error);
      case "conflict":
        return void this.emit("conflict", answerable(this, message.conflict));
      case "problem":
        return this.#report(typed(message.error));
      case "synced":
        return void this.emit(`synced ${message.entity}`);
      case "seen":
        return void this.emit(`seen ${message.entity}`, message.change);
      case "offline":
        return void this.against.add(message.why);
      case "online":
        return void this.against.delete(message.why);
      case "hello":
        for (const why of this.leader ? this.against : []) this.port.post({ type: "offline", why });
        return;
      case "lead":
        // The one before may have stored what it could not tell any more.
        if (!this.leader) this.state.meta.leader = message.leader;
        return this.#lost();
      case "lost":
        return this.#lost();
    }
  }

  /** What the leader holds is what counts. */
  #lost(): void {
    if (this.leader) return;
    void this.load().then(() => {
      this.port.post({ type: "hello" });
      this.again();
    });
  }

  /** Says everything to a new leader. */
  again(): void {
    for (const [entity, fields] of this.#open) this.send({ type: "open", entity, fields });
    for (const [entity, count] of this.#watched) {
      if (count) this.send({ type: "watch", entity, tab: this.#prefix });
    }
    for (const [id, question] of this.#answers.questions) this.send({ type: "ask", id, question });
  }

  /** Memory has changed: whoever looks is told soon, once for all that comes until then. */
  changed(): void {
    if (this.state.changed.has(QUEUE)) this.#queue = undefined;
    if (this.state.changed.has(REFUSED)) this.#rejected = undefined;
    if (!this.#loaded || !this.state.changed.size) return;
    this.#timer ??= setTimeout(() => this.show(), this.#pause);
  }

  /** Tells whoever looks, now. */
  show(): void {
    const begun = performance.now();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const names = [...this.state.changed];
    this.state.changed.clear();
    for (const name of names) this.emit(`rows ${name}`);
    this.#pause = PATIENCE * (performance.now() - begun);
  }

  /** Applies operations here, in the store and in the other tabs. */
  commit(...ops: Op[]): void {
    this.send({ type: "ops", ops });
    this.store.apply(ops).catch((error: RhtmxError) => this.#report(error));
  }

  /**
   * Loads the queue anew, for all tabs.
   *
   * @param unstored called as it begins: what is not in the store yet. `note` what comes then.
   */
  reload(unstored: () => Op[]): Promise<void> {
    const done = this.#loading.then(() => this.#reload(unstored()));
    this.#loading = done.catch(() => {});
    return done;
  }

  async #reload(told: Op[]): Promise<void> {
    this.#told = told;
    const { writes, meta } = stateOf(await this.store.load());
    this.#told = undefined;
    const own = [...this.state.writes].filter(([id, { seq }]) => !seq && !writes.has(id));
    const gone = [...this.state.writes.keys()].map((id): Op => ["write", id]);
    const found = [...writes].map(([id, write]): Op => ["write", id, write]);
    const ops: Op[] = [...gone, ...found, ["last", meta.last], ...told];
    this.receive({ type: "ops", ops });
    this.tell(ops);
    this.#apply(own.map(([id, write]) => ["write", id, write]));
  }

  /** Something has changed. It comes after what is being loaded. */
  note(op: Op): void {
    this.#told?.push(op);
  }

  /** Tells the other tabs what has changed, as the leader. */
  tell(ops: readonly Op[]): void {
    this.port.post({ type: "ops", ops, leader: this.state.meta.leader });
  }

  /** This tab is done. */
  close(): void {
    this.#become("closed", { code: "closed", message: "the client was closed", details: null });
    this.emit("closed");
    clearTimeout(this.#timer);
    this.store.close();
  }

  /** Reads everything from the store. */
  load(): Promise<void> {
    return (this.#loading = this.#loading.then(() => this.#load()));
  }

  /** What is told meanwhile comes after it. */
  async #load(): Promise<void> {
    const told = (this.#told ??= []);
    try {
      const state = stateOf(await this.store.load());
      for (const [id, write] of this.state.writes) {
        if (!write.seq && !state.writes.has(id)) apply(state, ["write", id, write]);
      }
      for (const op of told) apply(state, op);
      for (const id of state.writes.keys()) this.#find(id);
      for (const name of this.state.entities.keys()) state.changed.add(name);
      Object.assign(this.state, state);
      this.#views.clear();
      this.#settleMissed();
    } catch (error) {
      this.#report(error as RhtmxError);
      this.state.meta.client_id ||= this.#prefix;
    }
    this.#told = undefined;
    this.#loaded = true;
    this.changed();
  }

  #find(id: string): void {
    if (!this.state.writes.has(id)) this.#found.add(id);
  }

  #view(entity: string): View {
    const view = this.#views.get(entity) ?? new View();
    this.#views.set(entity, view);
    return view;
  }

  #apply(ops: readonly Op[]): void {
    // It is in what is being loaded, or comes after it: again is as once.
    for (const op of ops) {
      // This tab's own writes that have no number yet are not for others.
      if (op[0] !== "write" || !op[2] || op[2].seq) this.note(op);
      if (op[0] === "write" && op[2]?.seq) this.#find(op[1]);
      apply(this.state, op);
    }
    this.changed();
  }

  /** Told late, a write may have another number by now, or be done with: the leader knows. */
  #added(write: Write, refused = ""): void {
    const { id } = write;
    const late = this.#found.has(id);
    if (!late) this.#apply([["write", id, write]]);
    else if (this.leader) {
      this.tell([["write", id, this.state.writes.get(id)]]);
    }
    this.#apply([["refused", refused]]);
    this.#found.delete(id);
  }

  #promise<M extends ServerMessage>(begin: (id: string) => void, question?: Question): Promise<M> {
    const id = `${this.#prefix}-${++this.#ids}`;
    const ask = () => {
      if (this.connection === "closed") throw new RhtmxError("closed", "the client is closed");
      begin(id);
    };
    return this.#answers.wait(id, ask, question);
  }

  /** Outcomes that this tab did not hear: a write that is gone is durable. */
  #settleMissed(): void {
    const { writes, refused } = this.state;
    for (const id of this.#answers.writes) {
      const write = writes.get(id);
      if (write && !write.settled) continue;
      const { code, text: message = "", details = null } = refused.get(id) ?? {};
      this.#answers.settle(id, UNKNOWN, code && { code, message, details });
    }
  }

  #become(state: Connection, error?: Refusal): void {
    // Whoever has missed `online` hears of it here.
    if (state !== "offline") this.against.clear();
    if (state === this.connection) return;
    this.connection = state;
    this.emit("state", state, error && typed(error));
    if (state !== "closed") return;
    this.#answers.end(error);
    this.port.close();
  }

  #report(error: RhtmxError): void {
    if (!this.emit("error", error)) console.error(error);
  }
}
