/**
 * protobuf-es as a second opinion on the binary format.
 *
 * Turns messages between our flat form and protobuf-es' own, by the schema's
 * descriptors and nothing of ours.
 */
import { readFileSync } from "node:fs";

import {
  createFileRegistry,
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  getOption,
  type JsonObject,
  ScalarType,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { JsonValue } from "../../src/messages/types.ts";

const path = new URL("../../../../tests/vectors/schema.binpb", import.meta.url);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(path)));

/** The envelope's descriptor: its fields are the cases. */
export const envelope = registry.getMessage("rhtmx.v1.Envelope")!;

/** Whether a field has one of the schema's own options. */
export function has(field: DescField, option: "json" | "required" | "omittable"): boolean {
  return getOption(field, registry.getExtension(`rhtmx.v1.${option}`)!) === true;
}

/** A message in our flat form. */
export type Flat = { readonly type: string; readonly [key: string]: unknown };

type Plain = { readonly [key: string]: unknown };

/** Bytes that protobuf-es makes of a message. */
export function oracleEncode(message: Flat): Uint8Array {
  const field = caseOf(message.type);
  const json = { [field.name]: toProtoJson(field.message!, message) };
  return toBinary(envelope, fromJson(envelope, json as JsonObject));
}

/** The message that protobuf-es finds in bytes. */
export function oracleDecode(data: Uint8Array): Flat {
  const decoded = fromBinary(envelope, data);
  const json = toJson(envelope, decoded, { useProtoFieldName: true, alwaysEmitImplicit: true });
  const [name, value] = Object.entries(json as JsonObject)[0]!;
  return { type: name, ...fromProtoJson(caseOf(name).message!, value as JsonObject) };
}

function caseOf(name: string): DescField {
  const field = envelope.fields.find((each) => each.name === name);
  if (!field) throw new Error(`the envelope has no case '${name}'`);
  return field;
}

/** Enum spellings: the last part of the value's name, in lower case. */
function spelled(field: DescField, name: string): string {
  return name.slice(field.enum!.sharedPrefix!.length).toLowerCase();
}

function toProtoJson(desc: DescMessage, message: Plain): JsonObject {
  const json: { [key: string]: JsonValue } = {};
  for (const field of desc.fields) {
    const value = message[field.name];
    if (value == null) continue;
    json[field.name] = oneOrMany(field, value, (each) => valueTo(field, each)) as JsonValue;
  }
  return json as JsonObject;
}

function valueTo(field: DescField, value: unknown): unknown {
  if (field.enum) return `${field.enum.sharedPrefix}${String(value)}`.toUpperCase();
  if (field.message && field.message.typeName !== "google.protobuf.Timestamp") {
    return toProtoJson(field.message, value as Plain);
  }
  return has(field, "json") ? Buffer.from(JSON.stringify(value)).toString("base64") : value;
}

function fromProtoJson(desc: DescMessage, json: JsonObject): Plain {
  const message: { [key: string]: unknown } = {};
  for (const field of desc.fields) {
    const value = json[field.name];
    const shown = has(field, "json") && !has(field, "omittable");
    if (value === undefined && shown) message[field.name] = null;
    if (value === undefined) continue;
    message[field.name] = oneOrMany(field, value, (each) => valueFrom(field, each));
  }
  return message;
}

function valueFrom(field: DescField, value: unknown): unknown {
  if (field.enum) return spelled(field, String(value));
  if (field.message && field.message.typeName !== "google.protobuf.Timestamp") {
    return fromProtoJson(field.message, value as JsonObject);
  }
  if (has(field, "json")) return JSON.parse(Buffer.from(String(value), "base64").toString());
  const isInteger = field.fieldKind === "scalar" && field.scalar === ScalarType.INT64;
  return isInteger ? Number(value) : value;
}

function oneOrMany(field: DescField, value: unknown, each: (value: unknown) => unknown): unknown {
  if (field.fieldKind === "list") return (value as unknown[]).map(each);
  if (field.fieldKind !== "map") return each(value);
  return Object.fromEntries(Object.entries(value as Plain).map(([key, item]) => [key, each(item)]));
}
