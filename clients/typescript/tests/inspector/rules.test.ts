import { describe, expect, it } from "vitest";

import { type Part, rulesInWords, typeInWords } from "../../inspector/rules.ts";

/** Fields as `rhtmx codegen` describes them: whether they are required, their type, their rules. */
const FIELDS: readonly (readonly [Part, boolean, string, readonly string[]])[] = [
  [
    { type: "string", minLength: 2, maxLength: 2 },
    true,
    "text",
    ["required", "exactly 2 characters"],
  ],
  [
    {
      type: "string",
      "x-rhtmx": {
        rules: [
          { id: "string.min_bytes", value: 1 },
          { id: "string.max_bytes", value: 9 },
        ],
      },
    },
    true,
    "text",
    ["required", "at least 1 byte", "at most 9 bytes"],
  ],
  [{ type: "string", enum: ["a", "b"] }, true, "text", ["required", "one of “a”, “b”"]],
  [
    { anyOf: [{ type: "string", not: { enum: ["a", "b"] } }, { type: "null" }] },
    false,
    "text",
    ["none of “a”, “b”"],
  ],
  [
    { type: "string", "x-rhtmx": { rules: [{ id: "string.pattern", value: "\\bx\\b" }] } },
    true,
    "text",
    ["required", "matches \\bx\\b"],
  ],
  [
    { type: "string", pattern: "^x$", "x-rhtmx": { words: { "string.pattern": "be x" } } },
    true,
    "text",
    ["required", "matches ^x$, otherwise “be x”"],
  ],
  [
    { type: "string", format: "uri", "x-rhtmx": { rules: [{ id: "string.web_url" }] } },
    true,
    "text",
    ["required", "an http or https address"],
  ],
  [
    {
      anyOf: [
        {
          type: "string",
          anyOf: [
            { const: "" },
            {
              maxLength: 9,
              pattern:
                "^[a-zA-Z0-9.!#$%&'*+\\/=?\\^_`{|}~\\-]+@[a-zA-Z0-9](?:[a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])?)*$",
            },
          ],
        },
        { type: "null" },
      ],
      format: "email",
    },
    false,
    "text",
    ["an email address", "nothing, or at most 9 characters"],
  ],
  [
    { type: "string", "x-rhtmx": { rules: [{ id: "string.well_known_regex.header_name" }] } },
    true,
    "text",
    ["required", "string.well_known_regex.header_name"],
  ],
  [
    { type: "string", minLength: 1, "x-rhtmx": { words: { required: "give one" } } },
    true,
    "text",
    ["required, otherwise “give one”"],
  ],
  [
    { type: ["string", "null"], "x-rhtmx": { rules: [{ id: "odd", message: "is odd" }] } },
    false,
    "text",
    ["odd, otherwise “is odd”"],
  ],
  [
    {
      type: "integer",
      minimum: -2147483648,
      maximum: 2147483647,
      exclusiveMinimum: 1,
      exclusiveMaximum: 9,
      "x-rhtmx": { kind: "int32" },
    },
    true,
    "whole number",
    ["required", "more than 1", "less than 9"],
  ],
  [
    {
      anyOf: [
        {
          type: "integer",
          minimum: -2147483648,
          maximum: 2147483647,
          anyOf: [{ exclusiveMinimum: 9 }, { exclusiveMaximum: 1 }],
        },
        { type: "null" },
      ],
      "x-rhtmx": { kind: "int32" },
    },
    false,
    "whole number",
    ["more than 9, or less than 1"],
  ],
  [
    {
      type: ["integer", "null"],
      minimum: 0,
      maximum: 9007199254740991,
      "x-rhtmx": { kind: "uint64" },
    },
    false,
    "whole number",
    [],
  ],
  [
    {
      type: "string",
      pattern: "^(?:0|-?[1-9][0-9]*)$",
      "x-rhtmx": { kind: "int64", rules: [{ id: "int64.gte", value: 5 }] },
    },
    true,
    "whole number, as a text",
    ["required", "5 or more"],
  ],
  [
    {
      type: "integer",
      minimum: -2147483648,
      maximum: 2147483647,
      not: { enum: [4] },
      allOf: [{ not: { const: 0 } }],
      "x-rhtmx": { kind: "int32" },
    },
    true,
    "whole number",
    ["required", "none of 4"],
  ],
  [
    {
      type: "number",
      exclusiveMinimum: 0.5000000298023224,
      exclusiveMaximum: 3.4028235677973366e38,
      maximum: 2.0000001192092896,
      "x-rhtmx": { kind: "float", rules: [{ id: "float.gt_lte", value: [0.5, 2.0] }] },
    },
    true,
    "number",
    ["required", "more than 0.5, 2 or less"],
  ],
  [{ type: "boolean", const: true }, true, "yes or no", ["required", "is true"]],
  [{ enum: ["b", "c", 1, 2], "x-rhtmx": { kind: "enum" } }, true, "one of b, c", ["required"]],
  [
    {
      anyOf: [
        {
          anyOf: [
            { enum: ["a", "b", "c"] },
            { type: ["string", "integer"], minimum: -2147483648, maximum: 2147483647 },
          ],
          not: { enum: ["b", 1] },
        },
        { type: "null" },
      ],
      "x-rhtmx": { kind: "enum" },
    },
    false,
    "one of a, b, c",
    ["none of “b”"],
  ],
  [
    {
      type: "array",
      items: { type: "string", minLength: 2 },
      minItems: 1,
      maxItems: 3,
      uniqueItems: true,
    },
    true,
    "list: text",
    ["required", "at most 3 items", "no item twice", "each: at least 2 characters"],
  ],
  [
    {
      type: "object",
      additionalProperties: {
        type: "integer",
        minimum: -2147483648,
        maximum: 2147483647,
        exclusiveMinimum: 0,
      },
      propertyNames: { maxLength: 3 },
      minProperties: 1,
      maxProperties: 2,
      "x-rhtmx": { kind: "int32" },
    },
    true,
    "by key: whole number",
    ["required", "at most 2 keys", "each: more than 0", "each key: at most 3 characters"],
  ],
  [
    {
      type: ["object", "null"],
      additionalProperties: { $ref: "#/$defs/Part" },
      propertyNames: { type: "string", pattern: "^(?:0|-?[1-9][0-9]*)$" },
    },
    false,
    "by key: Part",
    ["each key: a whole number"],
  ],
  [
    {
      type: ["string", "null"],
      format: "date-time",
      pattern:
        "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+\\-](?:[01][0-9]|2[0-3]):[0-5][0-9])$",
      "x-rhtmx": {
        kind: "timestamp",
        rules: [{ id: "timestamp.lt_now" }, { id: "timestamp.within", value: "60s" }],
      },
    },
    false,
    "date and time",
    ["in the past", "within 60s of now"],
  ],
  [
    {
      type: ["string", "null"],
      format: "date-time",
      pattern:
        "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+\\-](?:[01][0-9]|2[0-3]):[0-5][0-9])$",
      "x-rhtmx": {
        kind: "timestamp",
        rules: [
          { id: "timestamp.gte_lt", value: ["1970-01-01T00:00:00Z", "2001-09-09T01:46:40Z"] },
        ],
      },
    },
    false,
    "date and time",
    ["1970-01-01T00:00:00Z or later, before 2001-09-09T01:46:40Z"],
  ],
  [
    {
      type: ["string", "null"],
      pattern: "^-?[0-9]{1,12}(?:\\.[0-9]{1,9})?s$",
      "x-rhtmx": { kind: "duration", rules: [{ id: "duration.gt_lte", value: ["1s", "90s"] }] },
    },
    false,
    "span of time",
    ["more than 1s, 90s or less"],
  ],
  [
    {
      type: ["array", "null"],
      items: {
        type: "string",
        contentEncoding: "base64",
        pattern:
          "^(?:[A-Za-z0-9+\\/_\\-]{4})*(?:[A-Za-z0-9+\\/_\\-]{2}(?:==)?|[A-Za-z0-9+\\/_\\-]{3}=?)?$",
        "x-rhtmx": { rules: [{ id: "bytes.max_len", value: 4 }] },
      },
      "x-rhtmx": { kind: "bytes" },
    },
    false,
    "list: bytes",
    ["each: at most 4 bytes"],
  ],
  [{ type: ["array", "null"], items: { $ref: "#/$defs/Part" } }, false, "list: Part", []],
];

describe("a field", () => {
  it.each(FIELDS)("%j is told in words", (schema, isRequired, type, rules) => {
    expect(typeInWords(schema)).toBe(type);
    expect(rulesInWords(schema, isRequired)).toEqual(rules);
  });
});

it("leaves out what it does not know, and names rules that it has no words for", () => {
  const schema = {
    dependentSchemas: {},
    contains: 7,
    toString: 1,
    "x-rhtmx": { kind: "string", rules: [{ id: "string.newer", value: 7 }, { id: "constructor" }] },
  };
  expect(rulesInWords(schema)).toEqual(["string.newer: 7", "constructor"]);
  expect(typeInWords({})).toBe("any JSON");
  expect(typeInWords({ type: "toString" })).toBe("any JSON");
});
