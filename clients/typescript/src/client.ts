/**
 * The client that an application uses.
 *
 * Knows promises and callbacks. Must not know frames, timers or sockets: the
 * runner has those, the session has the protocol.
 */
import { Answers } from "./answers.ts";
import * as compose from "./compose.ts";
import { Listeners } from "./listeners.ts";
import { globalWebSocket, randomId, webSocketUrl } from "./platform.ts";
import { Runner } from "./runner.ts";
import { START } from "./streams.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { Answer } from "./answers.ts";
import type { RhtmxError } from "./errors.ts";
import type { Event, State } from "./events.ts";
import type { Stop } from "./listeners.ts";
import type * as m from "./messages/types.ts";
import type * as o from "./options.ts";
import type { Question } from "./requests.ts";
import type { Granularity, Log } from "./streams.ts";

/**
 * Connects, and stays connected until `close` or until the server says not to.
 *
 * @param url of the WebSocket; in a page it may be relative, `http(s):` becomes `ws(s):`.
 * @throws RhtmxError `not_supported`: that is no URL, or there is no WebSocket here.
 *
 * @example
 * const client = connect("/api/ws");
 * client.subscribe("tasks", (change) => render(change), { since: 0 });
 * await client.push("tasks", "1", { title: "Write it down" });
 */
export function connect(url: string, options: o.ConnectOptions = {}): Client {
  return new Client(url, options);
}

/** One client; see {@link connect}. Its calls reject with `RhtmxError`. */
export class Client {
  readonly #runner: Runner;
  readonly #subscriptions: Subscriptions;
  readonly #answers = new Answers();
  readonly #onState = new Listeners<[state: State, error: RhtmxError | undefined]>();
  readonly #onError = new Listeners<[error: RhtmxError]>();

