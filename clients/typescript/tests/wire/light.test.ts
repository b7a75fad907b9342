import { describe, expect, it } from "vitest";

import type { ClientMessage, ServerMessage } from "../../src/messages/types.ts";
import { decode, encode } from "../../src/wire/index.ts";
import { LIGHT_CODEC } from "../../src/wire/light.ts";
import { refusal } from "../support/refusal.ts";
import { WELCOME } from "../support/welcome.ts";

const note = () => {};
const read = (text: string) => LIGHT_CODEC.decode(text, note);

/** A question about a field with this value. */
const asks = (value: string): ClientMessage => ({
  ...{ type: "validate_field", request_id: "1", form: "contact", field: "name" },
  value,
  values: [],
});

describe("the light codec", () => {
  it("writes what the other one reads as the same", () => {
    for (const message of [asks("Ada 😀 \\u0000"), { type: "hello" }, { type: "pong" }] as const) {
      expect(decode(LIGHT_CODEC.encode(message), "json")).toEqual(
        decode(encode(message, "json"), "json"),
      );
    }
  });

  it("reads what the other one writes", () => {
    const verdict: ServerMessage = {
      ...{ type: "validation_result", request_id: "1", form: "f", field: "a", valid: false },
      error: "is taken",
      metadata: { hint: "Ada" },
    };
    for (const message of [WELCOME, verdict]) {
      expect(read(encode(message, "json") as string)).toMatchObject(message);
    }
  });

  it("keeps integers to the digit", () => {
    expect(read('{"type":"x","metadata":[9007199254740993,1,"\\u0000"]}')).toMatchObject({
      metadata: [9007199254740993n, 1, "\0"],
    });
  });

  it.each(["\0", "a\\\0", "\ud800", "\udfff"])(
    "writes no text that ends a connection: %j",
    (text) => {
      expect(refusal(() => LIGHT_CODEC.encode(asks(text))).message).toMatch(
        /^validate_field: NUL, or half/,
      );
    },
  );

  it.each(["", "[", "1", "null", "{}", '{"type":1}'])("takes %j for no message", (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "bad_message" }));
  });

  it("takes a message that it does not know, for others to pass over", () => {
    expect(read('{"type":"of_tomorrow"}')).toEqual({ type: "of_tomorrow" });
  });
});
