/**
 * Uses the public face as an application would; it only has to compile.
 */
import { WebSocket as NodeWebSocket } from "ws";

import {
  add,
  append,
  type ChangeLog,
  type Collection,
  connect,
  deleteKey,
  ERRORS,
  type ErrorCode,
  type FormValue,
  type FormValues,
  inc,
  type JsonValue,
  max,
  min,
  type Open,
  type OpenConflict,
  type Pending,
  type Rejected,
  RhtmxError,
  type Row,
  remove,
  type State,
  type Stop,
  setKey,
} from "../src/index.ts";

interface Task {
  readonly title: string;
  readonly done?: boolean;
}

export async function together(): Promise<string[]> {
  const client = connect("/api/ws");
  const tasks = client.collection<Task>("tasks");
  const { results } = await client.transaction((writes) => {
    writes.set(tasks, "1", { title: "Write it down" });
    writes.set<Task>("tasks", "2", { title: "Read it" });
    writes.set("anything", "1", [1, null]);
    // @ts-expect-error: it is no task
    writes.set(tasks, "1", { name: "x" });
    writes.patch(tasks, "1", { done: true });
    writes.patch("tasks", "1", { votes: inc(1) });
    // @ts-expect-error: that is no field of a task
    writes.patch(tasks, "1", { votes: inc(1) });
    // @ts-expect-error: nothing is added to it
    writes.patch<Task>("tasks", "1", { done: inc(1) });
    writes.delete(tasks, "2", { baseVersion: 3 });
  });
  return results.map(({ entity }) => entity);
}

export async function application(): Promise<void> {
  const rhtmx = connect("/api/ws");
  connect("ws://localhost/", { WebSocket: NodeWebSocket, format: "proto", token: "t" }).close();
  connect("ws://localhost/", { token: async () => "t", storage: false, clientId: "c" }).close();
  connect("ws://localhost/", { WebSocket: globalThis.WebSocket, storage: "tasks" }).close();
  const stop: Stop = rhtmx.onState((state: State, error) => console.log(state, error?.code));
  const tasks: Collection<Task> = rhtmx.collection<Task>("tasks", { granularity: "fields" });
  tasks.subscribe((rows: readonly Row<Task>[]) => console.log(rows[0]?.data.title));
  tasks.subscribe(() => {}, {
    where: ({ data }) => data.done === true,
    signal: new AbortController().signal,
  });
  for await (const rows of tasks) console.log(rows.length, rows[0]?.pending, rows[0]?.version);
  for await (const rows of tasks.rows({ signal: AbortSignal.timeout(1) })) console.log(rows.length);
  await tasks.ready;
  await tasks.synced;
  {
    using room: Collection<Task> = rhtmx.collection<Task>("room");
    room.close();
  }
  const { version } = await tasks.set("1", { title: "Write it down" }, { baseVersion: 3 });
  await tasks.patch("1", { done: true }, { delete: ["title"] });
  await tasks.delete("1", { baseVersion: version });
  const row: Row<Task> | undefined = (await tasks.get("1")) ?? tasks.row("1") ?? tasks.snapshot[0];
  const some: readonly Row<Task>[] = [
    ...(await tasks.all()),
    ...(await tasks.where(({ id }) => id > "3")),
  ];
  console.log(row?.id, some.length);
  tasks.onConflict(async (conflict: OpenConflict) => {
    await conflict.keepMine();
    await conflict.takeTheirs();
    await conflict.merge(`${conflict.mine} ${conflict.theirs}`);
  });
  rhtmx.onConflict(({ entity, id, field, winner, version }) => {
    console.log(entity, id, field, winner, version);
  });
  const unwatch: Stop = rhtmx.changes("prices", (change: ChangeLog | null) =>
    console.log(change?.data),
  );
  unwatch();
  const ack = await rhtmx.push("tasks", "1", { title: "Write it down", tags: ["a"] });
  await rhtmx.delete("tasks", "1", { baseVersion: ack.version });
  const { conflicts } = await rhtmx.pushFields("tasks", "1", { done: true }, { delete: ["tags"] });
  console.log(conflicts);
  const verdict = await rhtmx.form("signup").check("email", "ada@example.com", { name: "Ada" });
  console.log(verdict.valid, verdict.error?.length);
  const { errors } = await rhtmx.form("signup", { formInstance: "2" }).validate({ email: "" });
  console.log(errors.map(({ field, error }) => `${field}: ${error}`));
  await rhtmx.validateField("signup", "email", "x", { values: { name: "Ada" } });
  await rhtmx.validateForm("signup", { email: "" }, { formInstance: "2" });
  const photo: FormValue = new File([], "a.png");
  const answers: FormValues = { days: ["mo", "tu"], photo, photos: [photo] };
  await rhtmx.validateForm("signup", answers);
  await rhtmx.validateField("signup", "days", ["mo", "tu"], { values: answers });
  const queue: readonly Pending[] = rhtmx.queue;
  console.log(queue[0]?.entityId, queue[0]?.since);
  rhtmx.onQueue((all) => console.log(all.length));
  const rejected: readonly Rejected[] = rhtmx.rejected;
  await rejected[0]?.retry();
  rejected[0]?.discard();
  rhtmx.onRejected((all) => console.log(all[0]?.text));
  rhtmx.offline();
  rhtmx.online();
  try {
    await rhtmx.authenticate("t");
  } catch (error) {
    if (error instanceof RhtmxError && error.code === "unauthenticated") stop();
  }
  rhtmx.close();
  // @ts-expect-error: a record's data is JSON
  await rhtmx.push("tasks", "1", () => {});
  // @ts-expect-error: a task has a title
  await tasks.set("1", { done: true });
  // @ts-expect-error: a task has no such field
  await tasks.patch("1", { colour: "red" });
  // @ts-expect-error: there is no such state
  rhtmx.onState((state) => state === "online");
}

