import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../../src/api/client.ts";
import { connect } from "../../src/api/client.ts";
import type { Message } from "../../src/messages/types.ts";
import type { Opened } from "../support/client.ts";
import { open, record, settle, start } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { fakeSockets } from "../support/sockets.ts";
import { WELCOME } from "../support/welcome.ts";

const clients: Client[] = [];
const opened = async (...args: Parameters<typeof open>): Promise<Opened> => {
  const result = await open(...args);
  clients.push(result.client);
  return result;
};

afterEach(() => clients.splice(0).forEach((client) => client.close()));

/** The last request that the server heard. */
function last({ socket }: Opened): Message & { readonly request_id: string } {
  return socket().heard().at(-1) as Message & { readonly request_id: string };
}

const place = { entity: "tasks", entity_id: "1" };

describe("connecting", () => {
  it.each(["json", "proto"] as const)("works in %s", async (format) => {
    const world = await opened({ format });
    const pushed = world.client.push("tasks", "1", { n: 1 });
    await settle();
    expect(last(world)).toMatchObject({ type: "push", data: { n: 1 }, seq: 1 });
    world.socket().says({ type: "push_ack", ...place, version: 4, seq: 1 });
    expect(await pushed).toMatchObject({ version: 4 });
  });

  it("has nothing to do for a transaction without a write", async () => {
    const world = await opened();
    world.client.offline();
    const done = await world.client.transaction(() => {});
    expect(done).toMatchObject({ transaction: "", results: [], conflicts: 0 });
    expect(world.client.queue).toEqual([]);
  });

  it("takes a fresh id each time, or the given one", async () => {
    const id = async (clientId?: string) => {
      const [hello] = (await opened({ clientId })).socket().heard();
      return (hello as { client_id?: string }).client_id;
    };
    expect(await id()).toMatch(/^[0-9a-f]{32}$/);
    expect(await id()).not.toBe(await id());
    expect(await id("c9")).toBe("c9");
  });

  it("says what gives the right to the given id, and shows it nowhere", async () => {
    const world = await opened({ clientId: "c9", clientSecret: "hush" });
    expect(world.socket().heard()[0]).toMatchObject({ client_id: "c9", secret: "hush" });
    expect(JSON.stringify(world.client.info)).not.toContain("hush");
  });

  it("is not done if nobody wants it before the store is loaded", async () => {
    const { WebSocket, all } = fakeSockets();
    const client = connect("ws://x/api/ws", { WebSocket, storage: false });
    clients.push(client);
    client.offline();
    await settle();
    expect([client.state, all]).toEqual(["offline", []]);
    client.online();
    expect(all).toHaveLength(1);
  });

  it("shows who it is and how far it has got", async () => {
    const world = await opened({ clientId: "c9" }, { epoch: "e7" });
    world.client.collection("tasks");
    await settle();
    world.socket().says({ type: "change", change: record("1", 7, {}) });
    world
      .socket()
      .says({ type: "sync_complete", entity: "tasks", version: 7, epoch: "e7", reset: false });
    await settle();
    const positions = { tasks: 7 };
    expect(world.client.info).toEqual({
      clientId: "c9",
      epoch: "e7",
      positions,
      leads: true,
      stored: false,
    });
  });

  it("shows at which of several servers it is, whenever it has a connection", async () => {
    const { client, socket } = await opened({}, { node: "a" });
    expect(client.info.node).toBe("a");
    const seen: (string | undefined)[] = [];
    client.onState((state) => state === "open" && seen.push(client.info.node));
    for (const node of ["b", undefined]) {
      client.offline();
      client.online();
      await settle();
      socket().opens();
      socket().says({ ...WELCOME, node });
      await settle();
    }
    expect(seen).toEqual(["b", undefined]);
  });

  it("shows the same object as long as nothing of it has changed", async () => {
    const world = await opened();
    const before = world.client.info;
    expect(world.client.info).toBe(before);
    world.client.collection("tasks");
    await settle();
    world
      .socket()
      .says({ type: "sync_complete", entity: "tasks", version: 7, epoch: "e1", reset: false });
    await settle();
    expect(world.client.info).not.toBe(before);
    expect(world.client.info.positions).toEqual({ tasks: 7 });
  });

  it("presents the token in the first message, not in the URL", async () => {
    const { socket } = await opened({ token: "secret" });
    expect(socket().url).toBe("ws://x/api/ws");
    expect(socket().heard()[0]).toMatchObject({ type: "hello", token: "secret" });
  });

  it("tells its states until it is closed", async () => {
    const { client, socket } = await start();
    const states = [client.state];
    client.onState((state) => states.push(state));
    socket().opens();
    socket().says(WELCOME);
    socket().ends(4000);
    client.offline();
    client.online();
    client.close();
    expect(states).toEqual(["connecting", "open", "waiting", "offline", "connecting", "closed"]);
  });

  it("says once that the server refuses it, and why, in its state each time, and goes on", async () => {
    const body = {
      type: "error",
      code: "forbidden",
      message: "--origin https://a.example allows it",
    };
    vi.stubGlobal("fetch", async () => Response.json(body, { status: 403 }));
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { client, socket, sockets } = await start();
    clients.push(client);
    const [told, states] = [vi.fn(), vi.fn()];
    client.onError(told);
    client.onState((state, error) => states(state, error?.code));
    for (let times = 1; times < 5; times++) {
      socket().ends(1006);
      await eventually(() => expect(sockets).toHaveLength(times + 1));
      await settle();
    }
    expect(told).toHaveBeenCalledOnce();
    expect(told.mock.calls[0]![0]).toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("--origin https://a.example allows it"),
    });
    const waits = states.mock.calls.filter(([state]) => state === "waiting");
    expect(waits.slice(-2)).toEqual([
      ["waiting", "forbidden"],
      ["waiting", "forbidden"],
    ]);
    socket().opens();
    socket().says(WELCOME);
    expect(states).toHaveBeenLastCalledWith("open", undefined);
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it.each(["", "mqtt"])(
    "on a socket with the wrong subprotocol (%o) says nothing there, and what is wrong",
    async (spoken) => {
      const { client, socket } = await start({ format: "proto" });
      clients.push(client);
      const told = vi.fn();
      client.onError(told);
      socket().protocol = spoken;
      socket().opens();
      expect([client.state, socket().closedWith, socket().sent]).toEqual(["waiting", 4406, []]);
      expect(told.mock.calls[0]![0].message).toContain("it does not speak rhtmx.v1.proto");
    },
  );

  it("speaks JSON where no subprotocol was chosen", async () => {
    const { client, socket } = await start();
    clients.push(client);
    socket().protocol = "";
    socket().opens();
    socket().says(WELCOME);
    expect(client.state).toBe("open");
  });

  it("refuses a URL that is none, while the caller is there", () => {
    expect(() => connect("::", { WebSocket: fakeSockets().WebSocket })).toThrow("no URL");
  });

  it("refuses a token that no server takes, in words, by its bytes", async () => {
    expect(() => connect("ws://x/", { token: "ä".repeat(2049), storage: false })).toThrow(
      "authenticate.token: 0 to 4096 bytes expected, got 4098",
    );
    const { client } = await open({ token: "ä".repeat(2048) });
    clients.push(client);
    await expect(client.authenticate("t".repeat(4097))).rejects.toMatchObject({
      code: "bad_message",
    });
    expect(client.state).toBe("open");
  });

  it("reports what the WebSocket class throws, and tries again", async () => {
    class Broken {
      constructor() {
        throw new SyntaxError("bad URL");
      }
    }
    const client = connect("ws://x/", { WebSocket: Broken as never, storage: false });
    clients.push(client);
    const told = vi.fn();
    client.onError(told);
    await settle();
    const message = "no connection to ws://x/: bad URL";
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ code: "not_supported", message }));
    expect(client.state).toBe("waiting");
  });

  it("tells why it was closed", async () => {
    const { client, socket } = await opened();
    const listener = vi.fn();
    client.onState(listener);
    socket().ends(4504);
    expect(listener.mock.calls[0]).toMatchObject(["closed", { code: "forbidden" }]);
  });

  it("offline before it was loaded, waits to be wanted", async () => {
    const { all, WebSocket } = fakeSockets();
    const client = connect("ws://x/", { WebSocket, storage: false });
    clients.push(client);
    client.offline();
    await settle();
    expect([client.state, all.length]).toEqual(["offline", 0]);
    client.online();
    expect([client.state, all.length]).toEqual(["connecting", 1]);
  });

  it("closed before it was loaded, never connects", async () => {
    const { all, WebSocket } = fakeSockets();
    connect("ws://x/", { WebSocket, storage: false }).close();
    await settle();
    expect(all).toEqual([]);
  });
});

