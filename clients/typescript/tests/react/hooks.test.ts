// @vitest-environment happy-dom
import { act, createElement, memo, StrictMode, useEffect, useState } from "react";
import type { Root } from "react-dom/client";
import { createRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../../src/api/client.ts";
import { connect } from "../../src/api/client.ts";
import type { Collection } from "../../src/api/collection.ts";
import type { Row } from "../../src/core/overlay.ts";
import type { Message } from "../../src/messages/types.ts";
import type { Field } from "../../src/react/index.ts";
import {
  useCollection,
  useConflicts,
  useConnection,
  useField,
  usePresence,
  useRecord,
} from "../../src/react/index.ts";
import { open, record, settle } from "../support/client.ts";
import type { FakeWebSocket } from "../support/sockets.ts";
import { fakeSockets } from "../support/sockets.ts";

interface Task {
  readonly title: string;
  readonly done?: boolean;
}

let client: Client;
let socket: FakeWebSocket;
let tasks: Collection<Task>;
let root: Root;
let place: HTMLElement;

beforeEach(async () => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  // React says with console.error what a component does wrong.
  vi.spyOn(console, "error").mockImplementation((...words: unknown[]) => {
    throw new Error(words.join(" "));
  });
  const opened = await open();
  client = opened.client;
  socket = opened.socket();
  tasks = client.collection<Task>("tasks");
  says(1, "1", { title: "One" });
  says(2, "2", { title: "Two", done: true });
  socket.says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 2, reset: false });
  await settle();
  place = document.createElement("main");
  document.body.append(place);
  root = createRoot(place);
});

