/** A room, as an application uses it. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../../src/api/client.ts";
import type { Message, RoomJoin, RoomMember } from "../../src/messages/types.ts";
import { open, settle } from "../support/client.ts";
import type { FakeWebSocket } from "../support/sockets.ts";

const PLACE = { entity: "orders", entity_id: "7" };

let client: Client;
let socket: FakeWebSocket;
let said: Message[];

/** All that the server has heard. */
function heardAll(): readonly Message[] {
  said.push(...socket.heard());
  return said;
}

beforeEach(async () => {
  said = [];
  const opened = await open();
  client = opened.client;
  socket = opened.socket();
});

afterEach(() => client.close());

const asked = () => heardAll().filter(({ type }) => type === "room_join") as RoomJoin[];

/** The server lets the client in. */
async function letIn(...members: RoomMember[]): Promise<void> {
  await settle();
  const { request_id } = asked().at(-1)!;
  socket.says({ type: "room_joined", ...PLACE, member: "me", request_id });
  socket.says({ type: "room_members", ...PLACE, reset: true, members });
  await settle();
}

describe("a room", () => {
  it("is called as its record, and is one object for it", () => {
    expect(client.room("orders/7")).toBe(client.room("orders/7"));
    expect(() => client.room("orders")).toThrow("orders/7");
    expect(() => client.room("/7")).toThrow("orders/7");
    expect(() => client.room("orders/")).toThrow("orders/7");
  });

  it("is joined once the server has taken it", async () => {
    const room = client.room<{ name: string }>("orders/7");
    const joined = room.join({ name: "Ada" });
    await letIn({ id: "me", state: { name: "Ada" } }, { id: "bob" });
    await joined;
    expect(asked()).toMatchObject([{ ...PLACE, state: { name: "Ada" } }]);
    expect(room.members).toHaveLength(2);
    expect(room.me?.state?.name).toBe("Ada");
    expect(room.members).toBe(room.members);
    room.leave();
    await settle();
    expect(heardAll().at(-1)).toEqual({ type: "room_leave", ...PLACE });
    expect([room.members, room.me]).toEqual([[], undefined]);
  });

  it("is watched by who subscribes, at once where it is known", async () => {
    const room = client.room("orders/7");
    const [first, second] = [vi.fn(), vi.fn()];
    const stop = room.subscribe(first);
    expect(first).not.toHaveBeenCalled();
    await letIn({ id: "bob" });
    expect(asked()).toMatchObject([{ watch: true }]);
    expect(first).toHaveBeenLastCalledWith([{ id: "bob" }]);
    const stopToo = room.subscribe(second);
    expect(second).toHaveBeenCalledExactlyOnceWith([{ id: "bob" }]);
    stop();
    await settle();
    expect(heardAll().map(({ type }) => type)).not.toContain("room_leave");
    stopToo();
    await settle();
    expect(heardAll().at(-1)).toEqual({ type: "room_leave", ...PLACE });
  });

  it("that cannot be joined says why, and is not wanted any more", async () => {
    const room = client.room("orders/7");
    const joined = room.join(1);
    await settle();
    const { request_id } = asked()[0]!;
    const error = { code: "not_found", message: "no", details: null } as const;
    socket.says({ type: "error", ...error, request_id });
    await expect(joined).rejects.toMatchObject({ code: "not_found" });
    expect(room.members).toEqual([]);
  });

  it("that is closed tells its listeners, with nobody", async () => {
    const room = client.room("orders/7");
    const heard = vi.fn();
    room.subscribe(heard);
    await letIn({ id: "bob" });
    socket.says({ type: "room_closed", ...PLACE, code: "not_found", message: "it is gone" });
    await settle();
    expect(heard).toHaveBeenLastCalledWith([]);
    expect(room.error).toMatchObject({ code: "not_found", message: "it is gone" });
  });

  it("that was closed is watched again by those who did, once somebody joins again", async () => {
    const room = client.room("orders/7");
    const heard = vi.fn();
    const stop = room.subscribe(heard);
    const joined = room.join(1);
    await letIn({ id: "me" });
    await joined;
    socket.says({ type: "room_closed", ...PLACE, code: "not_found", message: "it is gone" });
    await settle();
    const again = room.join(2);
    await letIn({ id: "me" });
    await again;
    room.leave();
    await letIn({ id: "bob" });
    expect(asked().at(-1)).toMatchObject({ watch: true });
    expect(heard).toHaveBeenLastCalledWith([{ id: "bob" }]);
    stop();
    await settle();
    expect(heardAll().at(-1)).toEqual({ type: "room_leave", ...PLACE });
  });

  it("stays out for who was a member when it was closed, until that one joins again", async () => {
    const room = client.room("orders/7");
    room.hold({}, 1);
    await letIn({ id: "me" });
    socket.says({ type: "room_closed", ...PLACE, code: "not_found", message: "it is gone" });
    await settle();
    const stop = room.subscribe(() => {});
    await settle();
    expect(asked().at(-1)).toMatchObject({ watch: true });
    stop();
  });

  it("refuses a state that is too large before anything changes", async () => {
    const room = client.room("orders/7");
    const joined = room.join(1);
    await letIn({ id: "me", state: 1 });
    await joined;
    await expect(room.join("x".repeat(5000))).rejects.toMatchObject({ code: "bad_message" });
    await settle();
    expect(room.me?.state).toBe(1);
  });

  it("is not kept by a listener that raises at once", async () => {
    const room = client.room("orders/7");
    const stop = room.subscribe(() => {});
    await letIn({ id: "bob" });
    expect(() =>
      room.subscribe(() => {
        throw new Error("ours");
      }),
    ).toThrow("ours");
    stop();
    await settle();
    expect(heardAll().at(-1)).toEqual({ type: "room_leave", ...PLACE });
  });

  it("is left at once by a client that is closed", async () => {
    const joined = client.room("orders/7").join(1);
    await letIn({ id: "me" });
    await joined;
    client.close();
    expect(heardAll().at(-1)).toEqual({ type: "room_leave", ...PLACE });
  });

  it("shows what the last of those in a page says, until all of them are done", async () => {
    const room = client.room("orders/7");
    const [one, other] = [{}, {}];
    room.hold(one, 1);
    room.hold(other, 2);
    room.release(other);
    await settle();
    expect(asked().map(({ state }) => state)).toEqual([1, 2, 1]);
    room.release(one);
    await settle();
    expect(heardAll().at(-1)).toEqual({ type: "room_leave", ...PLACE });
  });

  it("carries messages, which only those of this room hear", async () => {
    const room = client.room("orders/7");
    const heard = vi.fn();
    const stop = room.onMessage(heard);
    await settle();
    expect(room.send({ typing: true })).toBe(true);
    expect(heardAll().at(-1)).toEqual({
      type: "room_message",
      ...PLACE,
      data: { typing: true },
    });
    socket.says({ type: "room_message", ...PLACE, data: 1, member: "bob" });
    socket.says({ type: "room_message", ...PLACE, entity_id: "8", data: 2 });
    socket.says({ type: "room_message", ...PLACE });
    await settle();
    expect(heard.mock.calls).toEqual([
      [1, "bob"],
      [null, undefined],
    ]);
    stop();
    client.offline();
    await settle();
    expect(room.send(1)).toBe(false);
  });

  it("of a client that is closed cannot be joined", async () => {
    client.close();
    await expect(client.room("orders/7").join()).rejects.toMatchObject({ code: "closed" });
  });
});
