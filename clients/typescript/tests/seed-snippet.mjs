/**
 * What a page wrote before there was a client: a bare WebSocket, no subprotocol,
 * no `hello`, `JSON.stringify` and a `switch`.
 *
 *     node tests/seed-snippet.mjs ws://127.0.0.1:3000/api/ws
 *
 * The server must have the form `contact` with the field `email`. Exits with 0
 * if everything is answered as it was promised to such a page, else with 1 and
 * what was missing.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { WebSocket } from "ws";

const PATIENCE = 10_000;

const ws = new WebSocket(process.argv[2]);
const received = [];
let wake = () => {};

ws.onmessage = (event) => {
  assert.equal(typeof event.data, "string", "a text frame expected");
  received.push(JSON.parse(event.data));
  wake();
};

/** Waits for a message and takes it out of those received. */
async function message(what, matches) {
  for (;;) {
    const index = received.findIndex(matches);
    if (index >= 0) return received.splice(index, 1)[0];
    const rest = JSON.stringify(received);
    await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${what}; there were: ${rest}`)),
        PATIENCE,
      );
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const send = (value) => ws.send(JSON.stringify(value));

/** As in the snippet: one field, answered under its request id. */
async function validateField(form, field, value) {
  const requestId = randomUUID();
  send({ type: "validate_field", request_id: requestId, form, field, value });
  return message("validation_result", (each) => each.request_id === requestId);
}

async function subscribe() {
  send({ type: "subscribe", entities: ["users", "posts"] });
  send({ type: "subscribe_fields", entities: ["users"] });
  send({ type: "ping" });
  // Whatever is answered later was subscribed to before.
  await message("pong", (each) => each.type === "pong");
}

async function liveRecords(id) {
  const data = { name: "Ada", age: 36 };
  send({ type: "push", entity: "users", entity_id: id, action: "create", data });
  const ack = await message("push_ack", (each) => each.type === "push_ack");
  assert.deepEqual([ack.entity, ack.entity_id], ["users", id]);
  assert.ok(Number.isInteger(ack.version) && ack.version > 0);
  const { change } = await message("change", (each) => each.type === "change");
  const { entity, entity_id, action, version, created_at } = change;
  assert.deepEqual([entity, entity_id, action, version], ["users", id, "create", ack.version]);
  assert.deepEqual(change.data, data);
  assert.ok(!Number.isNaN(Date.parse(created_at)));
  return version;
}

async function liveFields(id, version) {
  const timestamp = new Date().toISOString();
  const fields = [{ field: "age", value: 37, action: "update", timestamp }];
  send({ type: "push_fields", entity: "users", entity_id: id, fields });
  const ack = await message("field_push_ack", (each) => each.type === "field_push_ack");
  assert.deepEqual([ack.entity_id, ack.applied, ack.conflicts], [id, 1, 0]);
  const { change } = await message("field_change", (each) => each.type === "field_change");
  assert.deepEqual([change.entity_id, change.field, change.value], [id, "age", 37]);
  assert.equal(change.action, "update");
  assert.equal(change.version, version + 1, "records and fields share one log");
}

async function sync(id, version) {
  send({ type: "sync", entity: "users", since: version - 1 });
  const ours = (each) => each.type === "change" && each.change.entity_id === id;
  const { change } = await message("change of the sync", ours);
  assert.deepEqual(change.data, { name: "Ada", age: 37 });
}

async function liveForms() {
  const wrong = await validateField("contact", "email", "not an address");
  assert.deepEqual([wrong.type, wrong.valid], ["validation_result", false]);
  assert.deepEqual([wrong.form, wrong.field], ["contact", "email"]);
  assert.equal(typeof wrong.error, "string");
  const right = await validateField("contact", "email", "ada@example.com");
  assert.deepEqual([right.valid, right.error ?? null], [true, null]);
  const request_id = randomUUID();
  const fields = [{ field: "email", value: "not an address" }];
  send({ type: "validate_form", request_id, form: "contact", fields });
  const form = await message("form_validation_result", (each) => each.request_id === request_id);
  assert.deepEqual([form.type, form.valid], ["form_validation_result", false]);
  assert.ok(form.errors.some((each) => each.field === "email" && each.error.length > 0));
}

async function mistakes() {
  ws.send("this is not JSON");
  const error = await message("error", (each) => each.type === "error");
  assert.equal(error.code, "bad_message");
  assert.ok(error.message.length > 0);
  send({ type: "ping" });
  await message("pong after a mistake", (each) => each.type === "pong");
}

await new Promise((resolve, reject) => {
  ws.onopen = resolve;
  ws.onerror = (event) => reject(new Error(event.message));
});
ws.onclose = ({ code }) => {
  console.error(`the server closed the connection (${code})`);
  process.exit(1);
};
const id = randomUUID();
await subscribe();
const version = await liveRecords(id);
await liveFields(id, version);
await sync(id, version);
await liveForms();
await mistakes();
ws.onclose = null;
ws.close();
