// @vitest-environment happy-dom
/** The state table in the head of `binding.ts`, compared with what a form says of itself. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { bindForm } from "../../src/forms/index.ts";
import { explore, tableOf } from "../support/states.ts";
import { FakeClient, page, settled, type } from "./support.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("a form that is asked about as a whole", async () => {
  const table = tableOf("forms/binding.ts", "idle", "checking", "waiting", "invalid", "valid");
  const make = () => {
    const client = new FakeClient();
    const form = page('<input name="email" value="a">');
    let bound = bindForm(form, { client, drafts: false });
    let typed = 0;
    const answer = (error?: string) =>
      client.forms.at(-1)!.answer({ errors: error ? [{ field: "email", error }] : [] });
    return {
      state: () => form.dataset.rhtmxState!,
      check() {
        const isAsked = ["checking", "waiting"].includes(form.dataset.rhtmxState!);
        if (isAsked) expect(client.forms.length, "it waits for something").toBeGreaterThan(0);
      },
      events: {
        async validate() {
          void bound.validate();
          await settled();
        },
        "found valid": () => answer(),
        "found invalid": () => answer("no"),
        connected: () => client.becomes("open"),
        disconnected: () => client.becomes("waiting"),
        async edited() {
          // What was asked before counts no more, whatever comes of it.
          const before = client.forms.at(-1);
          type("email", `a${++typed}`);
          await before?.answer({ valid: true });
        },
        reset: () => void form.dispatchEvent(new Event("reset")),
        stop() {
          bound.stop();
          bound = bindForm(form, { client, drafts: false });
        },
      },
    };
  };
  await explore(table, make, 150);
});
