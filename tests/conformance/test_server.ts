/**
 * A program that says the same to the server for tests and to a real one, and compares what each
 * answers: to whom, what, and in which order.
 *
 *     URL=ws://… SEEDS=20 node run.mjs test_server.ts
 *
 * What is said is random, by a seed. Left out of the comparison is what differs by nature: times of
 * the server, ids that it makes, words, and what the server for tests says that it does not do.
 */
import { createServer } from "@rhtmx/client/testing";
import { WebSocket } from "ws"; // Node 20 has none

declare const process: { env: Record<string, string>; exitCode: number; exit(code: number): never };

type Message = { type: string; [key: string]: unknown };
type SocketClass = new (url: string, protocols: string[]) => WebSocket;

const NAMES = ["a", "b", "c"] as const;
const STEPS = 40;
/** Milliseconds after which a message will not be answered any more. */
const PATIENCE = 60_000;
const LEFT_OUT = ["message", "server_time", "session_id", "limits", "heartbeat", "schema"];
const ALSO_LEFT_OUT = [...LEFT_OUT, "created_at", "conflict", "app_schema"];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One client of a server, that says what it is told. */
class Peer {
  heard: Message[] = [];
  epoch = "";
  secret: string | undefined;
  #socket: WebSocket | undefined;
  #look = () => {};

  async open(make: SocketClass, url: string, id: string): Promise<void> {
    const socket = new make(url, ["rhtmx.v1.json"]);
    this.#socket = socket;
    await new Promise((opened) => {
      socket.onopen = opened as never;
    });
    socket.onmessage = ({ data }) => {
      this.heard.push(JSON.parse(`${data}`));
      this.#look();
    };
    const [welcome] = await this.say({ type: "hello", client_id: id, secret: this.secret });
    this.epoch = welcome!.epoch as string;
    this.secret ??= welcome!.secret as string;
  }

  /** Says something, and returns all that is heard until it is answered. */
  async say(message: Message): Promise<Message[]> {
    const { type, request_id } = message;
    this.#socket!.send(JSON.stringify(message));
    if (type.startsWith("unsub")) return this.rest();
    await this.#until((each) => {
      if (request_id) return each.request_id === request_id;
      if (type === "hello") return each.type === "welcome";
      return each.type === "error" || each.type.endsWith("_complete");
    });
    return this.rest();
  }

  /** All that was on its way. */
  async rest(): Promise<Message[]> {
    this.#socket!.send('{"type":"ping"}');
    await this.#until(({ type }) => type === "pong");
    return this.heard.splice(0).filter(({ type }) => !/^p[io]ng$/.test(type));
  }

  close(): void {
    this.#socket!.onmessage = () => {};
    this.#socket!.close();
  }

  #until(isIt: (message: Message) => boolean): Promise<void> {
    return new Promise((done) => {
      this.#look = () => {
        if (this.heard.some(isIt)) done();
      };
      this.#look();
    });
  }
}

/** Three clients of one server. */
class Clients {
  readonly #peers = new Map(NAMES.map((name) => [name, new Peer()]));
  readonly #make: SocketClass;
  readonly #url: string;
  readonly #seed: number;

  constructor(make: SocketClass, url: string, seed: number) {
    this.#make = make;
    this.#url = url;
    this.#seed = seed;
  }

