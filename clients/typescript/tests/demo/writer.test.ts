import { describe, expect, it, vi } from "vitest";

import { Board } from "../../demo/board.ts";
import { Writer } from "../../demo/writer.ts";
import { RhtmxError } from "../../src/index.ts";
import type { Remedy } from "../../demo/notices.ts";
import type { Client, FieldConflict, PushFieldsResult, Winner } from "../../src/index.ts";

const PLACE = { entity: "tasks", entity_id: "1" };

function answer(version: number, ...conflicts: FieldConflict[]): PushFieldsResult {
  const counts = { applied: 1, conflicts: conflicts.length };
  return { ack: { type: "field_push_ack", ...PLACE, ...counts, version }, conflicts };
}

function conflict(winner: Winner, server_value: string | null, version: number): FieldConflict {
  return {
    type: "field_conflict",
    ...PLACE,
    field: "title",
    server_value,
    server_timestamp: "2026-01-01T00:00:00Z",
    client_value: "mine",
    client_timestamp: "2026-01-01T00:00:01Z",
    version,
    winner,
  };
}

function world() {
  const client = { pushFields: vi.fn<Client["pushFields"]>(), delete: vi.fn<Client["delete"]>() };
  const board = new Board();
  const show = vi.fn<(text: string, remedy?: Remedy) => void>();
  const changed = vi.fn<(id: string) => void>();
  const writer = new Writer(client, board, { show }, changed);
  /** The fields and the base version of each push so far. */
  const pushed = () => {
    const { calls } = client.pushFields.mock;
    return calls.map(([, , fields, options]) => [fields, options?.baseVersion]);
  };
  return { client, board, show, changed, writer, pushed };
}

describe("an edit", () => {
  it("shows before it is answered, and is sent with the version that the user saw", async () => {
    const { client, board, writer, changed, pushed } = world();
    client.pushFields.mockResolvedValue(answer(5));
    const done = writer.edit("1", { title: "mine" }, 4);
    expect(board.task("1")?.title).toBe("mine");
    expect(changed).toHaveBeenCalledTimes(1);
    await done;
    expect(pushed()).toEqual([[{ title: "mine" }, 4]]);
    expect(board.waiting).toBe(0);
    expect(board.versionOf("1")).toBe(5);
    expect(changed).toHaveBeenCalledTimes(2);
  });

  it("counts this window's own writes of the field as seen", async () => {
    const { client, writer, pushed } = world();
    client.pushFields.mockResolvedValueOnce(answer(5)).mockResolvedValue(answer(6));
    void writer.edit("1", { title: "one" }, 4);
    void writer.edit("1", { title: "two" }, 4);
    await writer.edit("1", { assignee: "Ada" }, 4);
    expect(pushed().map(([, base]) => base)).toEqual([4, 5, 4]);
  });

  it("of a task that this window has just added is no conflict with that", async () => {
    const { client, board, writer, pushed } = world();
    client.pushFields.mockResolvedValueOnce(answer(5)).mockResolvedValue(answer(6));
    void writer.edit("1", { title: "mine", assignee: "" });
    await writer.edit("1", { assignee: "Ada" }, board.versionOf("1"));
    expect(pushed().map(([, base]) => base)).toEqual([undefined, 5]);
  });

  it("is sent after the one before it was answered", async () => {
    const { client, writer } = world();
    let settle = (_: PushFieldsResult) => {};
    client.pushFields.mockReturnValueOnce(new Promise((resolve) => (settle = resolve)));
    client.pushFields.mockResolvedValue(answer(6));
    void writer.edit("1", { title: "one" });
    const second = writer.edit("1", { title: "two" });
    await vi.waitFor(() => expect(client.pushFields).toHaveBeenCalledTimes(1));
    settle(answer(5));
    await second;
    expect(client.pushFields).toHaveBeenCalledTimes(2);
  });

  it("that fails is taken back, and told with its text", async () => {
    const { client, board, writer, show } = world();
    client.pushFields.mockRejectedValue(new RhtmxError("storage_full", "the disk is full"));
    await writer.edit("1", { title: "mine", assignee: "", done: false });
    expect(board.task("1")).toBeUndefined();
    expect(show).toHaveBeenCalledWith("“mine” was not saved: the disk is full");
  });
});

describe("a conflict", () => {
  it("that was won can be given to the other window", async () => {
    const { client, writer, show, pushed } = world();
    client.pushFields.mockResolvedValue(answer(6, conflict("client", "theirs", 6)));
    await writer.edit("1", { title: "mine" }, 4);
    const [text, remedy] = show.mock.calls[0]!;
    expect(text).toContain("your “mine” replaced “theirs”");
    expect(remedy?.label).toBe("Use theirs");
    remedy?.act();
    await vi.waitFor(() => expect(pushed()[1]).toEqual([{ title: "theirs" }, 6]));
  });

  it("that was lost shows the other value, and can be written again", async () => {
    const { client, board, writer, show, pushed } = world();
    client.pushFields.mockResolvedValue(answer(6, conflict("server", "theirs", 6)));
    await writer.edit("1", { title: "mine" }, 4);
    expect(board.task("1")?.title).toBeUndefined();
    const [, remedy] = show.mock.calls[0]!;
    expect(remedy?.label).toBe("Use mine");
    remedy?.act();
    await vi.waitFor(() => expect(pushed()[1]).toEqual([{ title: "mine" }, 6]));
  });

  it("with a removal can be settled by removing the task again", async () => {
    const { client, writer, show } = world();
    client.pushFields.mockResolvedValue(answer(6, conflict("client", null, 6)));
    client.delete.mockResolvedValue({ type: "push_ack", ...PLACE, version: 7 });
    await writer.edit("1", { title: "mine" }, 4);
    const [, remedy] = show.mock.calls[0]!;
    expect(remedy?.label).toBe("Remove it");
    remedy?.act();
    await vi.waitFor(() => expect(client.delete).toHaveBeenCalledWith("tasks", "1"));
  });
});

describe("a removal", () => {
  it("shows at once and stays", async () => {
    const { client, board, writer } = world();
    client.pushFields.mockResolvedValue(answer(5));
    client.delete.mockResolvedValue({ type: "push_ack", ...PLACE, version: 6 });
    await writer.edit("1", { title: "mine" });
    const done = writer.remove("1");
    expect(board.task("1")).toBeUndefined();
    await done;
    expect(board.task("1")).toBeUndefined();
    expect(board.version).toBe(6);
  });

  it("that fails brings the task back and is told", async () => {
    const { client, board, writer, show } = world();
    client.pushFields.mockResolvedValue(answer(5));
    client.delete.mockRejectedValue(new RhtmxError("storage_full", "the disk is full"));
    await writer.edit("1", { title: "mine" });
    await writer.remove("1");
    expect(board.task("1")?.title).toBe("mine");
    expect(show).toHaveBeenCalledWith("The task was not removed: the disk is full");
  });
});
