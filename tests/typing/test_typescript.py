"""What the compiler sees of generated TypeScript: right uses are right, and wrong ones are not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.programs import TYPESCRIPT
from tests.support.sample_schema import CHECKED_IN, DOCUMENT, document, for_tests, write_typescript

LEAST = 40
"""Right uses, and wrong ones."""

HEAD = """
import type { Row, TypedCollection } from "@rhtmx/client";
import { add, append, connect, deleteKey, inc, max, min, remove, setKey } from "@rhtmx/client";
import type { Duration, Timestamp } from "@rhtmx/client/schema";
import { timestampFrom, toDate } from "@rhtmx/client/schema";
import type { PersonNew, ReadingEdit, TaskEdit, TaskNew } from "./schema/index.js";
import type { TaskStepNew, TaskWhere } from "./schema/index.js";
import { Person, Priority, Reading, SignUp, Task, TaskStep } from "./schema/index.js";

const client = connect("/api/ws");
const tasks = client.of(Task);
const readings = client.of(Reading);
const now: Timestamp = timestampFrom(new Date());
const long = "90s" as Duration;
declare const row: Row<Task>;
"""

RIGHT = """
export const same: TypedCollection<Task, TaskNew, TaskEdit> = tasks;
export const other: TypedCollection<Reading, unknown, ReadingEdit> = readings as never;
client.of(Task, { where: { team: "red" } });
client.of(Task, { where: { team: ["red", "blue"], done: true } });
client.of(Task, { granularity: "fields" });
export const where: TaskWhere = { team: "red" };
await tasks.create({ title: "x", team: "red" });
await tasks.create({ title: "x", team: "red" }, "1");
await tasks.create({ title: "x", team: "red", due: now, estimate: long });
await tasks.create({ title: "x", team: "red", due: undefined });
await tasks.create({ title: "x", team: "red", priority: "low", urgency: Priority.ON_FIRE });
await tasks.create({ title: "x", team: "red", steps: [{ text: "y" }], next: {} });
await tasks.create({ title: "x", team: "red", ratings: { 7: "low" }, tally: { true: 1 } });
await tasks.create({ title: "x", team: "red", person: { name: "Ada" } });
await tasks.create({ title: "x", team: "red", thumbnail: new Uint8Array(1), foreign_id: 5n });
await tasks.create({ title: "x", team: "red", settings: { any: [null] }, anything: [1] });
await tasks.create({ title: "x", team: "red", place: "Rome", from: "x", list: [0.5] });
await tasks.create({ ...row.data });
await tasks.edit("1", { done: false });
await tasks.edit("1", { votes: inc(1), labels: add("urgent"), due: null });
await tasks.edit("1", { weight: min(0.5), title: max("x") });
await tasks.edit("1", { labels: remove("home"), list: append(1.5) });
await tasks.edit("1", { notes: setKey("mon", "x"), ratings: deleteKey("7") });
await tasks.edit("1", { ratings: setKey({ 7: Priority.LOW }) });
await tasks.edit("1", { foreign_id: 5n, cost: inc("0.50") });
await tasks.edit("1", { foreign_id: inc("5") });
await tasks.edit("1", { url: null, ticket: "7" });
await tasks.edit("1", { start: now, estimate: long, progress: null });
await tasks.edit("1", { priority: "on-fire", urgency: null, person: {} });
await tasks.edit("1", { priority: row.data.priority, steps: row.data.steps });
await tasks.edit("1", { done: true }, { ifUnchanged: true });
await readings.edit("1", { degrees: 3 });
export const title: string = row.data.title;
export const due: Timestamp | undefined = row.data.due;
export const day: Date = toDate(row.data.due ?? now);
export const id: bigint = row.data.foreign_id;
export const bytes: Uint8Array = row.data.thumbnail;
export const rating: Priority | undefined = row.data.ratings[7];
export const step: string | undefined = row.data.steps[0]?.text;
export const isLow: boolean = row.data.priority === "low";
export const rows: readonly Row<Task>[] = tasks.snapshot;
export const found: readonly Row<Task>[] = await tasks.where(({ data }) => data.done);
export const { data: then } = (await tasks.history("1")).commits[0]!;
export const checked = SignUp["~standard"].validate({});
if (!checked.issues) checked.value.email.trim();
export const made: TaskNew = { title: "x", team: "red" };
export const stepNew: TaskStepNew = { steps: [{}] };
export const person: PersonNew = {};
export const field: NonNullable<typeof SignUp.fields> = "nick-name";
export const shapes = [Person.rules.name, TaskStep.rules.name];
"""

WRONG = """
client.of(SignUp);
client.of(Person);
client.of("tasks");
client.of({ name: "tasks" });
client.of(Task, { where: { teem: "red" } });
client.of(Task, { where: { team: 7 } });
client.of(Task, { where: { title: "x" } });
client.of(Task, { granularity: "all" });
client.of(Reading, { where: { station: "x" } });
await tasks.create({});
await tasks.create({ title: "x" });
await tasks.create({ title: "x", team: "red", titel: "y" });
await tasks.create({ title: null, team: "red" });
await tasks.create({ title: 1, team: "red" });
await tasks.create({ title: "x", team: "red", owner: "ada" });
await tasks.create({ title: "x", team: "red", internal_note: "x" });
await tasks.create({ title: "x", team: "red", due: "2026-01-31T00:00:00Z" });
await tasks.create({ title: "x", team: "red", due: new Date() });
await tasks.create({ title: "x", team: "red", estimate: now });
await tasks.create({ title: "x", team: "red", priority: "lo" });
await tasks.create({ title: "x", team: "red", priority: Priority.URGENT });
await tasks.create({ title: "x", team: "red", thumbnail: "YQ==" });
await tasks.create({ title: "x", team: "red", foreign_id: 5 });
await tasks.create({ title: "x", team: "red", votes: 5n });
await tasks.create({ title: "x", team: "red", votes: inc(1) });
await tasks.create({ title: "x", team: "red", labels: "home" });
await tasks.create({ title: "x", team: "red", labels: [1] });
await tasks.create({ title: "x", team: "red", steps: [{ txt: "x" }] });
await tasks.create({ title: "x", team: "red", ratings: { mon: "low" } });
await tasks.create({ title: "x", team: "red", tally: { yes: 1 } });
await tasks.create({ title: "x", team: "red", location: "Rome" });
await tasks.create(new Map());
await tasks.edit("1", { titel: "x" });
await tasks.edit(1, { title: "x" });
await tasks.edit("1", { title: 1 });
await tasks.edit("1", { title: null });
await tasks.edit("1", { title: inc(1) });
await tasks.edit("1", { title: inc("1.00") });
await tasks.edit("1", { labels: inc(1) });
await tasks.edit("1", { labels: add(1) });
await tasks.edit("1", { labels: append("x") });
await tasks.edit("1", { list: add(1) });
await tasks.edit("1", { weight: inc(1) });
await tasks.edit("1", { foreign_id: inc(1) });
await tasks.edit("1", { keys: append("YQ==") });
await tasks.edit("1", { due: max("2026-01-31T00:00:00Z") });
await tasks.edit("1", { next: setKey("text", "x") });
await tasks.edit("1", { notes: setKey("mon", 1) });
await tasks.edit("1", { cost: max("1.00") });
await tasks.edit("1", { votes: max(7) });
await tasks.edit("1", { votes: min(7) });
await tasks.edit("1", { team: "blue" });
await tasks.edit("1", { owner: "eve" });
await tasks.edit("1", { internal_note: "x" });
await tasks.edit("1", { priority: "lo" });
await readings.edit("1", { title: "x" });
await readings.edit("1", { degrees: "3" });
row.data.title = "x";
row.data.labels.push("x");
row.data.internal_note.trim();
row.data.due.trim();
row.data.titel;
row.data.location;
const text: string = row.data.foreign_id;
const enumerated: "low" = row.data.priority;
SignUp["~standard"].validate({}).value.email;
const field: NonNullable<typeof SignUp.fields> = "nick_name";
"""


def compiled(folder: Path) -> str:
    """What the compiler says in its strict mode."""
    options = json.loads((TYPESCRIPT / "tsconfig.json").read_text())["compilerOptions"]
    source = TYPESCRIPT / "src"
    options |= {
        "noUnusedLocals": False,
        "typeRoots": [str(TYPESCRIPT / "node_modules" / "@types")],
        "paths": {
            "@rhtmx/client": [str(source / "index.ts")],
            "@rhtmx/client/schema": [str(source / "schema.ts")],
        },
    }
    config = {"compilerOptions": options, "include": ["*.ts", "schema/*.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    tsc = TYPESCRIPT / "node_modules" / ".bin" / "tsc"
    run = subprocess.run([tsc, "-p", folder], capture_output=True, text=True)
    return run.stdout + run.stderr


def test_each_right_use_is_right_and_each_wrong_one_is_wrong(tmp_path: Path) -> None:
    write_typescript(tmp_path / "schema")
    wrong = WRONG.strip().splitlines()
    marked = [f"// @ts-expect-error\n{each}" for each in wrong]
    (tmp_path / "right.ts").write_text(HEAD + RIGHT)
    (tmp_path / "wrong.ts").write_text("\n".join([HEAD, *marked, "export {};", ""]))
    assert compiled(tmp_path) == ""
    assert len(wrong) >= LEAST
    assert len(RIGHT.strip().splitlines()) >= LEAST


def test_a_wrong_use_is_noticed(tmp_path: Path) -> None:
    write_typescript(tmp_path / "schema")
    (tmp_path / "wrong.ts").write_text(f'{HEAD}await tasks.edit("1", {{ titel: "x" }});\n')
    assert "'titel' does not exist" in compiled(tmp_path)


def test_the_module_for_the_tests_of_the_client_is_the_one_that_is_generated() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "see above"
    assert CHECKED_IN.read_text(encoding="utf-8") == for_tests(), (
        "python -m tests.support.sample_schema"
    )
