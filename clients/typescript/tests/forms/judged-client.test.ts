/** Facts about `src/forms/judged-client.ts`. */
import { expect, test, vi } from "vitest";
import { judgedClient } from "../../src/forms/judged-client.ts";
import type { FormsClient } from "../../src/forms/types.ts";
import * as s from "../../src/schema.ts";

const SIGN_UP: s.Message = {
  name: "SignUp",
  fields: [
    ["email", s.STRING, s.REQUIRED | s.ASKS, [[s.email]]],
    ["age", s.INT32, 0, [[s.inRange, 18, 130]]],
    ["password", s.STRING, 0, [], { key: "pass" }],
    ["again", s.STRING],
    ["topics", s.listOf(s.STRING, [[s.minLen, 2]]), 0, [[s.maxItems, 2]]],
  ],
  rules: [
    [
      s.celRule,
      ["password", "again"],
      "agree",
      "passwords differ",
      (self: { password: string; again: string }) => self.password === self.again,
    ],
  ],
};
const OPTIONS = { values: {}, formInstance: "1" };

function bound(rules: s.Message = SIGN_UP) {
  const server = {
    state: "open",
    onState: () => () => {},
    validateField: vi.fn(async () => ({ valid: false, error: "is taken", metadata: null })),
    validateForm: vi.fn(async () => ({ valid: true, errors: [] })),
  } satisfies FormsClient;
  return { server, client: judgedClient(server, { rules }, () => 0n) };
}

test("what a rule refuses is answered without asking", async () => {
  const { server, client } = bound();
  const ask = async (field: string, value: string | string[]) =>
    (await client.validateField("signup", field, value, OPTIONS)).error;
  expect(await ask("email", "")).toBe("is required");
  expect(await ask("email", "ada")).toBe("must be an email address");
  expect(await ask("age", "twelve")).toBe("must be a whole number");
  expect(await ask("age", "12")).toBe("must be between 18 and 130");
  expect(await ask("age", " 36 ")).toBeUndefined();
  expect(await ask("topics", ["sync", "forms", "css"])).toBe("must have at most 2 items");
  expect(await ask("topics", ["sync", "x"])).toBe("must have at least 2 characters");
  expect(server.validateField).not.toHaveBeenCalled();
});

test("the server is asked about what it alone knows, once the other rules hold", async () => {
  const { server, client } = bound();
  const answer = await client.validateField("signup", "email", "ada@example.com", OPTIONS);
  expect(answer.error).toBe("is taken");
  expect(server.validateField).toHaveBeenCalledOnce();
});

test("a name that the schema does not have is the server's business", async () => {
  const { server, client } = bound();
  await client.validateField("signup", "colour", "red", OPTIONS);
  expect(server.validateField).toHaveBeenCalledOnce();
});

test("a whole form is judged here, and asked about only if all of it holds", async () => {
  const { server, client } = bound();
  const good = { email: "ada@example.com", age: "36", pass: "abc", again: "abc" };
  const ask = (values: Record<string, string>) => client.validateForm("signup", values, OPTIONS);
  expect((await ask({ ...good, age: "x", email: "" })).errors).toEqual([
    { field: "age", error: "must be a whole number" },
    { field: "email", error: "is required" },
  ]);
  expect((await ask({ ...good, again: "abd" })).errors).toEqual([
    { field: "", error: "passwords differ" },
  ]);
  expect(server.validateForm).not.toHaveBeenCalled();
  expect(await ask(good)).toEqual({ valid: true, errors: [] });
  expect(server.validateForm).toHaveBeenCalledOnce();
});

test("a form of which the server knows nothing more is never asked about", async () => {
  const { server, client } = bound({ name: "Note", fields: [["text", s.STRING, s.REQUIRED]] });
  expect(await client.validateForm("note", { text: "a" }, OPTIONS)).toEqual({
    valid: true,
    errors: [],
  });
  expect(server.validateForm).not.toHaveBeenCalled();
});

test("of a rule about the form as a whole that the server alone knows it is asked", async () => {
  const { server, client } = bound({ name: "SignUp", fields: [["age", s.INT32]], asks: true });
  expect((await client.validateForm("signup", { age: "x" }, OPTIONS)).valid).toBe(false);
  expect(server.validateForm).not.toHaveBeenCalled();
  await client.validateField("signup", "age", "3", OPTIONS);
  expect(server.validateField).not.toHaveBeenCalled();
  await client.validateForm("signup", { age: "3" }, OPTIONS);
  expect(server.validateForm).toHaveBeenCalledOnce();
});