describe("a token that is called for", () => {
  it("is asked for on every connection, and an expired one ends nothing", async () => {
    const tokens = ["first", "second"];
    const { client, socket, sockets } = await opened({ token: async () => tokens.shift()! });
    expect(socket().heard()[0]).toMatchObject({ token: "first" });
    socket().ends(4503);
    expect(client.state).toBe("waiting");
    client.offline();
    client.online();
    await settle();
    expect(sockets).toHaveLength(2);
    socket().opens();
    expect(socket().heard()[0]).toMatchObject({ token: "second" });
  });

  it("that cannot be had is reported, and asked for again later", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const { client, sockets } = await start({
      token: () => {
        throw new Error("no session");
      },
    });
    clients.push(client);
    expect(client.state).toBe("waiting");
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
    expect(sockets).toEqual([]);
  });

  it("and is larger than any server takes does not travel, and is asked for again later", async () => {
    const tokens = ["t".repeat(4097), "t".repeat(4096)];
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { client, sockets } = await start({ token: () => tokens.shift()! });
    clients.push(client);
    await eventually(() => expect(sockets).toHaveLength(1));
    expect(log.mock.calls).toMatchObject([[{ code: "bad_message" }]]);
    sockets[0]!.opens();
    expect(sockets[0]!.heard()).toMatchObject([{ type: "hello", token: "t".repeat(4096) }]);
    vi.restoreAllMocks();
  });

  it.each([
    [{ token: "\ud800" }, "authenticate.token: not a string"],
    [{ clientId: "a\0b" }, "hello.client_id: not a string"],
    [{ clientSecret: "\ud800" }, "hello.secret: not a string"],
  ])("and who one is has to be a text that can be sent: %j", (options, words) => {
    expect(() => connect("ws://server", { ...options, storage: false })).toThrow(words);
  });

  it.each(["\ud800", 5 as never])(
    "that is no text is no end, and another one is asked for: %j",
    async (bad) => {
      const tokens = [bad, "good"];
      const log = vi.spyOn(console, "error").mockImplementation(() => {});
      vi.spyOn(Math, "random").mockReturnValue(0);
      const { client, sockets } = await start({ token: () => tokens.shift()! });
      clients.push(client);
      await eventually(() => expect(sockets).toHaveLength(1));
      expect(log.mock.calls).toMatchObject([[{ message: "authenticate.token: not a string" }]]);
      sockets[0]!.opens();
      expect(sockets[0]!.heard()).toMatchObject([{ type: "hello", token: "good" }]);
      vi.restoreAllMocks();
    },
  );

  it("comes too late for a connection that is not wanted any more", async () => {
    let give = (_: string) => {};
    const { client, sockets } = await start({
      token: () => new Promise((resolve) => (give = resolve)),
    });
    clients.push(client);
    client.offline();
    give("late");
    await settle();
    expect(sockets).toEqual([]);
  });

  it("is presented when a write needs a fresh one", async () => {
    const tokens = ["first", "second"];
    const world = await opened({ token: () => tokens.shift()! });
    const pushed = world.client.push("tasks", "1", 1);
    await settle();
    const rejected = {
      type: "error",
      message: "m",
      code: "unauthenticated",
      details: null,
    } as const;
    world.socket().says({ ...rejected, seq: 1 });
    await settle();
    const asked = last(world);
    expect(asked).toMatchObject({ type: "authenticate", token: "second" });
    world.socket().says({ type: "authenticated", request_id: asked.request_id });
    expect(last(world)).toMatchObject({ type: "push", seq: 1 });
    world.socket().says({ type: "push_ack", ...place, version: 1, seq: 1 });
    expect(await pushed).toMatchObject({ version: 1 });
  });
});

