/**
 * A client for pages that only have forms: it asks, and keeps nothing.
 *
 * Knows promises and callbacks. Must not know stores, queues or other tabs: each page has a
 * connection of its own. What it can do `Client` can do in the same words.
 */

import type { Event, Input } from "../core/events.ts";
import { LightSession } from "../core/light-session.ts";
import type * as o from "../core/options.ts";
import type { State as Connection, Question } from "../core/tab-messages.ts";
import type { Refusal } from "../errors.ts";
import { RhtmxError, typed } from "../errors.ts";
import type * as m from "../messages/types.ts";
import { Alarm } from "../runtime/alarm.ts";
import { Dialer } from "../runtime/dialer.ts";
import { Listeners } from "../runtime/listeners.ts";
import { PendingPromises } from "../runtime/pending-promises.ts";
import { askPlainly, globalWebSocket, watchPage, webSocketUrl } from "../runtime/platform.ts";
import { alone } from "../runtime/single-tab.ts";
import { LIGHT_CODEC } from "../wire/light.ts";
import { Form } from "./form.ts";

/** How a client for forms connects: of the options of `connect` those that concern it. */
export type LightOptions = Pick<o.ConnectOptions, "token" | "WebSocket">;

/** What only `Client` can do. */
const LACKING = [
  ...["changes", "collection", "delete", "of", "push", "pushFields", "room", "transaction"],
  ...["on", "onConflict", "onQueue", "onRejected"],
];
/** What only `Client` knows. */
const UNKNOWN = ["info", "queue", "rejected", "serverSchema"];

const CLOSED: Refusal = { code: "closed", message: "the client is closed", details: null };

/** One client for forms. Its calls reject with `RhtmxError`. */
export class LightClient {
  readonly #session: LightSession;
  readonly #dialer: Dialer;
  readonly #alarm = new Alarm(() => this.#run({ type: "tick" }));
  readonly #promises = new PendingPromises();
  readonly #listeners = new Listeners();
  /** Tells when this page is put aside, and comes back. */
  readonly #page = alone(globalThis as never);
  readonly #stopWatching: o.Stop;
  /** What the session has not taken yet, and when it happened. */
  readonly #inputs: [input: Input, now: number][] = [];
  #isRunning = false;
  #state: Connection = "connecting";
  /** Why there is no connection, as it was reported. */
  #why: string | undefined;
  #isNew = true;
  #ids = 0;

  /**
   * Connects, and stays connected until `close` or until the server says not to.
   *
   * @param url of the WebSocket; it may be relative to the page.
   * @throws RhtmxError `not_supported`: that is no URL; `bad_message`: the token cannot be sent.
   */
  constructor(url: string, { token, WebSocket = globalWebSocket() }: LightOptions = {}) {
    const address = webSocketUrl(url);
    const codec = LIGHT_CODEC;
    if (typeof token === "string") sendable(token);
    this.#session = new LightSession({ codec, random: Math.random, token });
    const options = { url: address, WebSocket: WebSocket!, codec, token, ask: askPlainly };
    this.#dialer = new Dialer(options, {
      state: () => this.#session.state,
      present: (token) => void (this.#session.token = sendable(token)),
      isNew: () => this.#isNew,
      run: (input) => this.#run(input),
      report: (error) => this.#report(error as RhtmxError),
    });
    this.#page.onmessage = (message) => this.#run(message);
    this.#stopWatching = watchPage((message) => this.#run(message));
    // Whoever makes it may listen first.
    queueMicrotask(() => this.#run({ type: "tick" }));
    const lacks = (name: string) => () => needsMore(`client.${name}`);
    for (const name of LACKING) Object.assign(this, { [name]: lacks(name) });
    for (const name of UNKNOWN) Object.defineProperty(this, name, { get: lacks(name) });
  }

  /** Whether there is a connection, and whether there will be one. */
  get state(): Connection {
    return this.#state;
  }

  /** Calls `listener` with each new state, and why there is no connection, if that is known. */
  onState(listener: (state: Connection, error?: RhtmxError) => void): o.Stop {
    return this.#listeners.on("state", listener);
  }

