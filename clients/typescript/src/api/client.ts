/**
 * The client that an application uses, and what it is put together from.
 *
 * Knows promises and callbacks. Must not know frames, timers or sockets: the
 * runner has those, the session has the protocol.
 */

import type { Fields } from "../core/build-message.ts";
import type * as o from "../core/options.ts";
import { steady } from "../core/overlay.ts";
import { checkedName, nameInWords } from "../core/part.ts";
import type { Pending, State, Store } from "../core/storage-ops.ts";
import { QUEUE, REJECTED, stateOf } from "../core/storage-ops.ts";
import type { State as Connection, TabChannel } from "../core/tab-messages.ts";
import type { RhtmxError } from "../errors.ts";
import type * as m from "../messages/types.ts";
import { tell } from "../runtime/ephemeral.ts";
import { takeTurns } from "../runtime/leader.ts";
import { LeaderElection } from "../runtime/leader-election.ts";
import {
  askPlainly,
  canShare,
  globalWebSocket,
  hasIndexedDB,
  lacking,
  randomId,
  watchPage,
  webSocketUrl,
} from "../runtime/platform.ts";
import { alone } from "../runtime/single-tab.ts";
import { Tab } from "../runtime/tab.ts";
import { browserStore } from "../stores/fallback.ts";
import { MemoryStore } from "../stores/memory.ts";
import { checkFromClient, codecOf } from "../wire/index.ts";
import { checkToken } from "../wire/sizes.ts";
import { Collection } from "./collection.ts";
import type { EntityDeclared } from "./declared.ts";
import { Form } from "./form.ts";
import { checkedRoom, Room } from "./room.ts";
import type { TransactionWrites } from "./transaction.ts";
import { collected } from "./transaction.ts";
import type { TypedCollection } from "./typed-collection.ts";

/**
 * Connects, and stays connected until `close` or until the server says not to.
 * Returns at once: what is kept is loaded, and the connection made, meanwhile.
 *
 * @param url of the WebSocket; in a page it may be relative, `http(s):` becomes `ws(s):`.
 * Where there is no WebSocket, or no page that a URL could be relative to, as on a server
 * that renders pages, the client is `closed` from the start, and has no rows. Its calls
 * reject with `not_supported`; `onError` gets it, once, when somebody listens to rows.
 *
 * @throws RhtmxError `not_supported`: that is no URL; `bad_message`: the token is larger
 *   than any server takes, 4,096 bytes, or it, the id or the secret cannot be sent.
 *
 * @example
 * const rhtmx = connect("/api/ws");
 * const tasks = rhtmx.collection<Task>("tasks");
 * tasks.subscribe((rows) => render(rows));
 * await tasks.set("1", { title: "Write it down" });
 */
export function connect(url: string, options: o.ConnectOptions = {}): Client {
  return new Client(url, options);
}

/** What to read of an entity of the schema: see `CollectionOptions`, with the schema's names. */
export interface TypedOptions<W> extends Omit<o.CollectionOptions, "where"> {
  /** The part. */
  readonly where?: W | undefined;
}

/** One client; see {@link connect}. Its calls reject with `RhtmxError`. */
export class Client {
  readonly #tab: Tab;
  readonly #store: Store;
  readonly #state: State;
  readonly #stop: o.Stop;
  readonly #collections = new Map<string, Collection<never>>();
  readonly #typed = new Map<string, Collection<never>>();
  readonly #rooms = new Map<string, Room<never>>();
  #info: o.Info | undefined;

