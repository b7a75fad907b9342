/**
 * The TypeScript half of the codec's benchmark: times our wire, protobuf-es and
 * bare JSON on the messages that stand on the standard input, and writes a list
 * of timings for each round to the standard output.
 *
 * Our wire is bundled as the client is, protobuf-es with it.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

const client = fileURLToPath(new URL("../../clients/typescript/", import.meta.url));
const schema = new URL("../../tests/vectors/schema.binpb", import.meta.url);

const { build } = createRequire(`${client}package.json`)("esbuild");
const { outputFiles } = await build({
  stdin: {
    contents: `
      export { decode, encode } from "./src/wire/index.ts";
      export * as es from "@bufbuild/protobuf";
      export { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
    `,
    resolveDir: client,
    loader: "ts",
  },
  absWorkingDir: client,
  bundle: true,
  format: "esm",
  target: "es2022",
  write: false,
});
const bundle = Buffer.from(outputFiles[0].contents).toString("base64");
const { decode, encode, es, FileDescriptorSetSchema } = await import(
  `data:text/javascript;base64,${bundle}`
);
const files = es.fromBinary(FileDescriptorSetSchema, readFileSync(schema));
const registry = es.createFileRegistry(files);
const envelope = registry.getMessage("rhtmx.v1.Envelope");

/** What is measured with a message: way, subject, the work, and what it must give. */
function works({ json, proto }) {
  const binary = Uint8Array.from(Buffer.from(proto, "hex"));
  const plain = JSON.parse(json);
  const message = decode(json, "json");
  const own = es.fromBinary(envelope, binary);
  const ownJson = es.toJsonString(envelope, own);
  return [
    ["JSON", "decode", "rhtmx", () => decode(json, "json"), message],
    ["JSON", "decode", "JSON.parse", () => JSON.parse(json), plain],
    ["JSON", "decode", "protobuf-es", () => es.fromJsonString(envelope, ownJson), own],
    ["JSON", "encode", "rhtmx", () => encode(message, "json"), json],
    ["JSON", "encode", "JSON.stringify", () => JSON.stringify(plain), json],
    ["JSON", "encode", "protobuf-es", () => es.toJsonString(envelope, own), ownJson],
    ["binary", "decode", "rhtmx", () => decode(binary, "proto"), message],
    ["binary", "decode", "protobuf-es", () => es.fromBinary(envelope, binary), own],
    ["binary", "encode", "rhtmx", () => encode(message, "proto"), binary],
    ["binary", "encode", "protobuf-es", () => es.toBinary(envelope, own), binary],
  ];
}

let kept;

/** µs of one piece of work, the mean over at least the given time. */
function time(work, milliseconds) {
  const began = performance.now();
  let count = 0;
  let now;
  do {
    for (let each = 0; each < 20; each++) kept = work();
    count += 20;
    now = performance.now();
  } while (now < began + milliseconds);
  return ((now - began) * 1000) / count;
}

const { rounds, milliseconds, frames } = JSON.parse(readFileSync(0, "utf8"));
const prepared = frames.flatMap((frame) => works(frame).map((work) => [frame.name, ...work]));
for (const [name, wire, direction, subject, work, wanted] of prepared) {
  if (!isDeepStrictEqual(work(), wanted)) {
    throw new Error(`${subject}, ${wire} ${direction}, ${name}: not what it should be`);
  }
}
for (let warm = 0; warm < 3; warm++) for (const each of prepared) time(each[4], milliseconds);
const timings = Array.from({ length: rounds }, () =>
  prepared.map(([name, wire, direction, subject, work]) => {
    // The best of three, as in the Python half.
    const tries = [0, 1, 2].map(() => time(work, milliseconds));
    return [wire, direction, name, subject, Math.min(...tries)];
  }),
);
if (kept === undefined) throw new Error("nothing was done");
process.stdout.write(JSON.stringify(timings));
