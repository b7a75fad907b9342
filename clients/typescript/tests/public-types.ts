/**
 * Uses the public face as an application would; it only has to compile.
 */
import { WebSocket as NodeWebSocket } from "ws";

import { connect, RhtmxError, type ChangeLog, type State, type Stop } from "../src/index.ts";

export async function application(): Promise<void> {
  const client = connect("/api/ws");
  connect("ws://localhost/", { WebSocket: NodeWebSocket, format: "proto", token: "t" }).close();
  connect("ws://localhost/", { WebSocket: globalThis.WebSocket, clientId: null }).close();
  const stop: Stop = client.onState((state: State, error) => console.log(state, error?.code));
  client.subscribe("tasks", (change: ChangeLog) => console.log(change.data), { since: 0 });
  client.subscribeFields("tasks", ({ field, value }) => console.log(field, value), {
    since: { epoch: "e", version: 3 },
    onReset: () => {},
    onSynced: ({ epoch, version }) => console.log(epoch, version),
  });
  const { version } = await client.push("tasks", "1", { title: "Write it down", tags: ["a"] });
  await client.delete("tasks", "1", { baseVersion: version });
  const { conflicts } = await client.pushFields("tasks", "1", { done: true }, { delete: ["tags"] });
  for (const { server_value } of conflicts) console.log(server_value);
  const verdict = await client.validateField("signup", "email", "ada@example.com");
  console.log(verdict.valid, verdict.error?.length);
  const { errors } = await client.validateForm("signup", { email: "" }, { formInstance: "2" });
  console.log(errors.map(({ field, error }) => `${field}: ${error}`));
  const { changes, position, reset } = await client.sync("tasks", { epoch: "e", version: 3 });
  console.log(changes.length, position.version, reset);
  try {
    await client.authenticate("t");
  } catch (error) {
    if (error instanceof RhtmxError && error.code === "unauthenticated") stop();
  }
  client.close();
  // @ts-expect-error: a record's data is JSON
  await client.push("tasks", "1", () => {});
  // @ts-expect-error: there is no such state
  client.onState((state) => state === "online");
}
