/**
 * A program in which two clients write one field at a time, and a third one, and then others, see
 * what has lost, answer it, look back and undo.
 */
import {
  type Client,
  type Collection,
  connect,
  type OpenConflict,
  type RhtmxError,
} from "@rhtmx/client";
import { WebSocket } from "ws"; // Node 20 has none

declare const process: { env: Record<string, string>; exit(code: number): never };

interface Task {
  readonly title?: string | null;
  readonly role?: string;
  readonly n?: number;
}

const format = process.env.FORMAT === "proto" ? "proto" : "json";
const url = process.env.URL ?? "";
const open = (clientId: string): [Client, Collection<Task>] => {
  const client = connect(url, { WebSocket, clientId, format });
  return [client, client.collection<Task>("tasks")];
};

const [, hers] = open("ann");
const [bob, his] = open("bob");
const [, theirs] = open("eve");
await Promise.all([hers, his, theirs].map((each) => each.synced));

/** What is open, once it is as many. */
const opened = (tasks: Collection<Task>, count: number) =>
  new Promise<readonly OpenConflict[]>((done) => {
    const stop = tasks.conflicts.subscribe((all) => {
      if (all.length === count) queueMicrotask(() => (stop(), done(all)));
    });
  });

/** A record, once it is shown like this. */
const shown = (tasks: Collection<Task>, isIt: (data: Task | undefined) => boolean) =>
  new Promise<void>((done) => {
    const stop = tasks.subscribe(() => {
      if (isIt(tasks.row("1")?.data)) queueMicrotask(() => (stop(), done()));
    });
  });

const code = (asked: Promise<unknown>) =>
  asked.then(
    () => "done",
    (error: RhtmxError) => error.code,
  );

/** Both write, Bob without having seen what Ann has. */
async function clash(fields: Task, late: Task): Promise<void> {
  await shown(his, (data) => data !== undefined);
  bob.offline();
  await hers.patch("1", fields);
  const written = his.patch("1", late);
  bob.online();
  await written;
}

const said: Record<string, unknown> = {};
await hers.set("1", { title: "Tea", role: "editor", n: 1 });

// Of a strategy that keeps what was there: who wrote late has lost.
await clash({ role: "owner" }, { role: "reader" });
const [lost] = await opened(his, 1);
said.lost = [lost!.field, lost!.mine, lost!.theirs, lost!.stands, lost!.strategy];
said.authors = [lost!.lost.client_id, lost!.standing.client_id];

// Anybody who may write sees it, and has it answered once.
const [seen] = await opened(theirs, 1);
said.seen = [seen!.number === lost!.number, seen!.mine, seen!.stands];
await seen!.keepLost();
await shown(hers, (data) => data?.role === "reader");
await opened(his, 0);
said.second = await code(lost!.keepMine());
said.third = await code(lost!.takeTheirs());
said.kept = bob.rejected.map(({ message }) => message.type);
for (const each of bob.rejected) each.discard();

// Answered without a connection, it is gone at once.
await clash({ title: "Ann's" }, { title: "Bob's" });
const [mine] = await opened(his, 1);
said.won = [mine!.mine, mine!.theirs, mine!.stands];
bob.offline();
const answer = mine!.takeTheirs();
said.offline = [his.conflicts.snapshot.length, his.row("1")?.data.title];
bob.online();
await answer;
await shown(theirs, (data) => data?.title === "Ann's");
await opened(theirs, 0);

// An answer to what is told with the acknowledgement is one to the log, too.
const told = new Promise<OpenConflict>((done) => bob.onConflict(done));
await clash({ title: null }, { title: "Bob's again" });
const one = await told;
said.told = [one.theirs, typeof one.number];
await one.merge("Both");
await opened(theirs, 0);

// Looking back.
const { commits, complete } = await his.history("1");
said.first = [commits.at(-1)?.action, commits.at(-1)?.data?.title, complete];
said.ordered = commits.every(({ version }, at) => !at || version < commits[at - 1]!.version);
const before = commits[1]!;
said.asOf = (await his.asOf("1", before.created_at))?.version === before.version;
said.never = await his.asOf("1", new Date("2020-01-01T00:00:00Z"));
const { title, n } = await theirs.blame("1");
said.blame = [title?.client_id, title?.version === commits[0]!.version, n?.client_id];
said.nowhere = await code(his.history("2"));

// Undone by anybody, in any order of fields, unless something came after.
await hers.patch("1", { n: 2 });
const { version = 0 } = await hers.patch("1", { title: "Wrong", n: 3 });
await hers.patch("1", { role: "owner" });
await theirs.undo("1", version);
await shown(hers, (data) => data?.title === "Both");
said.undone = hers.row("1")?.data;
said.again = await code(theirs.undo("1", version));
const removed = await hers.delete("1");
await his.undo("1", removed.version);
await shown(theirs, (data) => data?.n === 2);
said.back = theirs.row("1")?.data.role;

console.log(JSON.stringify(said));
process.exit(0);