  /** Calls `listener` with what went wrong and was no answer; without one it is logged. */
  onError(listener: (error: RhtmxError) => void): o.Stop {
    return this.#listeners.on("error", listener);
  }

  /** A form, to be checked by the server. */
  form(name: string, options?: o.ValidateFormOptions): Form {
    return new Form(this, name, options);
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

  /** Calls `listener` with each verdict on a field that comes unasked; see `Client`. */
  onValidation(listener: (verdict: m.ValidationResult) => void): o.Stop {
    return this.#listeners.on("told", listener);
  }

  /** Has the server say nothing more of a form that was asked about with `live`. */
  closeForm(form: string, formInstance?: string): void {
    const message = { type: "close_form", form, form_instance: formInstance } as const;
    this.#run({ type: "tell", message });
  }

  /** Presents a fresh token of the same subject. */
  async authenticate(token: string): Promise<m.Authenticated> {
    return this.ask({ type: "authenticate", token: sendable(token) });
  }

  /** Ends the connection, until `online` is called. */
  offline(): void {
    this.#run({ type: "offline", why: "app" });
  }

  /** Connects again, at once. */
  online(): void {
    this.#run({ type: "online", why: "app" });
  }

  /** Ends it all; what waits for an answer is rejected with code `closed`. */
  close(): void {
    this.#page.close();
    this.#stopWatching();
    this.#alarm.set();
    this.#dialer.disconnect(1000);
    this.#become("closed", CLOSED);
  }

  /** @internal Asks. */
  ask<M extends m.ServerMessage>(question: Question): Promise<M> {
    const id = `${++this.#ids}`;
    const answer = this.#promises.wait<M>(id);
    if (this.#state === "closed") this.#promises.settle(id, undefined, CLOSED);
    else this.#run({ type: "ask", id, question });
    return answer;
  }

  /** Takes what has happened; what happens meanwhile, as listeners are called, comes after it. */
  #run(input: Input): void {
    this.#inputs.push([input, performance.now()]);
    if (this.#isRunning) return;
    let deadline: number | undefined;
    this.#isRunning = true;
    try {
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
        if (this.#state === "closed") continue;
        const output = this.#session.step(...next);
        deadline = output.deadline;
        for (const frame of output.frames) this.#dialer.send(frame);
        for (const event of output.events) this.#take(event);
      }
    } finally {
      this.#isRunning = false;
    }
    this.#alarm.set(this.#state === "closed" ? undefined : deadline);
  }

  #take(event: Event): void {
    switch (event.type) {
      case "connect":
        return void this.#dialer.connect();
      case "disconnect":
        return this.#dialer.disconnect(event.code);
      case "explain":
        return void this.#dialer.explain(event.times);
      case "state":
        return this.#become(event.state, event.error);
      case "answer":
        return this.#promises.settle(event.id, event.answer, event.error);
      case "told":
        return void this.#listeners.emit("told", event.message);
      case "problem":
        this.#report(typed(event.error));
    }
  }

  #become(state: Connection, error?: Refusal): void {
    const isNews = error && error.message !== this.#why;
    if (this.#state === "closed" || (state === this.#state && !isNews)) return;
    this.#state = state;
    if (state === "open") this.#isNew = false;
    // The next attempt, which fails for the same reason, is not worth another word.
    if (error || state === "open") this.#why = error?.message;
    this.#listeners.emit("state", state, error && typed(error));
    if (state === "closed") this.#promises.end(error);
    else if (isNews) this.#report(typed(error));
  }

  #report(error: RhtmxError): void {
    if (!this.#listeners.emit("error", error)) console.error(error);
  }
}

/** A token that can be sent: each connection begins with it. */
function sendable(token: string): string {
  LIGHT_CODEC.encode({ type: "hello", token });
  return token;
}

/** Refuses what is not in the script for forms. */
function needsMore(what: string): never {
  throw new RhtmxError(
    "not_supported",
    `${what} is not in /api/forms.js: load /api/client.js instead, which has all of it and more`,
  );
}