  async open(): Promise<void> {
    for (const [name, peer] of this.#peers) {
      await peer.open(this.#make, this.#url, `${this.#seed}-${name}`);
    }
  }

  /** One of them says something; what each of them hears then. */
  async say(name: string, message: Message): Promise<unknown> {
    const peer = this.#peers.get(name as never)!;
    if (message.type === "again") {
      peer.close();
      await peer.open(this.#make, this.#url, `${this.#seed}-${name}`);
      return "came again";
    }
    const epoch = JSON.stringify(message).replaceAll('"EPOCH"', JSON.stringify(peer.epoch));
    const answer = await peer.say(JSON.parse(epoch));
    const heard: { [name: string]: Message[] } = { [name]: told(answer) };
    for (const [other, each] of this.#peers) {
      if (each !== peer) heard[other] = told(await each.rest());
    }
    return normal(heard, peer.epoch);
  }

  close(): void {
    for (const peer of this.#peers.values()) peer.close();
  }
}

/** Without the end of a transaction of which nothing was told. */
function told(messages: readonly Message[]): Message[] {
  const isOne = messages.some(({ change }) => Object(change).transaction);
  return messages.filter(({ type }) => isOne || type !== "transaction_complete");
}

/** Without what differs by nature. */
function normal(heard: unknown, epoch: string): unknown {
  return JSON.parse(JSON.stringify(heard), (key, value) => {
    if (ALSO_LEFT_OUT.includes(key)) return undefined;
    if (value === epoch) return "EPOCH";
    if (key === "transaction") return value && "TRANSACTION";
    if (typeof value !== "string" || !/^\d{4}-.*Z$/.test(value)) return value;
    return value.startsWith("2026-01-01") ? value : "NOW";
  });
}

/** What is said next, at random. */
class Script {
  readonly #chance: () => number;
  readonly #entity: string;
  /** Who reads field by field; our clients never read one entity in both ways. */
  readonly #fields: ReadonlySet<string>;
  readonly #seqs = new Map<string, number>();
  readonly #said = new Map<string, Message[]>();
  #requests = 0;

  constructor(seed: number) {
    this.#chance = chanceOf(seed);
    this.#entity = `tasks${seed}`;
    this.#fields = new Set(seed % 2 ? ["b", "c"] : ["b"]);
  }

  next(): [name: string, message: Message] {
    const name = this.#one(NAMES);
    const roll = this.#chance();
    if (roll < 0.05) return [name, { type: "again" }];
    if (roll < 0.15) return [name, this.#subscribe(name)];
    if (roll < 0.25) return [name, this.#sync(name)];
    if (roll < 0.32 && this.#said.has(name)) return [name, this.#once_more(name)];
    return [name, this.#numbered(name, this.#write())];
  }

  #write(): Message {
    const roll = this.#chance();
    if (roll < 0.35) return { type: "push", ...this.#push() };
    if (roll < 0.85) return { type: "push_fields", ...this.#pushFields() };
    const writes = Array.from({ length: 1 + this.#upTo(3) }, () =>
      this.#chance() < 0.5 ? this.#push() : this.#pushFields(),
    );
    return { type: "transaction", writes };
  }

  #push(): object {
    const deletes = this.#chance() < 0.2;
    const data = { t: this.#upTo(3), n: this.#upTo(5), l: ["x"] };
    if (this.#chance() < 0.3) delete (data as { t?: number }).t;
    const action = deletes ? "delete" : "update";
    return { ...this.#place(), action, data: deletes ? null : data, ...this.#base(0.2) };
  }

  #pushFields(): object {
    const fields = ["t", "n", "l"].filter(() => this.#chance() < 0.5);
    if (!fields.length) fields.push("t");
    const updates = fields.map((field) => ({ field, ...this.#update(field), ...this.#time() }));
    const unchanged = this.#chance() < 0.1 ? { if_unchanged: true } : {};
    return { ...this.#place(), fields: updates, ...this.#base(0.5), ...unchanged };
  }

  #update(field: string): object {
    const roll = this.#chance();
    if (field === "t") {
      if (roll < 0.2) return { value: null, action: "delete" };
      return { value: this.#one([0, 1, "one", null, { b: 1, a: [2] }]), action: "update" };
    }
    if (field === "n") {
      return { value: this.#upTo(9), action: this.#one(["update", "increment", "max", "min"]) };
    }
    return { value: [this.#one(["x", "y"])], action: this.#one(["update", "add", "append"]) };
  }

  #subscribe(name: string): Message {
    const type = this.#fields.has(name) ? "subscribe_fields" : "subscribe";
    if (this.#chance() < 0.2) return { type: `un${type}`, entities: [this.#entity] };
    const position = { [this.#entity]: this.#position() };
    const since = this.#chance() < 0.7 ? { since: position } : {};
    return { type, entities: [this.#entity], ...since };
  }

  #sync(name: string): Message {
    this.#requests += 1;
    const { version, epoch } = this.#position();
    const about = { entity: this.#entity, since: version, request_id: `s${this.#requests}` };
    return { type: this.#fields.has(name) ? "sync_fields" : "sync", ...about, epoch };
  }

  #numbered(name: string, message: Message): Message {
    const seq = (this.#seqs.get(name) ?? 0) + 1;
    this.#requests += 1;
    const request_id = `r${this.#requests}`;
    if (this.#chance() < 0.03) return { ...message, seq: seq + 1, request_id }; // a gap
    this.#seqs.set(name, seq);
    const said = { ...message, seq, request_id };
    this.#said.set(name, [...(this.#said.get(name) ?? []), said]);
    return said;
  }

  /** The same again, or under its number something else. */
  #once_more(name: string): Message {
    const said = this.#one(this.#said.get(name)!);
    this.#requests += 1;
    const again = { ...said, request_id: `r${this.#requests}` };
    return this.#chance() < 0.8 ? again : { ...this.#write(), ...only(again) };
  }

  #place(): { entity: string; entity_id: string } {
    return { entity: this.#entity, entity_id: this.#one(["1", "2"]) };
  }

  #base(likely: number): object {
    return this.#chance() < likely ? { base_version: this.#upTo(20) } : {};
  }

  #time(): object {
    return { timestamp: `2026-01-01T00:00:0${this.#upTo(9)}.000000Z` };
  }

  #position(): { epoch: string; version: number } {
    const epoch = this.#chance() < 0.9 ? "EPOCH" : "another";
    return { epoch, version: this.#upTo(12) };
  }

  #upTo(most: number): number {
    return Math.floor(this.#chance() * most);
  }

  #one<T>(all: readonly T[]): T {
    return all[this.#upTo(all.length)]!;
  }
}

function only({ seq, request_id }: Message): object {
  return { seq, request_id };
}

/** What is said, and how the answers differ, if they do. */
async function compared(seed: number): Promise<string | undefined> {
  const script = new Script(seed);
  const made = createServer();
  const [tests, real] = [
    new Clients(made.WebSocket as never, "ws://server.test", seed),
    new Clients(WebSocket as never, process.env.URL!, seed),
  ];
  await Promise.all([tests.open(), real.open()]);
  const said: string[] = [];
  try {
    for (let step = 0; step < STEPS; step += 1) {
      const [name, message] = script.next();
      said.push(`${name} says ${JSON.stringify(message)}`);
      const patience = setTimeout(() => {
        console.log([`seed ${seed}`, ...said, "is not answered"].join("\n"));
        process.exit(1);
      }, PATIENCE);
      const answers = await Promise.all([tests.say(name, message), real.say(name, message)]);
      clearTimeout(patience);
      const [ours, theirs] = answers.map((each) => JSON.stringify(ordered(each), null, 1));
      if (ours !== theirs) {
        return [`seed ${seed}`, ...said, `for tests: ${ours}`, `real: ${theirs}`].join("\n");
      }
    }
  } finally {
    tests.close();
    real.close();
  }
  return undefined;
}

/** With the keys of objects in order. */
function ordered(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, each) => {
    if (typeof each !== "object" || !each || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const [first, last] = (process.env.SEEDS ?? "0-19").split("-").map(Number) as [number, number];
for (let seed = first; seed <= last; seed += 1) {
  const difference = await compared(seed);
  if (difference) {
    console.log(difference);
    process.exitCode = 1;
    break;
  }
}
