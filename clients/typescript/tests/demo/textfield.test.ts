// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";

import { TextField } from "../../demo/textfield.ts";

beforeEach(() => {
  document.body.replaceChildren();
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
});

function world(tag: "input" | "textarea" = "input", data: Record<string, string> = {}) {
  const control = document.createElement(tag);
  Object.assign(control.dataset, data);
  document.body.append(control);
  const judge = vi.fn((_: string) => "");
  const writing = { save: vi.fn(), draft: vi.fn(), judge };
  const field = new TextField(control, writing);
  field.show("Tea", 3);
  const type = (text: string) => {
    control.value = text;
    control.dispatchEvent(new Event("input"));
  };
  const press = (key: string, options: KeyboardEventInit = {}) => {
    control.dispatchEvent(new KeyboardEvent("keydown", { key, ...options }));
  };
  return { control, field, type, press, ...writing };
}

describe("writing", () => {
  it("is saved with Enter, with the version that the user saw", () => {
    const { field, type, press, save, draft } = world();
    type("Milk");
    expect(draft).toHaveBeenLastCalledWith({ text: "Milk", seen: "Tea", version: 3 });
    field.show("Tea", 9);
    press("Enter");
    expect(save).toHaveBeenCalledWith("Milk", 3);
    expect(draft).toHaveBeenLastCalledWith(undefined);
  });

  it("is saved on leaving, and not twice", () => {
    const { control, type, save } = world();
    type("Milk");
    control.dispatchEvent(new Event("change"));
    control.dispatchEvent(new Event("change"));
    expect(save).toHaveBeenCalledOnce();
  });

  it("of several lines is saved with Ctrl and Enter only", () => {
    const { type, press, save } = world("textarea");
    type("Milk");
    press("Enter");
    expect(save).not.toHaveBeenCalled();
    press("Enter", { ctrlKey: true });
    expect(save).toHaveBeenCalledWith("Milk", 3);
  });

  it("of one line is saved with Enter, also where several lines show it", () => {
    const { control, type, save } = world("textarea", { lines: "one" });
    type("Milk");
    const enter = new KeyboardEvent("keydown", { key: "Enter", cancelable: true });
    control.dispatchEvent(enter);
    expect(save).toHaveBeenCalledWith("Milk", 3);
    expect(enter.defaultPrevented).toBe(true);
  });

  it("of one line has no line breaks, wherever it was copied from", () => {
    const { control, type, press, save, draft } = world("textarea", { lines: "one" });
    type("Milk \r\n and\nhoney");
    expect(control.value).toBe("Milk and honey");
    expect(draft).toHaveBeenLastCalledWith({ text: "Milk and honey", seen: "Tea", version: 3 });
    press("Enter");
    expect(save).toHaveBeenCalledWith("Milk and honey", 3);
  });

  it("of several lines keeps its line breaks", () => {
    const { control, type } = world("textarea");
    type("Milk\nand honey");
    expect(control.value).toBe("Milk\nand honey");
  });

  it("is taken back with Escape", () => {
    const { control, type, press, save, draft } = world();
    type("Milk");
    press("Escape");
    expect(control.value).toBe("Tea");
    expect(draft).toHaveBeenLastCalledWith(undefined);
    expect(save).not.toHaveBeenCalled();
  });

  it("of what is there already, or of nothing where something is needed, saves nothing", () => {
    const { control, type, press, save } = world();
    control.required = true;
    for (const text of ["Tea ", " "]) {
      type(text);
      press("Enter");
      expect(control.value).toBe("Tea");
    }
    expect(save).not.toHaveBeenCalled();
  });

  it("is not ended by the Enter of an input method", () => {
    const { type, press, save } = world();
    type("茶");
    press("Enter", { isComposing: true });
    expect(save).not.toHaveBeenCalled();
  });
});

describe("what is wrong", () => {
  it("is not saved, stays as it was written, and says why until it is written anew", () => {
    const { control, field, type, press, save, draft, judge } = world();
    judge.mockReturnValue("Too much of it.");
    type("Milk");
    press("Enter");
    expect(judge).toHaveBeenCalledWith("Milk");
    expect(save).not.toHaveBeenCalled();
    expect([control.value, field.wrong]).toEqual(["Milk", "Too much of it."]);
    expect(control.getAttribute("aria-invalid")).toBe("true");
    expect(draft).toHaveBeenLastCalledWith({ text: "Milk", seen: "Tea", version: 3 });
    judge.mockReturnValue("");
    type("Rum");
    expect([field.wrong, control.hasAttribute("aria-invalid")]).toEqual(["", false]);
    press("Enter");
    expect(save).toHaveBeenCalledWith("Rum", 3);
  });

  it("is taken back with Escape, too", () => {
    const { control, field, type, press, judge } = world();
    judge.mockReturnValue("Too much of it.");
    type("Milk");
    press("Enter");
    press("Escape");
    expect([control.value, field.wrong]).toEqual(["Tea", ""]);
  });
});

describe("what others save", () => {
  it("shows, unless the user is writing; then it is told", () => {
    const { control, field, type } = world();
    field.show("Rum", 4);
    expect([control.value, field.overtaken]).toEqual(["Rum", false]);
    type("Milk");
    field.show("Gin", 5);
    expect([control.value, field.overtaken]).toEqual(["Milk", true]);
  });
});

describe("a draft", () => {
  it("goes on after a reload from what was seen before it", () => {
    const { control, field, press, save } = world();
    field.resume({ text: "Milk", seen: "Water", version: 2 });
    expect([control.value, field.overtaken]).toEqual(["Milk", true]);
    press("Enter");
    expect(save).toHaveBeenCalledWith("Milk", 2);
  });

  it("is given back when the field goes, once", () => {
    const { field, type } = world();
    expect(field.abandon()).toBeUndefined();
    type("Milk");
    expect(field.abandon()).toBe("Milk");
    expect(field.abandon()).toBeUndefined();
  });
});