describe("changes", () => {
  it("tells each change until it is stopped", async () => {
    const { client, socket } = await opened();
    const seen: unknown[] = [];
    const stop = client.changes("tasks", (change) => seen.push(change?.version ?? null));
    socket().says({
      type: "sync_complete",
      entity: "tasks",
      version: 4,
      epoch: "e1",
      reset: false,
    });
    socket().says({ type: "change", change: record("1", 5, 1) });
    stop();
    stop();
    socket().says({ type: "change", change: record("1", 6, 1) });
    expect(seen).toEqual([5]);
    expect(
      socket()
        .heard()
        .map((each) => each.type),
    ).toEqual(["hello", "subscribe", "unsubscribe"]);
  });

  it("tells them of a collection, too", async () => {
    const { client, socket } = await opened();
    const seen: unknown[] = [];
    client.collection("tasks").changes((change) => seen.push(change?.version ?? null));
    socket().says({
      type: "sync_complete",
      entity: "tasks",
      version: 4,
      epoch: "e1",
      reset: false,
    });
    socket().says({ type: "change", change: record("1", 5, 1) });
    expect(seen.at(-1)).toBe(5);
  });

  it("is rejected at once for a name that cannot be sent", async () => {
    const { client, socket } = await opened();
    expect(() => client.changes("a\0b", () => {})).toThrow(/entities/);
    expect(() => client.collection(7 as never)).toThrow(/entities/);
    expect(socket().heard()).toHaveLength(1);
  });

  it("is for whole records: not beside a collection that is read by field", async () => {
    const { client } = await opened();
    client.collection("tasks", { granularity: "fields" });
    expect(() => client.changes("tasks", () => {})).toThrow("granularity");
    client.changes("users", () => {});
    expect(() => client.collection("users", { granularity: "fields" })).toThrow("granularity");
  });
});

