import { describe, expect, it } from "vitest";
import {
  CLIENT,
  EITHER,
  ENUM,
  LENGTH,
  LIST,
  MAP,
  MESSAGE,
  OMITTABLE,
  PLANS,
  SERVER,
  STRING,
} from "../../src/wire/plan.ts";
import { envelope } from "../support/oracle.ts";

const plan = (type: string) => PLANS.find((each) => each.type === type)!;
const field = (type: string, name: string) => plan(type).fields.find((each) => each.name === name)!;

describe("every case of the envelope", () => {
  const cases = envelope.fields.map((each) => [each.name, each] as const);
  it.each(cases)("%s has its plan", (name, each) => {
    expect(PLANS[each.number]!.type).toBe(name);
    const fields = PLANS[each.number]!.fields.map((one) => [one.name, one.tag >> 3]);
    expect(fields).toEqual(each.message!.fields.map((one) => [one.name, one.number]));
  });
});

it("a number without a case is nobody's", () => {
  expect(PLANS[8]!.sides & EITHER).toBe(0);
  expect(PLANS[0]!.sides & EITHER).toBe(0);
});

it("a message knows who sends it", () => {
  expect(plan("push").sides).toBe(CLIENT);
  expect(plan("change").sides).toBe(SERVER);
  expect(plan("ping").sides).toBe(EITHER);
});

it("what lies inside another message is sent by nobody itself", () => {
  const position = PLANS[PLANS[field("subscribe", "since").ref]!.fields[1]!.ref]!;
  expect(position.fields.map((each) => each.name)).toEqual(["epoch", "version", "scope"]);
  expect(position.type).toBe("");
  expect(position.sides & EITHER).toBe(0);
});

it("a field knows whether it is one, a list or a map, and may be left out", () => {
  expect(field("push", "entity")).toMatchObject({ kind: STRING, many: 0 });
  expect(field("push", "request_id")).toMatchObject({ kind: STRING, many: OMITTABLE });
  expect(field("push", "data")).toMatchObject({ many: OMITTABLE });
  expect(field("subscribe", "entities")).toMatchObject({ kind: STRING, many: LIST });
  expect(field("validate_field", "values")).toMatchObject({
    kind: MESSAGE,
    many: LIST | OMITTABLE,
  });
  expect(field("subscribe", "since")).toMatchObject({ kind: MESSAGE, many: MAP | OMITTABLE });
});

it("a tag is the number and the wire type", () => {
  expect(field("push", "entity").tag).toBe((1 << 3) | LENGTH);
  expect(field("push", "action")).toMatchObject({ kind: ENUM, tag: 3 << 3 });
  expect(field("sync_complete", "reset").tag).toBe(4 << 3);
  expect(field("welcome", "server_time").tag).toBe((6 << 3) | LENGTH);
});
