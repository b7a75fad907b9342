import { expect, it } from "vitest";

import { Answers } from "../src/answers.ts";
import { RhtmxError } from "../src/errors.ts";

const message = { type: "pong" } as const;

it("an answer resolves the promise of its id with what came before it", async () => {
  const answers = new Answers();
  const [a, b] = [answers.wait("a"), answers.wait("b")];
  answers.handle({ event: "answered", id: "b", message, before: [1] });
  answers.handle({ event: "refused", id: "a", error: new RhtmxError("conflict", "no") });
  expect(await b).toMatchObject({ message, before: [1] });
  await expect(a).rejects.toMatchObject({ code: "conflict" });
});

it("an answer that nobody waits for is taken all the same", () => {
  expect(new Answers().handle({ event: "answered", id: "x", message, before: [] })).toBe(true);
});

it("other events are left to others", () => {
  expect(new Answers().handle({ event: "connect" })).toBe(false);
});