describe("forms", () => {
  it("are checked by field and as a whole", async () => {
    const world = await opened();
    const form = world.client.form("signup", { formInstance: "2" });
    const checked = form.check("email", "x", { name: "Ada" });
    const asked = last(world);
    expect(asked).toMatchObject({
      type: "validate_field",
      form_instance: "2",
      values: [{ field: "name", value: "Ada" }],
    });
    const answer = { form: "signup", valid: false, request_id: asked.request_id } as const;
    world.socket().says({ type: "validation_result", ...answer, field: "email", metadata: null });
    expect(await checked).toMatchObject({ valid: false });
    const whole = world.client.validateForm("signup", { email: "x" });
    const { request_id } = last(world);
    world.socket().says({ type: "form_validation_result", ...answer, request_id, errors: [] });
    expect(await whole).toMatchObject({ errors: [] });
  });

  it("stay judged if that is asked for, until they are closed", async () => {
    const world = await opened();
    const heard: unknown[] = [];
    const stop = world.client.onValidation(({ field, valid }) => heard.push([field, valid]));
    void world.client.form("signup", { formInstance: "2", live: true }).check("name", "ada");
    expect(last(world)).toMatchObject({ type: "validate_field", live: true });
    const news = { form: "signup", field: "name", valid: false, metadata: null } as const;
    world.socket().says({ type: "validation_result", request_id: "", form_instance: "2", ...news });
    expect(heard).toEqual([["name", false]]);
    world.client.closeForm("signup", "2");
    expect(last(world)).toMatchObject({ type: "close_form", form: "signup", form_instance: "2" });
    stop();
    world.socket().says({ type: "validation_result", request_id: "", ...news });
    expect(heard).toHaveLength(1);
  });

  it("are given a receipt if one is asked for", async () => {
    const world = await opened();
    const asked = world.client.validateForm("signup", {}, { receipt: true });
    const { request_id, with_receipt } = last(world) as { request_id: string; with_receipt?: true };
    expect(with_receipt).toBe(true);
    const answer = {
      form: "signup",
      valid: true,
      errors: [],
      receipt: "AQAG",
      request_id,
    } as const;
    world.socket().says({ type: "form_validation_result", ...answer });
    expect((await asked).receipt).toBe("AQAG");
  });

  it("may have several values of a field, and files: each stands in the list for itself", async () => {
    const world = await opened();
    const form = world.client.form("post");
    const photo = new File(["abc"], "a.png", { type: "image/png" });
    const file = {
      field: "photo",
      value: "a.png",
      file: { name: "a.png", size: 3, type: "image/png" },
    };
    const tags = [
      { field: "tags", value: "red" },
      { field: "tags", value: "blue" },
    ];
    void form.validate({ tags: ["red", "blue"], photo, none: [] });
    expect(last(world)).toMatchObject({ fields: [...tags, file] });
    void form.check("tags", ["red", "blue"], { photo, tags: "old" });
    expect(last(world)).toMatchObject({ value: "red", values: [file, ...tags] });
    void form.check("photo", photo);
    expect(last(world)).toMatchObject({ value: "a.png", values: [file] });
    void form.check("photo", [photo, photo]);
    expect(last(world)).toMatchObject({ value: "a.png", values: [file, file] });
    void form.check("tags", [], { title: "x" });
    expect(last(world)).toMatchObject({ value: "", values: [{ field: "title", value: "x" }] });
    void form.check("tags", ["red"], { title: "x" });
    expect(last(world)).toMatchObject({ value: "red", values: [{ field: "title", value: "x" }] });
  });

  it("are asked again on the next connection", async () => {
    const world = await opened();
    const asked = world.client.form("signup").validate({});
    const { request_id } = last(world);
    world.socket().ends(1006);
    world.client.offline();
    world.client.online();
    world.socket().opens();
    world.socket().says(WELCOME);
    expect(last(world)).toMatchObject({ type: "validate_form", request_id });
    world
      .socket()
      .says({ type: "error", message: "m", code: "unknown_form", request_id, details: null });
    await expect(asked).rejects.toMatchObject({ code: "unknown_form" });
  });

  it("are rejected at once where the question is too large for the server", async () => {
    const opened = await open({}, { limits: { ...WELCOME.limits, message_bytes: 100 } });
    const { client } = opened;
    clients.push(client);
    await expect(client.validateField("f", "a", "x".repeat(100))).rejects.toMatchObject({
      code: "too_large",
    });
    expect(client.state).toBe("open");
  });

  it("that cannot be asked about are rejected at once", async () => {
    const { client } = await opened();
    await expect(client.form("f").check("a", 1 as never)).rejects.toMatchObject({
      code: "bad_message",
    });
  });
});