  /** @internal `connect` makes it. */
  constructor(url: string, options: o.ConnectOptions) {
    const { format = "json", token, storage, clientId } = options;
    const address = webSocketUrl(url);
    if (typeof token === "string") checkToken(token);
    checkFromClient({ type: "hello", client_id: clientId, secret: options.clientSecret });
    const WebSocket = options.WebSocket ?? globalWebSocket();
    const leader = randomId();
    const id = leader.slice(16);
    const name = storage || `rhtmx:${address}`;
    const state = stateOf();
    state.schema = options.schema;
    state.traceparent = options.traceparent;
    const [store, channel] = grounds(name, id, state, options);
    const tab = new Tab(store, channel, id, state);
    const lacks = lacking(address, WebSocket);
    const codec = codecOf(format);
    const given = { url: address, WebSocket: WebSocket!, codec, token, leader, clientId };
    const around = { store, channel, state, random: Math.random, ask: askPlainly };
    const stopPage = watchPage((message) => tab.send(message));
    if (lacks) tab.lack(lacks);
    const stopLeading = takeTurns(tab, { ...given, ...around });
    this.#tab = tab;
    this.#store = store;
    this.#state = state;
    this.#stop = () => {
      stopPage();
      tab.rooms.close();
      stopLeading();
      tab.close();
    };
  }

  /** Whether there is a connection, and whether there will be one. */
  get state(): Connection {
    return this.#tab.connection;
  }

  /** What the client knows of itself, to be looked at; the same object as long as nothing changed. */
  get info(): o.Info {
    const { meta, entities } = this.#state;
    const all = [...entities.values()].flatMap(({ places }) => [...places]);
    const positions = all.map(([name, { version }]) => [nameInWords(name), version]);
    const now: o.Info = {
      clientId: meta.client_id,
      epoch: meta.epoch,
      node: meta.node,
      positions: Object.fromEntries(positions),
      stored: !!this.#store.stored,
      leads: this.#tab.leads,
    };
    return (this.#info = steady(this.#info ?? now, now));
  }

  /** The version of the application's schema that the server has, once it has said so. */
  get serverSchema(): m.SchemaVersion | undefined {
    return this.#state.meta.schema;
  }

  /**
   * Calls `listener` with each new state; when that is `closed`, with the reason too, and
   * when it is `waiting` because the server refuses this page, or there is none at this URL,
   * with that: `onError` gets it once.
   */
  onState(listener: (state: Connection, error?: RhtmxError) => void): o.Stop {
    return this.#tab.on("state", listener);
  }

  /** Calls `listener` with what went wrong and was no answer; without one it is logged. */
  onError(listener: (error: RhtmxError) => void): o.Stop {
    return this.#tab.on("error", listener);
  }

  /**
   * Reads an entity, or a part of it: kept here, shown at once, live. The same object each time
   * for the same part, until it is closed. Several parts of one entity can be read side by side.
   *
   * @throws RhtmxError `not_supported`: it is read at the other granularity; `bad_message`: that
   *   is no name, or `where` has what is no value.
   *
   * @example
   * const notes = client.collection<{ text: string }>("notes");
   * await notes.set("1", { text: "Write it down" });
   * notes.row("1")?.data.text; // "Write it down"
   *
   * @example
   * const theirs = client.collection("orders", { where: { customer: "7" } });
   * const open = client.collection("orders", { where: { customer: ["7", "8"], open: true } });
   * client.collection("orders", { where: { customer: "7" } }) === theirs; // true
   */
  collection<T = m.JsonValue>(entity: string, options?: o.CollectionOptions): Collection<T> {
    const { granularity, where } = options ?? {};
    const name = checkedName(entity, where);
    const known = this.#collections.get(name) as Collection<T> | undefined;
    if (known && !granularity) return known;
    if (known) {
      this.#tab.open(name, granularity === "fields");
      return known;
    }
    const closed = () => {
      this.#collections.delete(name);
      this.#typed.get(name)?.close();
    };
    const collection = new Collection<T>(this.#tab, entity, options, closed);
    this.#collections.set(name, collection as unknown as Collection<never>);
    return collection;
  }

  /**
   * Reads an entity of the application's schema, or a part of it, typed: see `collection`, and
   * `TypedCollection`. Closed together with that of the same part that is not typed.
   *
   * @param declared - what `rhtmx codegen` has generated of the entity.
   */
  of<T, N, E, W>(
    declared: EntityDeclared<T, N, E, W>,
    { granularity, where }: TypedOptions<W> = {},
  ): TypedCollection<T, N, E> {
    const options = { granularity, where: where && declared.part(where) };
    const name = checkedName(declared.name, options.where);
    const known = this.#typed.get(name) as TypedCollection<T, N, E> | undefined;
    if (known) return known;
    const typed = declared.open(this.#tab, options, () => {
      this.#typed.delete(name);
      this.#collections.get(name)?.close();
    });
    this.#typed.set(name, typed as unknown as Collection<never>);
    return typed;
  }

  /**
   * Calls `listener` with each change from now on; nothing is kept. `null`:
   * some may be missing here. A record that leaves the part that is asked for is told as
   * deleted, and as `left`; where several parts of one entity are read, one that was never
   * in this one may be told so once, too.
   *
   * @example
   * const stop = client.changes("prices", (change) => console.log(change?.entity_id, change?.data));
   * stop();
   */
  changes(
    entity: string,
    listener: (change: m.ChangeLog | null) => void,
    { where }: o.ChangesOptions = {},
  ): o.Stop {
    return this.#tab.changes(checkedName(entity, where), listener);
  }

  /**
   * Writes a whole record, whether it is read or not. Resolves when it is durable.
   *
   * @throws RhtmxError `conflict`: the record has moved on since `baseVersion`; `bad_message`:
   *   the data is no JSON; or another reason.
   *
   * @example
   * const { version } = await client.push("users", "1", { name: "Ada" });
   * version; // 1
   */
  push(
    entity: string,
    entityId: string,
    data: m.JsonValue,
    options: o.WriteOptions = {},
  ): Promise<m.PushAck> {
    return this.#tab.write({ entity, entityId, action: "update", data, options });
  }

  /** Deletes a record. Resolves when that is durable. */
  delete(entity: string, entityId: string, options: o.WriteOptions = {}): Promise<m.PushAck> {
    return this.#tab.write({ entity, entityId, action: "delete", data: null, options });
  }

  /**
   * Writes some fields of a record, all or none of the winners. Resolves when they are durable.
   *
   * @throws RhtmxError: it was rejected.
   *
   * @example
   * const { applied } = await client.pushFields("settings", "1", { theme: "dark" }, { delete: ["font"] });
   * applied; // 2
   */
  pushFields(
    entity: string,
    entityId: string,
    fields: Fields,
    options: o.PatchOptions = {},
  ): Promise<m.FieldPushAck> {
    return this.#tab.write({ entity, entityId, values: fields, options });
  }

  /**
   * Writes several records together, of one entity or of several: all of them, or none. All of it
   * shows at once, waits in the queue as one write, and is kept, sent and rejected as one.
   * Resolves when it is durable. Without a write it does nothing, and resolves with no `results`.
   *
   * @param act makes the writes, 500 at most, before it returns. If it throws, nothing is written.
   * @throws RhtmxError: it was rejected, and `details` say why, for each write that is the reason:
   *   `{ writes: [{ index, code, message, details }] }`; `bad_message`: it writes too much,
   *   or returns a promise.
   *
   * @example
   * const stock = client.collection<{ left: number }>("stock");
   * const { results } = await client.transaction((writes) => {
   *   writes.set("orders", "7", { goods: "tea" });
   *   writes.patch(stock, "tea", { left: inc(-1) });
   * });
   * results.map(({ entity, version }) => [entity, version]); // [["orders", 1], ["stock", 1]]
   */
  transaction(act: (writes: TransactionWrites) => void): Promise<o.TransactionResult> {
    try {
      const draft = collected(act);
      const nothing = {
        type: "transaction_ack",
        transaction: "",
        results: [],
        conflicts: 0,
      } as const;
      return draft.drafts.length ? this.#tab.write(draft) : Promise.resolve(nothing);
    } catch (error) {
      // Nobody finds it elsewhere: who does not wait for it has it reported by the browser.
      return Promise.reject(error);
    }
  }

  /** A form, to be checked by the server. */
  form(name: string, options?: o.ValidateFormOptions): Form {
    return new Form(this.#tab, name, options);
  }

  /** Asks whether one value of a form is valid; see `Form.check`. */
  validateField(
    form: string,
    field: string,
    value: o.FormValue | readonly o.FormValue[],
    options: o.ValidateFieldOptions = {},
  ): Promise<m.ValidationResult> {
    return this.form(form, options).check(field, value, options.values);
  }

  /** Asks whether a whole form is valid, with the values by field. */
  validateForm(
    form: string,
    values: o.FormValues,
    options?: o.ValidateFormOptions,
  ): Promise<m.FormValidationResult> {
    return this.form(form, options).validate(values);
  }

  /**
   * Calls `listener` with each verdict on a field that comes unasked, of the forms that were asked
   * about with `live`, in any tab: `form_instance` tells them apart.
   */
  onValidation(listener: (verdict: m.ValidationResult) => void): o.Stop {
    return this.#tab.on("told validation_result", listener);
  }

  /** Has the server say nothing more of a form that was asked about with `live`. */
  closeForm(form: string, formInstance?: string): void {
    tell(this.#tab, { type: "close_form", form, form_instance: formInstance });
  }

  /** Presents a fresh token of the same subject. */
  authenticate(token: string): Promise<m.Authenticated> {
    return this.#tab.ask({ type: "authenticate", token });
  }

  /**
   * Ends the connection of all tabs, until `online` is called in any of them; what is
   * written meanwhile waits.
   *
   * @example
   * client.offline();
   * const written = tasks.set("2", { title: "On the train" });
   * client.queue.length; // 1
   * client.online();
   * await written;
   */
  offline(): void {
    this.#tab.send({ type: "offline", why: "app" });
  }

  /** Connects again, at once, for all tabs. */
  online(): void {
    this.#tab.send({ type: "online", why: "app" });
  }

  /** The writes without an answer, oldest first; the same array as long as nothing changed. */
  get queue(): readonly Pending[] {
    return this.#tab.queue;
  }

  /** Calls `listener` when the queue changes. */
  onQueue(listener: (queue: readonly Pending[]) => void): o.Stop {
    return this.#onList(QUEUE, () => this.queue, listener);
  }

  /**
   * The writes that were rejected for good, oldest first, until they are retried or discarded;
   * the same array as long as nothing changed.
   */
  get rejected(): readonly o.Rejected[] {
    return this.#tab.rejected;
  }

  /**
   * Calls `listener` when `rejected` changes.
   *
   * @example
   * client.onRejected((rejected) => {
   *   for (const write of rejected) {
   *     console.log(write.text, write.message);
   *     write.discard(); // or write.retry()
   *   }
   * });
   */
  onRejected(listener: (rejected: readonly o.Rejected[]) => void): o.Stop {
    return this.#onList(REJECTED, () => this.rejected, listener);
  }

  /**
   * Calls `listener` with each conflict, once.
   *
   * @example
   * client.onConflict((conflict) => {
   *   if (confirm(`Keep ${conflict.mine} instead of ${conflict.theirs}?`)) void conflict.keepMine();
   * });
   */
  onConflict(listener: (conflict: o.OpenConflict) => void): o.Stop {
    return this.#tab.on("conflict", listener);
  }

  /**
   * Calls `listener` with each ephemeral message of a type. They come for
   * the entities that are read, while they are; nothing repeats them.
   */
  on<T extends m.Ephemeral["type"]>(
    type: T,
    listener: (message: Extract<m.Ephemeral, { type: T }>) => void,
  ): o.Stop {
    return this.#tab.on(`told ${type}`, listener);
  }

  /**
   * Who is at a record now, such as `orders/7`, and what they tell one another: see `Room`. The
   * same object each time for the same record.
   *
   * @throws RhtmxError `bad_message`: that is no name of a record.
   */
  room<S = m.JsonValue>(name: string): Room<S> {
    const room = this.#rooms.get(name) ?? new Room<never>(this.#tab, checkedRoom(name));
    this.#rooms.set(name, room);
    return room as unknown as Room<S>;
  }

  #onList<L>(name: string, read: () => L, listener: (list: L) => void): o.Stop {
    let last = read();
    return this.#tab.on(`rows ${name}`, () => {
      if (last !== (last = read())) listener(last);
    });
  }

  /** Ends it all; what waits for an answer here is rejected with code `closed`, and kept. */
  close(): void {
    this.#stop();
  }
}

/** What a client stands on: where it keeps things, and how it hears of other tabs. */
function grounds(
  name: string,
  id: string,
  state: State,
  options: o.ConnectOptions,
): [Store, TabChannel] {
  const { storage, clientId, clientSecret } = options;
  let lasts = storage !== false;
  const around = globalThis as never;
  let channel = alone(around);
  let why: Error | undefined;
  try {
    lasts &&= hasIndexedDB();
    if (lasts && canShare()) channel = new LeaderElection(`rhtmx:${name}`, id, around);
  } catch (error) {
    why = error as Error;
  }
  if (!lasts) return [new MemoryStore(clientId ?? randomId(), clientSecret), channel];
  return [browserStore(name, state, randomId, clientId, clientSecret, why), channel];
}