  constructor(url: string, options: o.ConnectOptions) {
    const settings = {
      url: webSocketUrl(url),
      WebSocket: options.WebSocket ?? globalWebSocket(),
      format: options.format ?? "json",
      token: options.token,
      clientId: options.clientId === null ? undefined : (options.clientId ?? randomId()),
      random: Math.random,
    };
    this.#runner = new Runner(settings, (event) => this.#handle(event));
    this.#subscriptions = new Subscriptions(this.#runner);
    try {
      this.#runner.run((session, now) => session.tick(now));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Whether there is a connection, and whether there will be one. */
  get state(): State {
    return this.#runner.state;
  }

  /** Calls `listener` with each new state; when that is `closed`, with the reason too. */
  onState(listener: (state: State, error: RhtmxError | undefined) => void): Stop {
    return this.#onState.add(listener);
  }

  /** Calls `listener` with what went wrong and was no answer; without one it is logged. */
  onError(listener: (error: RhtmxError) => void): Stop {
    return this.#onError.add(listener);
  }

  /**
   * Calls `listener` with each change of an entity's records, in version order,
   * also across reconnections.
   *
   * An entity that is subscribed to at both granularities sends each commit once,
   * in the form in which it was written, and whole records when it catches up:
   * then both listeners have to feed one state.
   */
  subscribe(
    entity: string,
    listener: (change: m.ChangeLog) => void,
    options: o.SubscribeOptions = {},
  ): Stop {
    return this.#subscriptions.add("records", entity, listener as (log: Log) => void, options);
  }

  /** The same for each field that changes; `more` on all but the last of one commit. */
  subscribeFields(
    entity: string,
    listener: (change: m.FieldChangeLog) => void,
    options: o.SubscribeOptions = {},
  ): Stop {
    return this.#subscriptions.add("fields", entity, listener as (log: Log) => void, options);
  }

  /** Writes a whole record. Resolves when it is durable. */
  async push(
    entity: string,
    entityId: string,
    data: m.JsonValue,
    options: o.PushOptions = {},
  ): Promise<m.PushAck> {
    const message = compose.push(entity, entityId, "update", data, options);
    return (await this.#write<m.PushAck>(message)).message;
  }

  /** Deletes a record. Resolves when that is durable. */
  async delete(entity: string, entityId: string, options: o.PushOptions = {}): Promise<m.PushAck> {
    const message = compose.push(entity, entityId, "delete", null, options);
    return (await this.#write<m.PushAck>(message)).message;
  }

  /** Writes some fields of a record, all or none of the winners. Resolves when they are durable. */
  async pushFields(
    entity: string,
    entityId: string,
    fields: Readonly<Record<string, m.JsonValue>>,
    options: o.PushFieldsOptions = {},
  ): Promise<o.PushFieldsResult> {
    const message = compose.pushFields(entity, entityId, fields, options);
    const answer = await this.#write<m.FieldPushAck, m.FieldConflict>(message);
    return { ack: answer.message, conflicts: answer.before };
  }

  /** Asks whether one value of a form is valid. A newer call for the same field replaces it. */
  async validateField(
    form: string,
    field: string,
    value: string,
    options: o.ValidateFieldOptions = {},
  ): Promise<m.ValidationResult> {
    const question = compose.validateField(form, field, value, options);
    return (await this.#ask<m.ValidationResult>(question)).message;
  }

  /** Asks whether a whole form is valid, with the values by field. */
  async validateForm(
    form: string,
    values: Readonly<Record<string, string>>,
    options: o.ValidateFormOptions = {},
  ): Promise<m.FormValidationResult> {
    const question = compose.validateForm(form, values, options.formInstance);
    return (await this.#ask<m.FormValidationResult>(question)).message;
  }

  /** Reads every record that changed after `since`, each at its latest; everything from 0. */
  async sync(entity: string, since: m.Position | 0 = 0): Promise<o.SyncResult<m.ChangeLog>> {
    return this.#sync("records", entity, since, (each) => each.entity_id);
  }

  /** The same for each field. */
  async syncFields(
    entity: string,
    since: m.Position | 0 = 0,
  ): Promise<o.SyncResult<m.FieldChangeLog>> {
    return this.#sync("fields", entity, since, (each) => `${each.entity_id}\0${each.field}`);
  }

  /** Presents a fresh token of the same subject. */
  async authenticate(token: string): Promise<m.Authenticated> {
    return (await this.#ask<m.Authenticated>({ type: "authenticate", token })).message;
  }

  /** Ends the connection for good; what waits for an answer is rejected with code `closed`. */
  close(): void {
    this.#runner.run((session) => session.close());
  }

  #write<M, B = never>(message: m.Push | m.PushFields): Promise<Answer<M, B>> {
    return this.#runner.run((session) => this.#answers.wait(session.push(message)));
  }

  #ask<M, B = never>(question: Question): Promise<Answer<M, B>> {
    return this.#runner.run((session) => this.#answers.wait(session.ask(question)));
  }

  async #sync<L extends Log>(
    granularity: Granularity,
    entity: string,
    since: m.Position | 0,
    key: (log: L) => string,
  ): Promise<o.SyncResult<L>> {
    const question = compose.sync(granularity, entity, since || START);
    const { message, before } = await this.#ask<m.SyncComplete, L>(question);
    const latest = new Map<string, L>();
    for (const log of before) {
      if (log.version >= (latest.get(key(log))?.version ?? 0)) latest.set(key(log), log);
    }
    const changes = [...latest.values()].sort((a, b) => a.version - b.version);
    const { epoch, version, reset } = message;
    return { changes, position: { epoch, version }, reset };
  }

  #handle(event: Event): void {
    if (this.#answers.handle(event) || this.#subscriptions.handle(event)) return;
    if (event.event === "state") this.#onState.call(event.state, event.error);
    else if (event.event === "problem") this.#report(event.error);
  }

  #report(error: RhtmxError): void {
    if (this.#onError.size > 0) this.#onError.call(error);
    else console.error(error);
  }
}
