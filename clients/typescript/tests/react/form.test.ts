// @vitest-environment happy-dom
import { act, createElement, Fragment, StrictMode } from "react";
import type { Root } from "react-dom/client";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FormHandle } from "../../src/react/index.ts";
import { useForm } from "../../src/react/index.ts";
import { FakeClient, find, leave, type } from "../forms/support.ts";

let client: FakeClient;
let form: FormHandle;
let root: Root;
let sent: number;

let name: string;
let isOpen: boolean;

function SignUp() {
  form = useForm(client, name, { drafts: false });
  return (
    isOpen &&
    createElement(
      "form",
      {
        ref: form.ref,
        noValidate: true,
        onSubmit: (event: { preventDefault(): void }) => {
          event.preventDefault();
          sent += 1;
        },
      },
      createElement("input", { name: "email" }),
      createElement("p", { "data-rhtmx-error": "email" }),
      createElement("b", { id: "wrong" }, Object.keys(form.errors).join(" ")),
    )
  );
}

beforeEach(async () => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.useFakeTimers();
  client = new FakeClient();
  sent = 0;
  [name, isOpen] = ["signup", true];
  document.body.replaceChildren(document.createElement("main"));
});

async function render(Mode: typeof StrictMode, place: HTMLElement = find("main")): Promise<void> {
  root = createRoot(place);
  await again(Mode);
}

async function again(Mode: typeof StrictMode): Promise<void> {
  await act(async () => root.render(createElement(Mode, null, createElement(SignUp))));
}