describe("where nothing can be connected to", () => {
  const here = (url = "ws://x/api/ws"): Client => {
    clients.push(connect(url));
    return clients.at(-1)!;
  };
  const errorsOf = (client: Client) => {
    const errors: string[] = [];
    client.onError(({ code }) => errors.push(code));
    return errors;
  };

  beforeEach(() => void vi.stubGlobal("WebSocket", undefined));
  afterEach(() => void vi.unstubAllGlobals());

  it.each(["ws://x/api/ws", "/api/ws"])(
    "a client of %s is made, is closed, has no rows, and says nothing",
    async (url) => {
      const log = vi.spyOn(console, "error");
      const client = here(url);
      const tasks = client.collection("tasks");
      const shown = () => [
        client.state,
        tasks.snapshot,
        tasks.row("1"),
        client.queue,
        client.rejected,
      ];
      const before = shown();
      await settle();
      expect(before).toEqual(["closed", [], undefined, [], []]);
      shown().forEach((each, at) => expect(each).toBe(before[at]));
      expect(log).not.toHaveBeenCalled();
      log.mockRestore();
    },
  );

  it.each<[string, (client: Client) => Promise<unknown>]>([
    ["push", (client) => client.push("tasks", "1", 1)],
    ["delete", (client) => client.delete("tasks", "1")],
    ["pushFields", (client) => client.pushFields("tasks", "1", { a: 1 })],
    ["set", (client) => client.collection("tasks").set("1", 1)],
    ["patch", (client) => client.collection("tasks").patch("1", {})],
    ["synced", (client) => client.collection("tasks").synced],
    ["a question about a field", (client) => client.validateField("f", "a", "1")],
    ["a question about a form", (client) => client.validateForm("f", {})],
    ["authenticate", (client) => client.authenticate("t")],
  ])("%s is rejected in words", async (_, call) => {
    await expect(call(here())).rejects.toMatchObject({
      code: "not_supported",
      message: expect.stringContaining("pass that of npm's ws as {WebSocket}"),
    });
    await expect(call(here("/api/ws"))).rejects.toThrow("give the whole URL");
  });

  it("nothing that was rejected waits, or shows", async () => {
    const client = here();
    await client.push("tasks", "1", 1).catch(() => {});
    expect([client.queue, client.rejected, client.collection("tasks").snapshot]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it.each<[string, (client: Client) => unknown]>([
    ["rows", (client) => client.collection("tasks").subscribe(() => {})],
    ["changes", (client) => client.changes("tasks", () => {})],
    ["changes of a collection", (client) => client.collection("tasks").changes(() => {})],
  ])("who listens to %s is told by onError, once", async (_, listen) => {
    const client = here();
    listen(client);
    const errors = errorsOf(client);
    listen(client);
    await settle();
    listen(client);
    await settle();
    expect(errors).toEqual(["not_supported"]);
  });

  it("a loop over rows ends, and onError says why", async () => {
    const client = here();
    const errors = errorsOf(client);
    for await (const _ of client.collection("tasks")) expect.unreachable();
    await settle();
    expect(errors).toEqual(["not_supported"]);
  });
});

describe("the end", () => {
  it("refuses what waits, and what comes later, with `closed`", async () => {
    const { client } = await opened();
    const asked = client.form("f").validate({});
    const written = client.push("tasks", "1", 1);
    client.close();
    await expect(asked).rejects.toMatchObject({ code: "closed" });
    await expect(written).rejects.toMatchObject({ code: "closed" });
    await expect(client.push("tasks", "1", 1)).rejects.toMatchObject({ code: "closed" });
  });
});

describe("what goes wrong and is no answer", () => {
  it("is told to the listeners, or logged without one", async () => {
    const { client, socket } = await opened();
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    socket().says({ type: "error", message: "one", code: "internal", details: null });
    expect(log).toHaveBeenCalledOnce();
    const told = vi.fn();
    client.onError(told);
    socket().says({ type: "error", message: "two", code: "internal", details: null });
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ message: "two" }));
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
  });
});