/** A newer server may say other words: whoever has looked at all that are known is not done. */
export function words(error: RhtmxError, conflict: OpenConflict): string {
  const known: Open<ErrorCode | "closed"> = error.code;
  const traits = ERRORS[known];
  // @ts-expect-error: of a word that is not known nothing is known
  console.log(traits.retryable);
  console.log(traits?.retryable, ERRORS.forbidden.close, error.retryable);
  if (error.code === "conflict" || error.code === "of tomorrow") return error.code;
  switch (conflict.winner) {
    case "server":
    case "client":
      return conflict.winner;
    default:
      return conflict.winner.toUpperCase();
  }
}

/** A change has one of three actions, whatever the server says. */
export function actions({ action }: ChangeLog): "create" | "update" | "delete" {
  return action;
}

/** An integer that a number cannot hold. */
export const value: JsonValue = { votes: [9007199254740993n] };

interface Article {
  readonly title: string;
  readonly votes: number;
  readonly exact: bigint;
  readonly price: string;
  readonly tags?: readonly ("new" | "old")[];
  readonly lines: readonly { readonly by: string }[];
  readonly meta: { readonly a?: number; readonly b?: string };
  readonly counts: Readonly<Record<string, number>>;
  readonly kind: "one" | "other";
  readonly open: boolean;
}

/** An operation goes where it fits, and nowhere else. */
export function operations(articles: Collection<Article>, any: Collection): void {
  articles.patch("1", { votes: inc(1), price: inc("0.50"), tags: add("new"), open: true });
  articles.patch("1", { votes: max(3), exact: min(3n), title: max("b"), tags: remove("old") });
  articles.patch("1", { lines: append({ by: "ada" }), meta: setKey("a", 1), title: "plain" });
  articles.patch("1", { meta: setKey({ a: 1, b: "c" }), counts: setKey("any", 1) });
  articles.patch("1", { meta: deleteKey("a", "b"), counts: deleteKey("any"), tags: append("new") });
  any.patch("1", { votes: inc(1), tags: add("a", 1, true), meta: setKey("a", [1]) });
  // @ts-expect-error: a number is not added to a text
  articles.patch("1", { title: inc(1) });
  // @ts-expect-error: nor a decimal to a number
  articles.patch("1", { votes: inc("0.50") });
  // @ts-expect-error: a choice of texts is no number
  articles.patch("1", { kind: inc("1") });
  // @ts-expect-error: not an element of that set
  articles.patch("1", { tags: add("urgent") });
  // @ts-expect-error: objects are no elements of a set
  articles.patch("1", { lines: add({ by: "ada" }) });
  // @ts-expect-error: not what the list is of
  articles.patch("1", { lines: append("ada") });
  // @ts-expect-error: a text has no elements
  articles.patch("1", { title: add("a") });
  // @ts-expect-error: not of the type of that key
  articles.patch("1", { meta: setKey("a", "text") });
  // @ts-expect-error: no such key
  articles.patch("1", { meta: deleteKey("c") });
  // @ts-expect-error: a text is not compared with a number
  articles.patch("1", { votes: max("a") });
  // @ts-expect-error: a boolean is not compared
  articles.patch("1", { open: max(1) });
  // @ts-expect-error: an operation is no value of a whole record
  articles.set("1", { votes: inc(1) });
}
