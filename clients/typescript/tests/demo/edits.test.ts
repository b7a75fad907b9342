import { describe, expect, it, vi } from "vitest";

import { Edits } from "../../demo/edits.ts";
import type { ShownTask } from "../../demo/task.ts";
import type { JsonValue, OpenConflict } from "../../src/index.ts";
import { RhtmxError } from "../../src/index.ts";
import { eventually } from "../support/eventually.ts";

const TASK: ShownTask = {
  id: "1",
  title: "Tea",
  assignee: "Ada",
  notes: "",
  column: "doing",
  version: 3,
  pending: false,
};

function world(data: JsonValue = { title: "Tea" }) {
  const tasks = {
    create: vi.fn().mockResolvedValue({}),
    set: vi.fn().mockResolvedValue({}),
    edit: vi.fn().mockResolvedValue({}),
    delete: vi.fn().mockResolvedValue({}),
    row: vi.fn().mockReturnValue({ id: "1", data, version: 3, pending: false }),
    blame: vi.fn(),
    history: vi.fn(),
    undo: vi.fn().mockResolvedValue({}),
  };
  const show = vi.fn();
  return { tasks, show, edits: new Edits(tasks, { show }) };
}

function conflict(given: Partial<OpenConflict>): OpenConflict {
  const answers = {
    keepMine: vi.fn(),
    takeTheirs: vi.fn(),
    keepStanding: vi.fn(),
    merge: vi.fn(),
  };
  for (const each of Object.values(answers)) each.mockResolvedValue({});
  return { ...answers, entity: "tasks", id: "1", field: "title", ...given } as OpenConflict;
}

describe("an edit", () => {
  it("is based on what the user saw when beginning to write", () => {
    const { edits, tasks } = world();
    edits.edit("1", { title: "Milk" }, 3);
    expect(tasks.edit).toHaveBeenCalledWith("1", { title: "Milk" }, { baseVersion: 3 });
  });

  it("of a task that the server had not told yet is based on nothing that others wrote", () => {
    const { edits, tasks } = world();
    edits.edit("1", { title: "Milk" }, 0);
    expect(tasks.edit).toHaveBeenCalledWith("1", { title: "Milk" }, { baseVersion: 0 });
  });

  it("that could not be taken is told with its text", async () => {
    const { edits, tasks, show } = world();
    tasks.edit.mockRejectedValue(new RhtmxError("storage_full", "the disk is full"));
    edits.edit("1", { title: "Milk" }, 3);
    await eventually(() =>
      expect(show).toHaveBeenCalledWith("“Milk” was not saved: the disk is full"),
    );
  });

  it("that breaks a rule is told in the words of the schema, with its label", async () => {
    const { edits, tasks, show } = world();
    const violations = [{ field: "assignee", code: "string.max_len", message: "is too long" }];
    const error = new RhtmxError("invalid", "assignee: is too long", { details: { violations } });
    tasks.edit.mockRejectedValue(error);
    edits.edit("1", { assignee: "Milk" }, 3);
    await eventually(() =>
      expect(show).toHaveBeenCalledWith("“Milk” was not saved: Assigned to is too long."),
    );
  });
});

describe("a new task", () => {
  it("is made with its title", () => {
    const { edits, tasks } = world();
    edits.add("Tea");
    expect(tasks.create).toHaveBeenCalledWith({ title: "Tea" });
  });
});

describe("a removal", () => {
  it("can be undone, with everything that the task had", () => {
    const { edits, tasks, show } = world({ title: "Tea", colour: "red" });
    edits.remove(TASK);
    expect(tasks.delete).toHaveBeenCalledWith("1");
    const [words, remedy] = show.mock.calls[0]!;
    expect([words, remedy.label]).toEqual(["“Tea” was deleted.", "Undo"]);
    remedy.act();
    expect(tasks.set).toHaveBeenCalledWith("1", { title: "Tea", colour: "red" });
  });

  it("by somebody else gives back what was being written", () => {
    const { edits, tasks, show } = world();
    edits.gone(TASK, { notes: "A long thought" });
    const [words, remedy] = show.mock.calls[0]!;
    expect(words).toContain("“A long thought”");
    remedy.act();
    const back = { title: "Tea", assignee: "Ada", notes: "A long thought", column: "doing" };
    expect(tasks.set).toHaveBeenCalledWith("1", back);
  });

  it("while nothing was being written is not told", () => {
    const { edits, show } = world();
    edits.gone(TASK, {});
    expect(show).not.toHaveBeenCalled();
  });
});

describe("a conflict", () => {
  it("is answered as the user says", () => {
    const { edits } = world();
    const one = conflict({ mine: "Pears", theirs: "Plums", winner: "client" });
    edits.takeTheirs(one);
    edits.keepMine(one);
    edits.merge(one, "Plums and pears");
    expect(one.takeTheirs).toHaveBeenCalledOnce();
    expect(one.keepMine).toHaveBeenCalledOnce();
    expect(one.merge).toHaveBeenCalledWith("Plums and pears");
  });

  it("with a removal is answered by removing the task again", () => {
    const { edits, tasks } = world();
    const theirs = conflict({ mine: "Pears", theirs: undefined, winner: "client" });
    edits.takeTheirs(theirs);
    expect(theirs.keepStanding).toHaveBeenCalledOnce();
    edits.keepMine(conflict({ id: "2", mine: undefined, theirs: "Pears", winner: "client" }));
    expect(tasks.delete.mock.calls).toEqual([["1"], ["2"]]);
  });

  it("about a task that is gone is told with the value that lost", () => {
    const { edits, show } = world();
    const one = conflict({ mine: "Pears", theirs: undefined, winner: "server" });
    edits.lost(one);
    const [words, remedy] = show.mock.calls[0]!;
    expect(words).toContain("“Pears”");
    remedy.act();
    expect(one.keepMine).toHaveBeenCalledOnce();
  });

  it("about a task that has just gone can bring the whole of it back", () => {
    const { edits, tasks, show } = world();
    const one = conflict({ mine: "Pears", theirs: undefined, winner: "server" });
    edits.lost(one, TASK);
    const [, remedy] = show.mock.calls[0]!;
    remedy.act();
    remedy.dismissed();
    expect(one.keepStanding).toHaveBeenCalledTimes(2);
    const back = { title: "Pears", assignee: "Ada", notes: "", column: "doing" };
    expect(tasks.set).toHaveBeenCalledWith("1", back);
  });
});

describe("the past of a task", () => {
  const title = { field: "title", version: 3 };

  it("is who wrote what, with a way back if it was changed since it was made", async () => {
    const { edits, tasks } = world();
    tasks.blame.mockResolvedValue({ title });
    tasks.history.mockResolvedValue({
      commits: [{ version: 3, action: "update", changed: ["title"] }],
    });
    const { authors, undo } = await edits.past("1");
    expect(authors).toEqual([title]);
    undo!();
    expect(tasks.undo).toHaveBeenCalledWith("1", 3);
    for (const last of [
      { version: 3, action: "create", changed: ["title"] },
      { version: 3, action: "update", changed: [] },
    ]) {
      tasks.history.mockResolvedValue({ commits: [last] });
      expect((await edits.past("1")).undo).toBeUndefined();
    }
  });
});