describe("the queue and what was rejected", () => {
  it("are told only when they have changed", async () => {
    const { client, socket } = await opened();
    const told: string[] = [];
    client.onQueue((queue) => told.push(`${queue.length} wait`));
    client.onRejected((rejected) => told.push(`${rejected.length} rejected`));
    client.collection("tasks");
    const written = client.push("tasks", "1", 1);
    await settle();
    socket().says({ type: "push_ack", ...place, version: 4, seq: 1 });
    await written;
    await eventually(() => expect(told.at(-1)).toBe("0 wait"));
    const before = [...told];
    // The change of the settled write: it leaves memory, and was not in the queue any more.
    socket().says({ type: "change", change: record("1", 4, 1) });
    await eventually(() => expect(client.collection("tasks").row("1")?.version).toBe(4));
    await settle();
    await new Promise((resolve) => setTimeout(resolve));
    expect(told).toEqual(before);
  });

  it("are the same arrays until they change, and tell when they do", async () => {
    const world = await opened();
    const { client } = world;
    const told: number[] = [];
    client.onQueue((queue) => told.push(queue.length));
    client.onRejected((rejected) => told.push(10 + rejected.length));
    const before = client.queue;
    expect(client.queue).toBe(before);
    const pushed = client.push("tasks", "1", { n: 1 });
    expect(client.queue).toMatchObject([
      { entity: "tasks", entityId: "1", message: { data: { n: 1 } } },
    ]);
    expect(client.queue).not.toBe(before);
    await settle();
    const violations = [{ field: "a", code: "", message: "is not yours" }];
    const details = { violations };
    world.socket().says({ type: "error", message: "no", code: "forbidden", seq: 1, details });
    await expect(pushed).rejects.toMatchObject({ code: "forbidden" });
    expect(client.queue).toEqual([]);
    expect(client.rejected).toMatchObject([{ code: "forbidden", text: "no", violations }]);
    await eventually(() => expect(told.slice(-2).sort()).toEqual([0, 11]));
    const again = client.rejected[0]!.retry();
    await settle();
    expect(client.rejected).toEqual([]);
    expect(last(world)).toMatchObject({ type: "push", seq: 2, data: { n: 1 } });
    world.socket().says({ type: "push_ack", ...place, version: 1, seq: 2 });
    expect(await again).toMatchObject({ version: 1 });
  });
});
