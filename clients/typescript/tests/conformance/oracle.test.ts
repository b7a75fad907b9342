import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/messages/types.ts";
import { decode, encode } from "../../src/wire/index.ts";
import { messages } from "../support/messages.ts";
import { oracleDecode, oracleEncode } from "../support/oracle.ts";

const RUNS = 200;

function each(check: (message: Message) => void): void {
  fc.assert(
    fc.property(messages, (message) => void check(message as unknown as Message)),
    { numRuns: RUNS },
  );
}

describe("any message", () => {
  it("comes back from JSON", () => {
    each((message) => expect(decode(encode(message, "json"), "json")).toEqual(message));
  });

  it("comes back from protobuf", () => {
    each((message) => expect(decode(encode(message, "proto"), "proto")).toEqual(message));
  });

  it("that we write is what protobuf-es reads", () => {
    each((message) => {
      const bytes = encode(message, "proto") as Uint8Array;
      expect(decode(encode(oracleDecode(bytes) as unknown as Message, "json"), "json")).toEqual(
        message,
      );
    });
  });

  it("that protobuf-es writes is what we read", () => {
    each((message) => {
      expect(decode(oracleEncode(message as never), "proto")).toEqual(message);
    });
  });

  it("is the same message in both formats", () => {
    each((message) => {
      const viaJson = decode(encode(message, "json"), "json");
      expect(decode(encode(viaJson, "proto"), "proto")).toEqual(viaJson);
    });
  });
});

describe("any bytes", () => {
  it("are a message or a refusal, never another error", () => {
    const garbage = fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged());
    fc.assert(
      fc.property(garbage, fc.constantFrom("json" as const, "proto" as const), (bytes, format) => {
        try {
          decode(bytes, format);
        } catch (error) {
          expect(error).toMatchObject({ name: "RhtmxError", code: "bad_message" });
        }
      }),
      { numRuns: 2 * RUNS },
    );
  });
});

/** The bytes of a message with one of them changed or the end cut off. */
function damaged(): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(messages, fc.nat(), fc.nat({ max: 255 }), fc.boolean())
    .map(([message, at, byte, cut]) => {
      const bytes = Uint8Array.from(encode(message as never, "proto") as Uint8Array);
      const place = bytes.length === 0 ? 0 : at % bytes.length;
      if (cut) return bytes.slice(0, place);
      bytes[place] = byte;
      return bytes;
    });
}
