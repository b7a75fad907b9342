// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";

import { offerOffline, showConnection } from "../../inspector/connection.ts";
import type { Client, State } from "../../src/index.ts";
import { RhtmxError } from "../../src/index.ts";

beforeEach(() => {
  document.body.innerHTML =
    '<p id="connection"><strong></strong><span class="detail"></span></p>' +
    '<button id="offline" aria-checked="false"></button>';
});

function client() {
  let tell: (state: State, error?: RhtmxError) => void = () => {};
  const made = {
    state: "connecting",
    onState: (listener: typeof tell) => {
      tell = listener;
      return () => {};
    },
    offline: vi.fn(),
    online: vi.fn(),
  };
  const become = (state: State, error?: RhtmxError) => tell(state, error);
  return { client: made as unknown as Client, made, become };
}

function storage(kept = new Map<string, string>()) {
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
  };
}

describe("the connection", () => {
  const place = () => document.querySelector<HTMLElement>("#connection")!;

  it("is said in words", () => {
    const world = client();
    showConnection(world.client);
    expect(place().textContent).toBe("Connecting…");
    const words = (["open", "waiting", "connecting", "offline"] as const).map((state) => {
      world.become(state);
      return [place().dataset.state, place().querySelector("strong")!.textContent];
    });
    expect(words).toEqual([
      ["live", "Live"],
      ["reconnecting", "Reconnecting…"],
      ["reconnecting", "Reconnecting…"],
      ["offline", "Offline"],
    ]);
  });

  it("that is closed for good says why", () => {
    const world = client();
    showConnection(world.client);
    world.become("closed", new RhtmxError("forbidden", "you may not"));
    expect(place().textContent).toBe("Not connected:you may not. Reload the page to try again.");
  });
});

describe("the switch", () => {
  const control = () => document.querySelector<HTMLElement>("#offline")!;

  it("ends the connection, and brings it back", () => {
    const { client: given, made } = client();
    offerOffline(given, storage());
    expect(made.offline).not.toHaveBeenCalled();
    control().click();
    expect(control().getAttribute("aria-checked")).toBe("true");
    expect(made.offline).toHaveBeenCalledOnce();
    control().click();
    expect(control().getAttribute("aria-checked")).toBe("false");
    expect(made.online).toHaveBeenCalledOnce();
  });

  it("is as it was before a reload", () => {
    const kept = storage();
    offerOffline(client().client, kept);
    control().click();
    control().setAttribute("aria-checked", "false");
    const { client: given, made } = client();
    offerOffline(given, kept);
    expect(control().getAttribute("aria-checked")).toBe("true");
    expect(made.offline).toHaveBeenCalledOnce();
  });

  it("follows the switch of another tab", () => {
    const kept = storage();
    const { client: given, made } = client();
    offerOffline(given, kept);
    offerOffline(client().client, kept);
    control().setAttribute("aria-checked", "false");
    kept.setItem("rhtmx-demo:offline", "true");
    window.dispatchEvent(new Event("storage"));
    expect(control().getAttribute("aria-checked")).toBe("true");
    expect(made.offline).toHaveBeenCalled();
  });
});
