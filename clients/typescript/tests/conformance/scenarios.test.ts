/**
 * The scenarios that clients of every language share; see their README.md.
 */
import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it, vi } from "vitest";
import { Collection } from "../../src/api/collection.ts";
import { collected } from "../../src/api/transaction.ts";
import * as compose from "../../src/core/build-message.ts";
import { Operation } from "../../src/core/operations.ts";
import type { OpenConflict } from "../../src/core/options.ts";
import { partName } from "../../src/core/part.ts";
import type { ErrorCode, JsonValue, Message, ServerMessage } from "../../src/messages/types.ts";
import { contentsOf } from "../support/contents.ts";
import { Driver, TestStore } from "../support/driver.ts";
import { TIME, WELCOME } from "../support/welcome.ts";

// biome-ignore lint/suspicious/noExplicitAny: what the JSON of the scenarios has
type Step = { readonly [key: string]: any };

const folder = new URL("../../../../tests/vectors/scenarios/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));

/** What became of a write, as far as the program that wrote it knows. */
type Outcome = "waiting" | "answered" | { readonly version: number } | { readonly code: string };

class Player {
  readonly #store = new TestStore("c");
  #driver!: Driver;
  #tasks: Collection | undefined;
  readonly #opened = new Map<string, Collection>();
  #epoch = "";
  #fields = false;
  readonly #outcomes: Record<string, Outcome> = {};
  readonly #ids: Record<string, string> = {};
  readonly #conflicts: OpenConflict[] = [];
  readonly #noted: string[] = [];
  #unseen: OpenConflict[] = [];
  readonly #sent: Message[] = [];
  #seen = 0;

  async start(): Promise<void> {
    this.#driver = await Driver.create(this.#store);
    this.#tasks = undefined;
    this.#driver.tab.on("conflict", (conflict: OpenConflict) => {
      this.#conflicts.push(conflict);
      this.#unseen.push(conflict);
    });
    this.#driver.tab.on("error", ({ message }: { readonly message: string }) => {
      const [, noted] = /^the server is newer than this client: (.*)/.exec(message) ?? [];
      if (noted) this.#noted.push(noted);
    });
  }

  async play(step: Step): Promise<void> {
    const [name] = Object.keys(step) as [string];
    const act = (this as unknown as Step)[`_${name}`] as (value: unknown, step: Step) => unknown;
    await act.call(this, step[name], step);
    for (let pings = 1; pings; ) {
      await this.#driver.settle();
      const sent = this.#driver.sent.splice(0);
      this.#sent.push(...sent);
      pings = sent.filter(({ type }) => type === "ping").length;
      for (let each = 0; each < pings; each += 1) this.#says({ type: "pong" });
    }
  }

  _open(granularity: "records" | "fields", { where }: Step): void {
    this.#fields = granularity === "fields";
    this.#tasks = new Collection(this.#driver.tab, "tasks", { granularity, where });
    this.#opened.set(partName("tasks", where), this.#tasks);
  }

  _close(_: true, { where }: Step): void {
    this.#opened.get(partName("tasks", where))!.close();
  }

  _connect(): void {
    this.#driver.connect();
  }

  _welcome({ message_bytes = 65_536, requests = 64, ...given }: Step): void {
    this.#epoch = given.epoch;
    const limits = { ...WELCOME.limits, message_bytes, requests };
    this.#says({ ...WELCOME, heartbeat: 20_000, limits, ...given });
  }

  _refuse(code: ErrorCode): void {
    this.#says({ type: "error", message: `it is ${code}`, code, details: null });
  }

  _change({ id, data, client_id = "other", version, left }: Step): void {
    const action = data === undefined ? "delete" : "update";
    const common = { entity: "tasks", entity_id: id, version, client_id, created_at: TIME, left };
    this.#says({ type: "change", change: { ...common, action, data: data ?? null } });
  }

  _field_change({ id, field, value, version, more, left }: Step): void {
    const action = value === undefined ? "delete" : "update";
    const common = { entity: "tasks", entity_id: id, field, version, more, timestamp: TIME, left };
    this.#says({ type: "field_change", change: { ...common, action, value: value ?? null } });
  }

  _synced({ version, reset = false, where, scope }: Step): void {
    const type = this.#fields ? "sync_fields_complete" : "sync_complete";
    this.#says({ type, entity: "tasks", epoch: this.#epoch, version, reset, where, scope });
  }

  _ack({ seq, version, duplicate, prepared }: Step): void {
    const common = { entity: "tasks", seq, version, duplicate, epoch: this.#epoch, prepared };
    const sent = this.#lastSent(seq);
    const place = { entity_id: sent?.entity_id ?? "1", request_id: sent?.request_id };
    if (sent?.type !== "push_fields") this.#says({ type: "push_ack", ...common, ...place });
    else this.#says({ type: "field_push_ack", ...common, ...place, applied: 1, conflicts: 0 });
  }

  _conflict({ seq, id, field, theirs = null, mine = null, version, winner }: Step): void {
    const times = { server_timestamp: TIME, client_timestamp: TIME };
    const values = { server_value: theirs, client_value: mine };
    const place = { entity: "tasks", entity_id: id, field, seq };
    this.#says({ type: "field_conflict", ...place, ...values, ...times, version, winner });
  }

  _error({ seq, check, code, details = null, retry_after }: Step): void {
    const request_id = check ? this.#ids[check] : this.#lastSent(seq)?.request_id;
    this.#says({
      type: "error",
      message: `it is ${code}`,
      seq,
      code,
      details,
      request_id,
      retry_after,
    });
  }

  _hears(message: Step): void {
    this.#driver.hears(JSON.stringify(message));
  }

  _noted(expected: string[]): void {
    expect(this.#noted.sort()).toEqual(expected.sort());
  }

  _check(value: string, { as }: Step): void {
    const { tab } = this.#driver;
    const question = { type: "validate_field", form: "signup", field: "email", value } as const;
    const { session } = this.#driver;
    const told = vi.spyOn(session, "told");
    const done = tab.ask({ ...question, request_id: "" });
    for (const [message] of told.mock.calls) {
      if (message.type === "ask") this.#ids[as] = message.id;
    }
    told.mockRestore();
    this.#outcomes[as] = "waiting";
    done.then(
      () => (this.#outcomes[as] = "answered"),
      ({ code }) => (this.#outcomes[as] = { code }),
    );
  }

  _checked(name: string): void {
    const about = { request_id: this.#ids[name]!, form: "signup", field: "email" };
    this.#says({ type: "validation_result", ...about, valid: true, metadata: null });
  }

  _authenticated(): void {
    const asked = this.#sent.filter(({ type }) => type === "authenticate").at(-1);
    this.#says({ type: "authenticated", request_id: (asked as Step).request_id });
  }

  _lose(code: number): void {
    this.#driver.lose(code);
  }

  _elapse(milliseconds: number): void {
    this.#driver.elapse(milliseconds);
  }

  async _restart(): Promise<void> {
    await this.start();
  }

  _set({ id, data, base_version: baseVersion }: Step, { as }: Step): void {
    const message = compose.push("tasks", id, "update", data, { baseVersion });
    this.#wrote(as, this.#driver.tab.write(message));
  }

  _patch({ id, fields, delete: gone }: Step, { as }: Step): void {
    this.#wrote(as, this.#tasks!.patch(id, fields, { delete: gone }));
  }

  _operate({ id, fields }: Step, { as }: Step): void {
    this.#wrote(as, this.#tasks!.patch(id, operations(fields)));
  }

  _together(writes: Step[], { as }: Step): void {
    const draft = collected((both) => {
      for (const { set, operate, remove } of writes) {
        if (set) both.set("tasks", set.id, set.data);
        else if (operate) both.patch("tasks", operate.id, operations(operate.fields));
        else both.delete("tasks", remove.id);
      }
    });
    this.#wrote(as, this.#driver.tab.write(draft));
  }

  _remove({ id }: Step, { as }: Step): void {
    this.#wrote(as, this.#tasks!.delete(id));
  }

  _storage(state: "full" | "working"): void {
    this.#store.full = state === "full";
  }

  _answer(answer: "keep_mine" | "take_theirs" | { merge: JsonValue }, { as }: Step): void {
    const conflict = this.#conflicts.shift()!;
    let done: Promise<unknown>;
    if (answer === "keep_mine") done = conflict.keepMine();
    else if (answer === "take_theirs") done = conflict.takeTheirs();
    else done = conflict.merge(answer.merge);
    if (as) this.#wrote(as, done);
  }

  _retry(name: string, { as }: Step): void {
    this.#wrote(as, this.#rejected(name).retry());
  }

  _discard(name: string): void {
    this.#rejected(name).discard();
  }

  _token(token: string): void {
    void this.#driver.tab.ask({ type: "authenticate", token });
  }

  _offline(): void {
    this.#driver.tab.send({ type: "offline", why: "app" });
  }

  _online(): void {
    this.#driver.tab.send({ type: "online", why: "app" });
  }

  _sends(expected: Step[]): void {
    const fresh = this.#sent.slice(this.#seen);
    this.#seen = this.#sent.length;
    const shown = fresh.filter(({ type }) => type !== "ping" && type !== "pong");
    expect(shown.map(inShort)).toEqual(expected);
  }

  _shows(expected: Step, { where }: Step): void {
    const shown = this.#opened.get(partName("tasks", where)) ?? this.#tasks!;
    const rows = shown.snapshot.map(({ id, data }) => [id, data]);
    expect(Object.fromEntries(rows)).toEqual(expected);
  }

  _waiting(expected: string[]): void {
    expect(this.#driver.tab.queue.map(({ id }) => this.#nameOf(id))).toEqual(expected);
  }

  _outcome(expected: Step): void {
    for (const [name, outcome] of Object.entries(expected)) {
      expect(this.#outcomes[name], name).toEqual(outcome);
    }
  }

  _conflicts(expected: Step[]): void {
    const seen = this.#unseen.map(({ field, mine, theirs, winner }) => ({
      field,
      mine,
      theirs,
      winner,
    }));
    expect(seen).toEqual(expected);
    this.#unseen = [];
  }

  _rejected(expected: string[]): void {
    expect(this.#driver.tab.rejected.map(({ id }) => this.#nameOf(id))).toEqual(expected);
  }

  async _position(expected: Step, { where }: Step): Promise<void> {
    const { places } = await contentsOf(this.#store);
    const { epoch, version, scope } = new Map(places).get(partName("tasks", where)) ?? {};
    expect({ epoch, version, scope }).toEqual(expected);
  }

  _state(expected: string): void {
    expect(this.#driver.tab.connection).toBe(expected);
  }

  #wrote(name: string, done: Promise<unknown>): void {
    const { tab } = this.#driver;
    const before = new Set(Object.values(this.#ids));
    this.#ids[name] = tab.queue.filter(({ id }) => !before.has(id)).at(-1)!.id;
    this.#outcomes[name] = "waiting";
    done.then(
      (ack) => (this.#outcomes[name] = { version: (ack as Step)?.version }),
      ({ code }) => (this.#outcomes[name] = { code }),
    );
  }

  #rejected(name: string) {
    return this.#driver.tab.rejected.find(({ id }) => id === this.#ids[name])!;
  }

  #nameOf(id: string): string | undefined {
    return Object.keys(this.#ids).find((name) => this.#ids[name] === id);
  }

  #says(message: ServerMessage): void {
    this.#driver.says(message);
  }

  #lastSent(seq: number): Step | undefined {
    const found = this.#sent.filter((message) => "seq" in message && message.seq === seq);
    return found.at(-1) as Step | undefined;
  }
}

/** What is to be done with each field: `{"votes": {"increment": 1}}`. */
function operations(fields: Step): Record<string, JsonValue> {
  const all = Object.entries(fields).map(([name, operation]) => {
    const [[action, operand]] = Object.entries(operation) as [["increment", JsonValue]];
    return [name, new Operation(action, operand)];
  });
  return Object.fromEntries(all);
}

/** A message without what differs from run to run, and without what is not there. */
function inShort(message: Message): Step {
  const left = ["request_id", "timestamp", "token", "schema"];
  if (message.type === "hello") left.push("epoch");
  const text = JSON.stringify(message, (key, value) =>
    left.includes(key) || value === null ? undefined : value,
  );
  return JSON.parse(text) as Step;
}

describe.each(files)("%s", (file) => {
  const { scenarios } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as {
    scenarios: { name: string; steps: Step[] }[];
  };

  it.each(scenarios)("$name", async ({ steps }) => {
    const player = new Player();
    await player.start();
    for (const [index, step] of steps.entries()) {
      try {
        await player.play(step);
      } catch (error) {
        (error as Error).message =
          `step ${index} ${JSON.stringify(step)}: ${(error as Error).message}`;
        throw error;
      }
    }
  });
});
