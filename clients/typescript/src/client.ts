/**
 * The client that an application uses, and what it is put together from.
 *
 * Knows promises and callbacks. Must not know frames, timers or sockets: the
 * runner has those, the session has the protocol.
 */
import { alone } from "./alone.ts";
import { Collection } from "./collection.ts";
import * as compose from "./compose.ts";
import { Fallback } from "./fallback.ts";
import { Form } from "./form.ts";
import { Hub } from "./hub.ts";
import { IndexedStore } from "./indexeddb.ts";
import { MemoryStore } from "./memory.ts";
import { canShare, globalWebSocket, hasIndexedDB, randomId, watchPage, webSocketUrl } from "./platform.ts";
import { checkToken } from "./requests.ts";
import { takeTurns } from "./runner.ts";
import { QUEUE, REFUSED, stateOf } from "./store.ts";
import { tabs } from "./tabs.ts";
import type { RhtmxError } from "./errors.ts";
import type { State as Connection } from "./events.ts";
import type * as m from "./messages/types.ts";
import type * as o from "./options.ts";
import type { Port } from "./port.ts";
import type { Pending, State, Store } from "./store.ts";

/**
 * Connects, and stays connected until `close` or until the server says not to.
 * Returns at once: what is kept is loaded, and the connection made, meanwhile.
 *
 * @param url of the WebSocket; in a page it may be relative, `http(s):` becomes `ws(s):`.
 * @throws RhtmxError `not_supported`: that is no URL, or there is no WebSocket here;
 *   `bad_message`: the token is larger than any server takes, 4,096 bytes.
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

/** One client; see {@link connect}. Its calls reject with `RhtmxError`. */
export class Client {
  readonly #hub: Hub;
  readonly #stop: o.Stop;
  readonly #collections = new Map<string, Collection<never>>();

