/** Parts of an entity, as an application reads them. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { RhtmxError } from "../../src/errors.ts";
import type { JsonValue } from "../../src/messages/types.ts";
import type { Opened } from "../support/client.ts";
import { open, record, settle } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";

let world: Opened;

beforeEach(async () => {
  world = await open();
});
afterEach(() => world.client.close());

const RED = { team: "red" };
const BLUE = { team: "blue" };
const ANY = { team: ["red", "blue"], open: true };

function caughtUp(where: JsonValue | undefined, version: number): void {
  const place = { entity: "tasks", epoch: "e1", version, reset: false, where };
  world.socket().says({ type: "sync_complete", ...place, ...(where && { scope: "s1" }) });
}

function told(id: string, version: number, data: JsonValue): void {
  world.socket().says({ type: "change", change: record(id, version, data) });
}

const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

describe("a collection of a part", () => {
  it("is the same object for the same part, and another one for each other part", () => {
    const { client } = world;
    const red = client.collection("tasks", { where: RED });
    expect(client.collection("tasks", { where: { team: "red" } })).toBe(red);
    const all = [client.collection("tasks"), client.collection("tasks", { where: BLUE }), red];
    expect(new Set(all).size).toBe(3);
    red.close();
    expect(client.collection("tasks", { where: RED })).not.toBe(red);
    expect(client.collection("tasks", { where: {} })).toBe(all[0]);
  });

  it("shows what is in it, own writes included, beside others of its entity", async () => {
    const { client } = world;
    const [red, blue] = [RED, BLUE].map((where) => client.collection("tasks", { where }));
    const both = client.collection("tasks", { where: ANY });
    await settle();
    told("1", 1, { team: "red", open: true });
    told("2", 2, { team: "blue", open: false });
    for (const where of [RED, BLUE, ANY]) caughtUp(where, 2);
    expect([red!, blue!, both].map(({ snapshot }) => ids(snapshot))).toEqual([["1"], ["2"], ["1"]]);
    expect([red!.row("1")?.version, red!.row("2"), await blue!.get("1")]).toEqual([
      1,
      undefined,
      undefined,
    ]);
    void red!.set("1", { team: "blue", open: false }).catch(() => {});
    expect([red!, blue!, both].map(({ snapshot }) => ids(snapshot))).toEqual([[], ["1", "2"], []]);
    void blue!.delete("2").catch(() => {});
    expect(ids(blue!.snapshot)).toEqual(["1"]);
  });

  it("has the same array, and calls nobody, while nothing in it has changed", async () => {
    const red = world.client.collection("tasks", { where: RED });
    world.client.collection("tasks", { where: BLUE });
    const listener = vi.fn();
    red.subscribe(listener);
    await settle();
    for (const where of [RED, BLUE]) caughtUp(where, 0);
    told("1", 1, RED);
    await eventually(() => expect(listener).toHaveBeenCalledTimes(2));
    const { snapshot } = red;
    told("2", 2, BLUE);
    await settle();
    await new Promise((resolve) => setTimeout(resolve));
    expect(red.snapshot).toBe(snapshot);
    expect(listener).toHaveBeenCalledTimes(2);
  });

  it("lets go of an own write that has taken its record out of it", async () => {
    const red = world.client.collection("tasks", { where: RED });
    await settle();
    told("1", 1, RED);
    caughtUp(RED, 1);
    const written = red.set("1", BLUE);
    await settle();
    const place = { entity: "tasks", entity_id: "1", version: 2 };
    world.socket().says({ type: "push_ack", ...place, seq: 1, epoch: "e1" });
    await written;
    const change = { ...record("1", 2, null), action: "delete", left: true } as const;
    world.socket().says({ type: "change", change });
    await settle();
    expect([red.snapshot, world.client.queue, red.row("1")]).toEqual([[], [], undefined]);
    told("1", 3, RED);
    expect(ids(red.snapshot)).toEqual(["1"]);
  });

  it("is told by `synced` and `onError` why it is not read, and that it is that part", async () => {
    const errors: RhtmxError[] = [];
    world.client.onError((error) => errors.push(error));
    const [red, blue] = [RED, BLUE].map((where) => world.client.collection("tasks", { where }));
    await settle();
    const details = { entity: "tasks", where: RED };
    const message = 'tasks {"team":"red"}: no partition has these fields: declare ["team"]';
    world.socket().says({ type: "error", code: "not_supported", message, details });
    await expect(red!.synced).rejects.toMatchObject({ code: "not_supported", message, details });
    expect(errors).toMatchObject([{ message }]);
    caughtUp(BLUE, 1);
    await blue!.synced;
  });

  it("says which part it was, once it is closed", () => {
    const red = world.client.collection("tasks", { where: RED });
    red.close();
    expect(() => red.subscribe(() => {})).toThrow(`'tasks where {"team":"red"}' was closed`);
  });

  it("is refused with what is no value of a part, as with a field that is undefined", () => {
    const where = { team: undefined } as never;
    expect(() => world.client.collection("tasks", { where })).toThrow("where.team of 'tasks'");
    expect(() => world.client.changes("tasks", () => {}, { where })).toThrow(
      "where.team of 'tasks'",
    );
  });

  it("is of the granularity at which its entity is read", () => {
    world.client.collection("tasks", { where: RED });
    const fields = { where: BLUE, granularity: "fields" } as const;
    expect(() => world.client.collection("tasks", fields)).toThrow("other granularity");
  });
});

it("positions of parts are told by their names", async () => {
  world.client.collection("tasks", { where: RED });
  await settle();
  caughtUp(RED, 7);
  expect(world.client.info.positions).toEqual({ 'tasks where {"team":"red"}': 7 });
});

it("a patch has seen what was told of the parts that its record is in, and of no other", async () => {
  const red = world.client.collection("tasks", { where: RED });
  world.client.collection("tasks", { where: BLUE });
  await settle();
  told("1", 3, RED);
  caughtUp(RED, 4);
  void red.patch("1", { open: true }).catch(() => {});
  void red.patch("2", { open: true }).catch(() => {});
  await settle();
  const sent = world
    .socket()
    .heard()
    .filter(({ type }) => type === "push_fields");
  expect(sent.map((each) => (each as { base_version?: number }).base_version)).toEqual([
    4,
    undefined,
  ]);
});

it("changes of a part are told without keeping any", async () => {
  const seen: unknown[] = [];
  const stop = world.client.changes("tasks", (change) => seen.push(change), { where: RED });
  await settle();
  expect(world.socket().heard().at(-1)).toMatchObject({ type: "subscribe", where: { tasks: RED } });
  caughtUp(RED, 1);
  told("1", 2, RED);
  expect(seen).toEqual([record("1", 2, RED)]);
  stop();
  await settle();
  expect(world.socket().heard().at(-1)).toMatchObject({
    type: "unsubscribe",
    where: { tasks: RED },
  });
});