afterEach(async () => {
  await act(async () => root.unmount());
  client.close();
  place.remove();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function says(version: number, id: string, data: Task): void {
  socket.says({ type: "change", change: record(id, version, data as never) });
}

/** The first write, of the title of the first task, was not the only one. */
function conflicts(): void {
  const time = "2026-01-01T00:00:00Z";
  socket.says({
    type: "field_conflict",
    entity: "tasks",
    entity_id: "1",
    field: "title",
    seq: 1,
    version: 4,
    client_value: "Mine",
    client_timestamp: time,
    server_value: "Theirs",
    server_timestamp: time,
    winner: "server",
  });
  socket.says({
    type: "field_push_ack",
    entity: "tasks",
    entity_id: "1",
    applied: 0,
    conflicts: 1,
    version: 4,
    seq: 1,
  });
}

/** Renders a component that returns text. */
async function render(component: () => string): Promise<void> {
  await act(async () => root.render(createElement(StrictMode, null, createElement(component))));
}

/** Lets something happen, and everything that follows from it. */
async function happens(what: () => void): Promise<void> {
  await act(async () => {
    what();
    await settle();
    // Listeners are told in a timer of no time: this one is set later, so it comes later.
    await new Promise((resolve) => setTimeout(resolve));
  });
}

const isOpen = ({ data }: Row<Task>) => !data.done;
const titles = (rows: readonly Row<Task>[]) => rows.map(({ data }) => data.title).join(" ");

it("useCollection shows the rows at once, then as they change, own writes too", async () => {
  await render(() => titles(useCollection(tasks)));
  expect(place.textContent).toBe("One Two");
  await happens(() => says(3, "3", { title: "Three" }));
  expect(place.textContent).toBe("One Two Three");
  await happens(() => void tasks.set("0", { title: "Zero" }));
  expect(place.textContent).toBe("Zero One Two Three");
});

describe("how often a list is rendered", () => {
  let lists = 0;
  const items = new Map<string, number>();
  const Item = memo(({ row }: { readonly row: Row<Task> }) => {
    items.set(row.id, (items.get(row.id) ?? 0) + 1);
    return row.data.title;
  });
  const List = () => {
    lists += 1;
    return useCollection(tasks).map((row) => createElement(Item, { key: row.id, row }));
  };

  beforeEach(async () => {
    await act(async () => root.render(createElement(List)));
    [lists] = [0];
    items.clear();
  });

  it.each([1, 100])(
    "once for %s own edits in one go, and of its rows only the edited",
    async (count) => {
      await happens(() => {
        for (let at = 0; at < count; at += 1) void tasks.patch("1", { title: `Edit ${at}` });
      });
      expect(place.textContent).toBe(`Edit ${count - 1}Two`);
      expect([lists, [...items]]).toEqual([1, [["1", 1]]]);
    },
  );

  it("once for the answer to an edit and its change, which come together", async () => {
    await happens(() => void tasks.patch("1", { title: "Uno" }));
    [lists] = [0];
    items.clear();
    await happens(() => {
      says(3, "1", { title: "Uno" });
      const ack = { type: "field_push_ack", entity: "tasks", entity_id: "1" } as const;
      socket.says({ ...ack, applied: 1, conflicts: 0, version: 3, seq: 1 });
    });
    expect([lists, [...items]]).toEqual([1, [["1", 1]]]);
  });
});

it("useCollection with a condition shows only the rows that meet it", async () => {
  await render(() => titles(useCollection(tasks, isOpen)));
  expect(place.textContent).toBe("One");
  await happens(() => says(3, "2", { title: "Two", done: false }));
  expect(place.textContent).toBe("One Two");
});

it("useCollection with a condition gives the same array, and renders only when its rows change", async () => {
  const seen: unknown[] = [];
  let again!: () => void;
  await render(() => {
    const [, set] = useState(0);
    again = () => set((count) => count + 1);
    // Not the same function twice.
    const rows = useCollection(tasks, (row) => isOpen(row));
    seen.push(rows);
    return titles(rows);
  });
  const before = seen.length;
  await happens(() => says(3, "2", { title: "Zwei", done: true }));
  expect(seen.length).toBe(before);
  await act(async () => again());
  expect(seen.length).toBeGreaterThan(before);
  expect(new Set(seen).size).toBe(1);
  await happens(() => says(4, "1", { title: "Eins" }));
  expect(place.textContent).toBe("Eins");
});

it.each([
  ["", undefined],
  [" with a condition", isOpen],
])(
  "what is rendered before anything is loaded is nothing, and then what there is%s",
  async (_, where) => {
    const unloaded = connect("ws://x/api/ws", {
      WebSocket: fakeSockets().WebSocket,
      storage: false,
    });
    let renders = 0;
    await render(() => {
      renders += 1;
      const rows = useCollection(unloaded.collection<Task>("tasks"), where);
      const field = useField(unloaded.collection<Task>("tasks"), "1", "title");
      return `${rows.length} ${field.value} ${useConnection(unloaded)}`;
    });
    expect(place.textContent).toBe("0 undefined connecting");
    const before = renders;
    await happens(() => {});
    expect(renders).toBe(before);
    await happens(
      () =>
        void unloaded
          .collection<Task>("tasks")
          .set("1", { title: "Uno" })
          .catch(() => {}),
    );
    expect(place.textContent).toBe("1 Uno connecting");
    await happens(() => unloaded.close());
    expect(place.textContent).toBe("1 Uno closed");
  },
);

it("a component that goes and comes again is told of conflicts, and once", async () => {
  let title!: Field<string>;
  let show!: (there: boolean) => void;
  const Title = () => {
    title = useField(tasks, "1", "title");
    return `${title.value} ${title.conflict?.theirs ?? "agreed"}`;
  };
  await render(() => {
    const [there, set] = useState(true);
    show = set;
    return (there ? createElement(Title) : "gone") as string;
  });
  await act(async () => show(false));
  expect(place.textContent).toBe("gone");
  await act(async () => show(true));
  await happens(() => void title.set("Mine"));
  await happens(() => conflicts());
  expect(place.textContent).toBe("Theirs Theirs");
  await happens(() => void title.conflict?.takeTheirs());
  expect(place.textContent).toBe("Theirs agreed");
});

it("useRecord renders again only when its own record changed", async () => {
  let renders = 0;
  await render(() => {
    renders += 1;
    return useRecord(tasks, "1")?.data.title ?? "none";
  });
  const before = renders;
  await happens(() => says(3, "2", { title: "Other" }));
  expect(renders).toBe(before);
  await happens(() => says(4, "1", { title: "First" }));
  expect(place.textContent).toBe("First");
});

it("useRecord of what is not there is undefined, until it is", async () => {
  await render(() => useRecord(tasks, "9")?.data.title ?? "none");
  expect(place.textContent).toBe("none");
  await happens(() => says(3, "9", { title: "Nine" }));
  expect(place.textContent).toBe("Nine");
});

it("useField writes one field, says that it waits, and that it was rejected", async () => {
  let title!: Field<string>;
  await render(() => {
    title = useField(tasks, "1", "title");
    return `${title.value} ${title.pending} ${title.error?.code ?? ""}`;
  });
  expect(place.textContent).toBe("One false ");
  await happens(() => void title.set("Uno"));
  expect(place.textContent).toBe("Uno true ");
  await happens(() =>
    socket.says({ type: "error", message: "no", code: "forbidden", seq: 1, details: null }),
  );
  expect(place.textContent).toBe("One false forbidden");
  await happens(() => void title.set("Un"));
  expect(place.textContent).toBe("Un true ");
});

it("useField shows a conflict of its field until it is answered", async () => {
  let title!: Field<string>;
  await render(() => {
    title = useField(tasks, "1", "title");
    return `${title.value} ${title.conflict?.theirs ?? "agreed"}`;
  });
  await happens(() => void title.set("Mine"));
  await happens(() => conflicts());
  expect(place.textContent).toBe("Theirs Theirs");
  await happens(() => void title.conflict?.keepMine());
  expect(place.textContent).toBe("Mine agreed");
});

describe("what a check of the server finds wrong", () => {
  let title!: Field<string>;
  let done!: Field<boolean | undefined>;
  const violations = [{ field: "done", code: "", message: "needs a title" }];
  const refuses = (seq: number, details: object | null = { violations }) =>
    socket.says({ type: "error", message: "no", code: "invalid_data", seq, details } as never);
  const takes = (seq: number) => {
    const place = { entity: "tasks", entity_id: "1", version: 2 + seq } as const;
    socket.says({ type: "field_push_ack", ...place, applied: 1, conflicts: 0, seq });
  };

  beforeEach(async () => {
    await render(() => {
      title = useField(tasks, "1", "title");
      done = useField(tasks, "1", "done");
      const other = useField(tasks, "2", "done");
      return [title, done, other].map(({ violation }) => violation?.message ?? "-").join(" ");
    });
  });

  it("stands at the field that is wrong, whichever was written, and at that of no other record", async () => {
    await happens(() => void title.set(""));
    await happens(() => refuses(1));
    expect(place.textContent).toBe("- needs a title -");
    expect([title.error?.code, done.error]).toEqual(["invalid_data", undefined]);
    // That the server says no for another reason makes it no better.
    await happens(() => void title.set("?"));
    await happens(() => refuses(2, null));
    expect(place.textContent).toBe("- needs a title -");
  });

  it("goes with the next write of the field, and with one of the record that is taken", async () => {
    await happens(() => void title.set(""));
    await happens(() => refuses(1));
    await happens(() => void done.set(false));
    expect(place.textContent).toBe("- - -");
    await happens(() => refuses(2));
    expect(place.textContent).toBe("- needs a title -");
    await happens(() => void title.set("Uno"));
    expect(place.textContent).toBe("- needs a title -");
    await happens(() => takes(3));
    expect(place.textContent).toBe("- - -");
  });
});

describe("useConflicts", () => {
  const entity = "$conflicts/tasks";
  const side = (value: string, client_id: string) => {
    return { value, action: "update", timestamp: "2026-01-01T00:00:00Z", client_id };
  };
  const sides = { stored: side("Theirs", "you"), pushed: side("Mine", "me") };
  const conflict = { field: "title", winner: "server", version: 4, ...sides };

  function logs(version: number, id: string): void {
    const change = { ...record(id, version, { [`$${version}`]: conflict }), entity };
    socket.says({ type: "change", change });
  }

  it("shows what nobody has answered, of all or of one record, until somebody has", async () => {
    let renders = 0;
    let keep!: () => Promise<unknown>;
    await render(() => {
      const all = useConflicts(tasks);
      const [one] = useConflicts(tasks, "1");
      keep = () => one!.keepMine();
      renders += 1;
      return `${all.length} ${String(one?.mine ?? "none")}`;
    });
    expect(place.textContent).toBe("0 none");
    await happens(() => {
      logs(1, "1");
      logs(2, "2");
      socket.says({ type: "sync_complete", entity, epoch: "e1", version: 2, reset: false });
    });
    expect(place.textContent).toBe("2 Mine");
    const before = renders;
    await happens(() => says(3, "1", { title: "Other" }));
    expect(renders).toBe(before);
    await happens(() => void keep());
    expect(place.textContent).toBe("1 none");
  });

  it("shows none on a server", () => {
    const Page = () => String(useConflicts(tasks).length);
    expect(renderToString(createElement(Page))).toBe("0");
  });
});

describe("useField of another record than before", () => {
  let title!: Field<string>;
  let turnTo!: (id: string) => void;
  let seen: string[];
  const refuses = (seq: number) =>
    socket.says({ type: "error", message: "no", code: "forbidden", seq, details: null });

  beforeEach(async () => {
    seen = [];
    await render(() => {
      const [id, set] = useState("1");
      turnTo = set;
      title = useField(tasks, id, "title");
      seen.push(`${id} ${title.error?.code ?? ""}${title.conflict?.theirs ?? ""}`);
      return seen.at(-1)!;
    });
  });

  it("does not show the conflict of the one before, not even for a moment", async () => {
    await happens(() => void title.set("Mine"));
    await happens(() => conflicts());
    expect(place.textContent).toBe("1 Theirs");
    await act(async () => turnTo("2"));
    expect(place.textContent).toBe("2 ");
    expect(seen.filter((each) => each.startsWith("2"))).not.toContain("2 Theirs");
  });

  it("does not show why a write to the one before was rejected, whenever that comes", async () => {
    await happens(() => void title.set("Uno"));
    await act(async () => turnTo("2"));
    await happens(() => refuses(1));
    expect(place.textContent).toBe("2 ");
    await happens(() => void title.set("Due"));
    await happens(() => refuses(2));
    expect(place.textContent).toBe("2 forbidden");
    await act(async () => turnTo("1"));
    expect(place.textContent).toBe("1 ");
  });

  it("keeps what is said of it when something comes of the one before", async () => {
    await happens(() => void title.set("Uno"));
    await act(async () => turnTo("2"));
    await happens(() => void title.set("Due"));
    await happens(() => refuses(2));
    await happens(() => refuses(1));
    expect(place.textContent).toBe("2 forbidden");
  });
});

it("useField says why its last write was rejected, not why one before it was", async () => {
  let title!: Field<string>;
  await render(() => {
    title = useField(tasks, "1", "title");
    return `${title.value} ${title.error?.code ?? ""}`;
  });
  await happens(() => {
    void title.set("Un");
    void title.set("Uno");
  });
  await happens(() =>
    socket.says({ type: "error", message: "no", code: "forbidden", seq: 1, details: null }),
  );
  expect(place.textContent).toBe("Uno ");
});

it("a component opens and closes a collection in one effect, as the documentation shows, in StrictMode too", async () => {
  let turnTo!: (name: string) => void;
  const rooms: Collection<Task>[] = [];
  const Rows = ({ of }: { of: Collection<Task> }) => titles(useCollection(of));
  await render(() => {
    const [name, set] = useState("kitchen");
    turnTo = set;
    const [room, setRoom] = useState<Collection<Task>>();
    useEffect(() => {
      const opened = client.collection<Task>(name);
      rooms.push(opened);
      setRoom(opened);
      return () => {
        setRoom(undefined);
        opened.close();
      };
    }, [name]);
    return (room ? createElement(Rows, { of: room }) : "closed") as string;
  });
  await happens(() => void rooms.at(-1)!.set("1", { title: "Wash up" }));
  expect(place.textContent).toBe("Wash up");
  await act(async () => turnTo("attic"));
  expect(place.textContent).toBe("");
  await happens(() => void rooms.at(-1)!.set("1", { title: "Dust" }));
  expect(place.textContent).toBe("Dust");
  expect(rooms.map(({ entity }) => entity)).toEqual(["kitchen", "kitchen", "attic"]);
  for (const room of rooms.slice(0, -1))
    expect(() => room.subscribe(() => {})).toThrow("was closed");
});

it("useConnection follows the state", async () => {
  await render(() => useConnection(client));
  expect(place.textContent).toBe("open");
  await happens(() => client.offline());
  expect(place.textContent).toBe("offline");
});

it("on a server everything renders as not loaded yet", () => {
  const component = () => {
    const [rows, row] = [useCollection(tasks), useRecord(tasks, "1")];
    return `${rows.length} ${row === undefined} ${useConnection(client)}`;
  };
  expect(renderToString(createElement(component))).toBe("0 true connecting");
});

describe("usePresence", () => {
  const PLACE = { entity: "tasks", entity_id: "1" };

  function People({ name }: { readonly name?: string | undefined }) {
    // Another object each time.
    const state = name === undefined ? undefined : { name };
    const members = usePresence(client, "tasks/1", state);
    return createElement("p", null, members.map(({ state }) => state?.name).join());
  }

  const all: Message[] = [];
  const said = () => {
    all.push(...socket.heard().filter(({ type }) => type.startsWith("room_")));
    return all;
  };

  async function show(name?: string): Promise<void> {
    await act(async () => {
      root.render(createElement(StrictMode, null, createElement(People, { name })));
      await settle();
    });
  }

  it("is there as long as the component is, and says what it says then", async () => {
    await show("Ada");
    expect(said().at(-1)).toMatchObject({ ...PLACE, state: { name: "Ada" } });
    await act(async () => {
      const members = [{ id: "1", state: { name: "Ada" } }];
      socket.says({ type: "room_members", ...PLACE, reset: true, members });
      await settle();
    });
    expect(place.textContent).toBe("Ada");
    const before = said().length;
    await show("Ada");
    expect(said()).toHaveLength(before);
    await show("Bob");
    expect(said().slice(before)).toMatchObject([{ type: "room_join", state: { name: "Bob" } }]);
    await show();
    expect(said().at(-1)).toMatchObject({ type: "room_join", watch: true });
    await act(async () => {
      root.render(null);
      await settle();
    });
    expect(said().at(-1)).toMatchObject({ type: "room_leave", ...PLACE });
  });
});
