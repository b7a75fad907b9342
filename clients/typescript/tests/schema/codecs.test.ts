import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bigintCodec,
  bytesCodec,
  floatCodec,
  listCodec,
  mapCodec,
} from "../../src/schema/codecs.ts";
import type { Codec } from "../../src/schema/convert.ts";

const read = ({ read }: Codec, json: unknown) => read(json as never);

describe("a codec", () => {
  it("has bytes as base64", () => {
    expect(read(bytesCodec, "+/8=")).toEqual(new Uint8Array([251, 255]));
    expect(read(bytesCodec, "-_8")).toEqual(new Uint8Array([251, 255]));
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(bytesCodec.write(bytes)).toBe(Buffer.from(bytes).toString("base64"));
        expect(read(bytesCodec, bytesCodec.write(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  it("takes as many bytes as a record has", () => {
    expect(bytesCodec.write(new Uint8Array(1 << 20))).toHaveLength(1398104);
  });

  it("has large integers as texts", () => {
    expect(read(bigintCodec, "9007199254740993")).toBe(9007199254740993n);
    expect(read(bigintCodec, 5)).toBe(5n);
    expect(bigintCodec.write(-9007199254740993n)).toBe("-9007199254740993");
    expect(bigintCodec.write(5)).toBe("5");
  });

  it("writes a number of 32 bits short, and so that it is the same one", () => {
    expect(floatCodec.write(Math.fround(0.1))).toBe(0.1);
    expect(floatCodec.write(0.1)).toBe(0.1);
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const written = floatCodec.write(number) as number;
        expect(Math.fround(written)).toBe(number + 0 || written);
        expect(+written.toPrecision(9)).toBe(written);
      }),
    );
  });

  it("leaves alone what is of another kind, for whoever judges it", () => {
    for (const codec of [
      bytesCodec,
      bigintCodec,
      floatCodec,
      listCodec(bytesCodec),
      mapCodec(bytesCodec),
    ]) {
      for (const value of ["x", null, true]) expect(codec.write(value)).toBe(value);
    }
    expect(floatCodec.write(Number.NaN)).toBeNaN();
  });

  it("leaves a list or a map alone in which nothing is another thing", () => {
    const numbers = [0.5];
    const named = { a: 0.5 };
    expect(read(listCodec(floatCodec), numbers)).toBe(numbers);
    expect(read(mapCodec(floatCodec), named)).toBe(named);
    expect(read(listCodec(bigintCodec), ["1"])).toEqual([1n]);
    expect(read(mapCodec(bigintCodec), { a: "1" })).toEqual({ a: 1n });
    expect(listCodec(bigintCodec).write([1n])).toEqual(["1"]);
    expect(mapCodec(bigintCodec).write({ a: 1n })).toEqual({ a: "1" });
  });
});