afterEach(async () => {
  await act(async () => root.unmount());
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("for an action that is a function the server's receipt is asked for", async () => {
  function Contact() {
    const { ref } = useForm(client, "contact", { drafts: false });
    return createElement("form", { ref, action: () => {} }, createElement("input", { name: "a" }));
  }
  root = createRoot(find("main"));
  await act(async () => root.render(createElement(Contact)));
  await act(async () => find<HTMLFormElement>("form").requestSubmit());
  expect(client.forms.map(({ receipt }) => receipt)).toEqual([true]);
});

describe.each([
  ["", Fragment],
  [" in StrictMode", StrictMode],
])("a form%s", (_, Mode) => {
  beforeEach(() => render(Mode));

  it("an error of a field is known to the component and shown by the binding", async () => {
    await act(async () => {
      type("email", "ada@example.com");
      leave("email");
      await client.fields[0]!.answer({ valid: false, error: "is taken" });
    });
    expect(form.errors).toEqual({ email: "is taken" });
    expect(find("#wrong").textContent).toBe("email");
    expect(find("[data-rhtmx-error=email]").textContent).toBe("is taken");
  });

  it("what the server says unasked is known to the component, of a field and of all of it", async () => {
    await act(async () => {
      void form.validate();
      await client.forms[0]!.answer({ live: true });
    });
    const { formInstance: form_instance } = client.forms[0]!;
    await act(async () => client.says({ form_instance, field: "email", error: "is taken" }));
    expect(form.errors).toEqual({ email: "is taken" });
    expect(find("#wrong").textContent).toBe("email");
    await act(async () => client.says({ form_instance, error: "nothing is left" }));
    expect(form.errors).toEqual({ email: "is taken", "": "nothing is left" });
    await act(async () => {
      client.says({ form_instance, field: "email" });
      client.says({ form_instance });
    });
    expect(form.errors).toEqual({});
  });

  it("a write that was rejected is an error of its field, too", async () => {
    const violations = [{ field: "email", message: "is taken" }];
    await act(async () => form.reject({ message: "not valid", violations }));
    expect(form.errors).toEqual({ email: "is taken" });
    expect(find("[data-rhtmx-error=email]").textContent).toBe("is taken");
  });

  it("a reset takes the errors back, one that the page prevents does not", async () => {
    await act(async () => {
      type("email", "x");
      leave("email");
      await client.fields[0]!.answer({ valid: false, error: "is taken" });
    });
    const reset = () => act(async () => find<HTMLFormElement>("form").reset());
    document.addEventListener("reset", (event) => event.preventDefault(), {
      capture: true,
      once: true,
    });
    await reset();
    expect(form.errors).toEqual({ email: "is taken" });
    await reset();
    expect(form.errors).toEqual({});
  });

  it("what is right again is no error any more", async () => {
    await act(async () => {
      type("email", "x");
      leave("email");
      await client.fields[0]!.answer({ valid: false, error: "is no address" });
      type("email", "ada@example.com");
      leave("email");
      await client.fields[1]!.answer({});
    });
    expect(form.errors).toEqual({});
  });

  it("onSubmit runs once, and only when all of it is valid", async () => {
    await act(async () => {
      find<HTMLFormElement>("form").requestSubmit();
      await client.forms[0]!.answer({ errors: [{ field: "email", error: "is required" }] });
    });
    expect([sent, form.errors]).toEqual([0, { email: "is required" }]);
    await act(async () => {
      type("email", "ada@example.com");
      find<HTMLFormElement>("form").requestSubmit();
      await client.forms[1]!.answer({});
    });
    expect([sent, form.errors]).toEqual([1, {}]);
  });

  it("an error of a field that is gone is none any more", async () => {
    await act(async () => {
      type("email", "x");
      leave("email");
      await client.fields[0]!.answer({ valid: false, error: "is no address" });
    });
    expect(form.errors).toEqual({ email: "is no address" });
    vi.useRealTimers();
    await act(async () => {
      find("[name=email]").setAttribute("disabled", "");
      await new Promise((resolve) => setTimeout(resolve));
    });
    expect(form.errors).toEqual({});
  });

  it("a form that is gone is asked about no longer", async () => {
    await act(async () => root.unmount());
    expect(await form.validate()).toBe(false);
    expect(await form.check("email")).toBeUndefined();
    expect([client.forms, client.fields, client.listeners.size]).toEqual([[], [], 0]);
  });

  it("is bound once, also after it has gone and come again", async () => {
    expect(client.listeners.size).toBe(1);
    await act(async () => root.unmount());
    expect(client.listeners.size).toBe(0);
    await render(Mode);
    expect(client.listeners.size).toBe(1);
    await act(async () => {
      type("email", "ada@example.com");
      leave("email");
      await client.fields[0]!.answer({ valid: false, error: "is taken" });
    });
    expect(form.errors).toEqual({ email: "is taken" });
    expect(client.fields).toHaveLength(1);
  });

  it("that was rejected keeps its errors when React resets it, and loses them when the user does", async () => {
    const violations = [{ field: "email", message: "is taken" }];
    const reset = () => act(async () => find<HTMLFormElement>("form").reset());
    const shown = () => [form.errors, find("[data-rhtmx-error=email]").textContent];
    await act(async () => form.reject({ message: "not valid", violations }));
    await reset();
    expect(shown()).toEqual([{ email: "is taken" }, "is taken"]);
    await reset();
    expect(shown()).toEqual([{}, ""]);
    await act(async () => form.reject({ message: "not valid", violations }));
    document.body.click();
    await reset();
    expect(shown()).toEqual([{}, ""]);
  });

  it("that goes takes its errors with it: the one that comes in its place begins anew", async () => {
    await act(async () => {
      type("email", "x");
      leave("email");
      await client.fields[0]!.answer({ valid: false, error: "is no address" });
    });
    expect(form.errors).toEqual({ email: "is no address" });
    isOpen = false;
    await again(Mode);
    expect(form.errors).toEqual({});
    isOpen = true;
    await again(Mode);
    expect([form.errors, find("[data-rhtmx-error=email]").textContent]).toEqual([{}, ""]);
  });

  it("that is checked as another one from now on has none of the errors of the one before", async () => {
    await act(async () => {
      type("email", "x");
      leave("email");
      await client.fields[0]!.answer({ valid: false, error: "is no address" });
    });
    name = "invite";
    await again(Mode);
    expect([form.errors, find("[data-rhtmx-error=email]").textContent]).toEqual([{}, ""]);
    expect(find("[name=email]").getAttribute("aria-invalid")).not.toBe("true");
  });

  it("has errors of its own, in each root", async () => {
    const [first, place] = [root, document.querySelector("main")!];
    await render(Mode, document.body.appendChild(document.createElement("div")));
    await act(async () => {
      // The second one's, as it has rendered last.
      const email = document.querySelector<HTMLInputElement>("div [name=email]")!;
      email.value = "x";
      email.dispatchEvent(new InputEvent("input", { bubbles: true }));
      email.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
      await client.fields[0]!.answer({ valid: false, error: "is no address" });
    });
    expect(place.querySelector("#wrong")!.textContent).toBe("");
    expect(document.querySelector("div #wrong")!.textContent).toBe("email");
    await act(async () => first.unmount());
  });
});
