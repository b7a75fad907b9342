import type { Welcome } from "../../src/messages/types.ts";

export const TIME = "2026-11-22T10:00:00Z";

export const WELCOME: Welcome = {
  type: "welcome",
  session_id: "s1",
  epoch: "e1",
  last_seq: 0,
  heartbeat: 5_000,
  limits: { message_bytes: 65_536, subscriptions: 128, requests: 64 },
  server_time: TIME,
  schema: "s",
};
