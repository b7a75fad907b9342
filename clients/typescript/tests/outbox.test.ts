import { expect, it } from "vitest";

import { Outbox } from "../src/outbox.ts";
import { refusal } from "./support/refusal.ts";

const sync = (entity: string) => ({ type: "sync", entity, since: 0 }) as const;

it("frames are text in JSON and bytes in protobuf, in order", () => {
  const json = new Outbox("json");
  json.send({ type: "ping" });
  json.send({ type: "pong" });
  expect(json.take()).toEqual(['{"type":"ping"}', '{"type":"pong"}']);
  const proto = new Outbox("proto");
  proto.send({ type: "ping" });
  expect(proto.take()).toEqual([Uint8Array.of(0x32, 0x00)]);
});

it("frames are taken once", () => {
  const outbox = new Outbox("json");
  outbox.send({ type: "ping" });
  outbox.take();
  expect(outbox.take()).toEqual([]);
});

it("a message over the server's limit in bytes is refused here", () => {
  const outbox = new Outbox("json");
  const exact = Buffer.byteLength(JSON.stringify(sync("ü".repeat(40))));
  outbox.limit = exact;
  outbox.send(sync("ü".repeat(40)));
  const error = refusal(() => outbox.send(sync("ü".repeat(41))));
  expect(error.code).toBe("too_large");
  expect(error.message).toContain(`${exact + 2} bytes`);
  expect(outbox.take()).toHaveLength(1);
});

it("a binary message over the limit is refused too", () => {
  const outbox = new Outbox("proto");
  outbox.limit = 40;
  expect(refusal(() => outbox.send(sync("x".repeat(40)))).code).toBe("too_large");
});
