/**
 * A client on sockets without a network.
 */
import { expect } from "vitest";
import type { Client } from "../../src/api/client.ts";
import { connect } from "../../src/api/client.ts";
import type { ConnectOptions } from "../../src/core/options.ts";
import type { ChangeLog, JsonValue, Welcome } from "../../src/messages/types.ts";
import { eventually } from "./eventually.ts";
import type { FakeWebSocket } from "./sockets.ts";
import { fakeSockets } from "./sockets.ts";
import { TIME, WELCOME } from "./welcome.ts";

/** Lets everything that is under way get as far as it can. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export interface Opened {
  readonly client: Client;
  /** All sockets so far. */
  readonly sockets: FakeWebSocket[];
  /** The last one. */
  socket(): FakeWebSocket;
}

/** A client that begins to connect; memory only, unless it is told otherwise. */
export async function start(options: ConnectOptions = {}): Promise<Opened> {
  const { all, WebSocket } = fakeSockets();
  const client = connect("ws://x/api/ws", { WebSocket, storage: false, ...options });
  await settle();
  return { client, sockets: all, socket: () => all.at(-1)! };
}

/** A client that is welcomed. */
export async function open(
  options: ConnectOptions = {},
  welcome: Partial<Welcome> = {},
): Promise<Opened> {
  const opened = await start(options);
  await eventually(() => expect(opened.sockets).not.toEqual([]));
  opened.socket().opens();
  opened.socket().says({ ...WELCOME, ...welcome });
  await settle();
  return opened;
}

/** A change of a record of `tasks`. */
export function record(id: string, version: number, data: JsonValue): ChangeLog {
  return { entity: "tasks", entity_id: id, action: "update", data, version, created_at: TIME };
}
