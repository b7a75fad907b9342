import { describe, expect, it } from "vitest";
import { pathOf } from "../../src/api/declared.ts";
import { Priority, Reading, SignUp, Task } from "../support/sample.ts";

describe("what is declared", () => {
  it("has the name that clients use", () => {
    expect([Task.name, Reading.name, SignUp.name]).toEqual(["tasks", "reading", "signup"]);
    expect(Priority).toEqual({
      UNSPECIFIED: "unspecified",
      LOW: "low",
      HIGH: "high",
      ON_FIRE: "on-fire",
    });
  });

  it("is a validator by Standard Schema", () => {
    const { version, vendor, validate } = Task["~standard"];
    expect([version, vendor]).toEqual([1, "rhtmx"]);
    const right = validate({ title: "x", team: "red", foreign_id: 5n });
    expect(right).toMatchObject({ value: { title: "x", done: false, foreign_id: 5n } });
    expect(right.issues).toBeUndefined();
    const wrong = validate({ title: "", team: "red", steps: [{ text: "" }], due: "x" });
    expect(wrong.issues).toEqual([
      { message: "is required", path: ["title"] },
      { message: expect.stringContaining("time"), path: ["due"] },
      { message: expect.stringContaining("1"), path: ["steps", 0, "text"] },
    ]);
    const owner = validate({ title: "x", team: "red", owner: "eve" });
    expect(owner.issues).toEqual([{ message: expect.stringContaining("server"), path: ["owner"] }]);
    expect(validate("x")).toEqual({ issues: [{ message: "must be an object" }] });
  });

  it("says a rule of the whole without a path", () => {
    const [due, start] = ["2026-01-30T00:00:00Z", "2026-01-31T00:00:00Z"];
    const { issues } = Task["~standard"].validate({ title: "x", team: "red", due, start });
    expect(issues).toEqual([{ message: "must not be before the start" }]);
  });

  it("is a validator of a form, too", () => {
    const { issues } = SignUp["~standard"].validate({ email: "ada", age: 7 });
    expect(issues?.map(({ path }) => path)).toEqual([["email"], ["age"]]);
  });

  it("makes steps of a path", () => {
    expect(pathOf('steps[0].notes["a.b]\\""][7][true].x')).toEqual([
      "steps",
      0,
      "notes",
      'a.b]"',
      7,
      "true",
      "x",
    ]);
  });
});