  constructor(url: string, options: o.ConnectOptions) {
    const { format = "json", token, storage, clientId } = options;
    const address = webSocketUrl(url);
    if (typeof token === "string") checkToken(token);
    const WebSocket = options.WebSocket ?? globalWebSocket();
    const leader = randomId();
    const name = storage || `rhtmx:${address}`;
    const state = stateOf();
    const [store, port] = grounds(name, leader, state, options);
    const hub = new Hub(store, port, leader.slice(16), state);
    const { random } = Math;
    const settings = { url: address, WebSocket, format, token, leader, random, clientId };
    const stopPage = watchPage((message) => hub.send(message));
    const stopLeading = takeTurns(hub, settings);
    this.#hub = hub;
    this.#stop = () => {
      stopPage();
      stopLeading();
      hub.close();
    };
  }

  /** Whether there is a connection, and whether there will be one. */
  get state(): Connection {
    return this.#hub.connection;
  }

  /** What the client knows of itself, to be looked at. */
  get info(): o.Info {
    const { meta, entities } = this.#hub.state;
    const places = [...entities].map(([name, { place }]) => [name, place?.version]);
    return {
      clientId: meta.client_id,
      epoch: meta.epoch,
      positions: Object.fromEntries(places),
      stored: !!this.#hub.store.stored,
      leads: !!this.#hub.leader,
    };
  }

  /** Calls `listener` with each new state; when that is `closed`, with the reason too. */
  onState(listener: (state: Connection, error?: RhtmxError) => void): o.Stop {
    return this.#hub.on("state", listener);
  }

  /** Calls `listener` with what went wrong and was no answer; without one it is logged. */
  onError(listener: (error: RhtmxError) => void): o.Stop {
    return this.#hub.on("error", listener);
  }

  /**
   * Reads an entity: kept here, shown at once, live. The same object each time.
   *
   * @throws RhtmxError `not_supported`: it is read at the other granularity.
   */
  collection<T = m.JsonValue>(entity: string, options?: o.CollectionOptions): Collection<T> {
    const { granularity } = options ?? {};
    const known = this.#collections.get(entity) as Collection<T> | undefined;
    if (known && !granularity) return known;
    const collection = known ?? new Collection<T>(this.#hub, entity, options);
    if (known) this.#hub.open(entity, granularity === "fields");
    this.#collections.set(entity, collection as unknown as Collection<never>);
    return collection;
  }

  /**
   * Calls `listener` with each change from now on; nothing is kept. `null`:
   * some may be missing here.
   */
  changes(entity: string, listener: (change: m.ChangeLog | null) => void): o.Stop {
    return this.#hub.changes(entity, listener);
  }

  /** Writes a whole record, whether it is read or not. Resolves when it is durable. */
  push(
    entity: string,
    entityId: string,
    data: m.JsonValue,
    options: o.WriteOptions = {},
  ): Promise<m.PushAck> {
    const message = compose.push(entity, entityId, "update", data, options);
    return this.#hub.write(() => message);
  }

  /** Deletes a record. Resolves when that is durable. */
  delete(entity: string, entityId: string, options: o.WriteOptions = {}): Promise<m.PushAck> {
    const message = compose.push(entity, entityId, "delete", null, options);
    return this.#hub.write(() => message);
  }

  /** Writes some fields of a record, all or none of the winners. Resolves when they are durable. */
  pushFields(
    entity: string,
    entityId: string,
    fields: compose.Fields,
    options: o.PatchOptions = {},
  ): Promise<m.FieldPushAck> {
    return this.#hub.write((at) => compose.pushFields(entity, entityId, fields, options, at));
  }

  /** A form, to be checked by the server. */
  form(name: string, options?: o.ValidateFormOptions): Form {
    return new Form(this.#hub, name, options);
  }

  /** Asks whether one value of a form is valid; see `Form.check`. */
  validateField(
    form: string,
    field: string,
    value: string,
    options: o.ValidateFieldOptions = {},
  ): Promise<m.ValidationResult> {
    return this.form(form, options).check(field, value, options.values);
  }

  /** Asks whether a whole form is valid, with the values by field. */
  validateForm(
    form: string,
    values: Readonly<Record<string, string>>,
    options?: o.ValidateFormOptions,
  ): Promise<m.FormValidationResult> {
    return this.form(form, options).validate(values);
  }

  /** Presents a fresh token of the same subject. */
  authenticate(token: string): Promise<m.Authenticated> {
    return this.#hub.ask({ type: "authenticate", token });
  }

  /**
   * Ends the connection of all tabs, until `online` is called in any of them; what is
   * written meanwhile waits.
   */
  offline(): void {
    this.#hub.send({ type: "offline", why: "app" });
  }

  /** Connects again, at once, for all tabs. */
  online(): void {
    this.#hub.send({ type: "online", why: "app" });
  }

  /** The writes without an answer, oldest first; the same array as long as nothing changed. */
  get queue(): readonly Pending[] {
    return this.#hub.queue;
  }

  /** Calls `listener` when the queue changes. */
  onQueue(listener: (queue: readonly Pending[]) => void): o.Stop {
    return this.#hub.on(`rows ${QUEUE}`, () => listener(this.queue));
  }

  /** The writes that were refused for good, oldest first, until they are retried or discarded. */
  get rejected(): readonly o.Rejected[] {
    return this.#hub.rejected;
  }

  /** Calls `listener` when `rejected` changes. */
  onRejected(listener: (rejected: readonly o.Rejected[]) => void): o.Stop {
    return this.#hub.on(`rows ${REFUSED}`, () => listener(this.rejected));
  }

  /** Calls `listener` with each conflict, once. */
  onConflict(listener: (conflict: o.OpenConflict) => void): o.Stop {
    return this.#hub.on("conflict", listener);
  }

  /** Ends it all; what waits for an answer here is refused with code `closed`, and kept. */
  close(): void {
    this.#stop();
  }
}

/** What a client stands on: where it keeps things, and how it hears of other tabs. */
function grounds(name: string, id: string, state: State, options: o.ConnectOptions): [Store, Port] {
  const { storage, clientId, clientSecret } = options;
  let lasts = storage !== false;
  let port = alone();
  let refused: Error | undefined;
  try {
    lasts &&= hasIndexedDB();
    if (lasts && canShare()) port = tabs(`rhtmx:${name}`, id, globalThis as never);
  } catch (error) {
    refused = error as Error;
  }
  if (!lasts) return [new MemoryStore(clientId ?? randomId(), clientSecret), port];
  const disk = new IndexedStore(name, randomId, clientId, clientSecret);
  // Then nothing may be stored that other tabs cannot be told of.
  if (refused) disk.refuse(refused.message);
  return [new Fallback(disk, state, randomId), port];
}
