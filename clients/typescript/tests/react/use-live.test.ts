// @vitest-environment happy-dom
/**
 * What is hydrated late, and what changes meanwhile. The store is one value.
 */

import type { ComponentType, ReactNode } from "react";
import {
  act,
  createElement as h,
  lazy,
  StrictMode,
  Suspense,
  startTransition,
  useState,
} from "react";
import type { Root } from "react-dom/client";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useLive } from "../../src/react/use-live.ts";
import { Listeners } from "../../src/runtime/listeners.ts";

let place: HTMLElement;
let value: string;
let listeners: Listeners;
let arrive: () => void;
let Late: ComponentType;
let roots: Root[];

const read = () => value;
const listen = (changed: (own?: boolean) => void) => listeners.on("x", changed);
const useValue = () => useLive(listen, read, "server");
const Value = ({ id }: { id?: string }) => h("b", { id }, useValue());
const Inside = () => h("p", { id: "part" }, useValue());

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.spyOn(console, "error").mockImplementation((...words: unknown[]) => {
    throw new Error(words.join(" "));
  });
  [listeners, value, roots] = [new Listeners(), "first", []];
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  Late = lazy(() => arrived.then(() => ({ default: Inside })));
  place = document.createElement("main");
  document.body.append(place);
});

afterEach(async () => {
  await act(async () => roots.forEach((root) => root.unmount()));
  place.remove();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Hydrates what the server makes of `server`, in StrictMode. */
async function hydrate(server: ReactNode, client = server, at = place): Promise<void> {
  at.innerHTML = renderToString(server);
  const onRecoverableError = (error: unknown) => console.error(error);
  await act(async () => {
    roots.push(hydrateRoot(at, h(StrictMode, null, client), { onRecoverableError }));
  });
}

async function render(node: ReactNode, at = place): Promise<void> {
  await act(async () => {
    const root = createRoot(at);
    roots.push(root);
    root.render(h(StrictMode, null, node));
  });
}

async function becomes(now: string, own = false): Promise<void> {
  await act(async () => {
    value = now;
    listeners.emit("x", own);
  });
}

const text = (id: string) => document.getElementById(id)?.textContent;
const wait = h("i", { id: "wait" });

/** Something live around a part that is hydrated late. */
const around = (Part: ComponentType): ReactNode => h(Around, { Part });
function Around({ Part }: { Part: ComponentType }) {
  return h(
    "div",
    null,
    h("b", { id: "around" }, useValue()),
    h(Suspense, { fallback: wait }, h(Part)),
  );
}

describe("a component that is hydrated", () => {
  it("shows what the server has, then what there is, and then what comes", async () => {
    place.innerHTML = renderToString(h(Value, { id: "v" }));
    const element = document.getElementById("v")!;
    expect(element.textContent).toBe("server");
    await act(
      async () => void roots.push(hydrateRoot(place, h(StrictMode, null, h(Value, { id: "v" })))),
    );
    expect(element.textContent).toBe("first");
    await becomes("second");
    expect(element.textContent).toBe("second");
    expect(document.getElementById("v")).toBe(element);
  });

  it("keeps a part below it that is hydrated late, and goes live when that is", async () => {
    await hydrate(around(Inside), around(Late));
    const part = document.getElementById("part");
    for (const now of ["second", "third"]) {
      await becomes(now);
      expect([text("around"), text("part"), text("wait")]).toEqual(["server", "server", undefined]);
    }
    await act(async () => arrive());
    expect([text("around"), text("part")]).toEqual(["third", "third"]);
    expect(document.getElementById("part")).toBe(part);
    await becomes("fourth");
    expect([text("around"), text("part")]).toEqual(["fourth", "fourth"]);
  });

  it("shows at once what is written in this tab, though that costs the part", async () => {
    await hydrate(around(Inside), around(Late));
    await becomes("mine", true);
    expect(text("around")).toBe("mine");
    await becomes("theirs");
    expect(text("around")).toBe("theirs");
  });

  it("waits for a part that has still to come from the server", async () => {
    await hydrate(h(Value, { id: "v" }));
    vi.useFakeTimers();
    const other = document.createElement("div");
    const stream = document.createComment("$?");
    document.body.append(other, stream);
    await hydrate(h(Value, { id: "w" }), undefined, other);
    expect([text("v"), text("w")]).toEqual(["first", "server"]);
    stream.remove();
    await act(() => vi.advanceTimersByTimeAsync(50));
    expect(text("w")).toBe("first");
    vi.useRealTimers();
    other.remove();
  });

  it("is forgotten when it goes before it is live", async () => {
    await hydrate(around(Inside), around(Late));
    await act(async () => roots.pop()!.unmount());
    expect(listeners.hears("x")).toBe(false);
    await act(async () => arrive());
    expect(place.innerHTML).toBe("");
  });
});

describe("a component that is rendered in the browser", () => {
  it("shows what there is from the start, also beside and below what is hydrated", async () => {
    await render(h(Value, { id: "v" }));
    expect(text("v")).toBe("first");
    const other = document.createElement("div");
    document.body.append(other);
    await hydrate(around(Inside), around(Late), other);
    expect([text("v"), text("around")]).toEqual(["first", "server"]);
    await becomes("second");
    expect([text("v"), text("around")]).toEqual(["second", "server"]);
    other.remove();
  });

  it("shows what there is when it goes and comes again", async () => {
    let show!: (there: boolean) => void;
    const Sometimes = () => {
      const [there, set] = useState(true);
      show = set;
      return there ? h(Value, { id: "v" }) : null;
    };
    await render(h(Sometimes));
    await act(async () => show(false));
    expect(listeners.hears("x")).toBe(false);
    await becomes("second");
    await act(async () => show(true));
    expect(text("v")).toBe("second");
    await becomes("third");
    expect(text("v")).toBe("third");
  });

  it("shows a change that comes between its rendering and its first effect", async () => {
    const Changes = () => {
      const shown = useValue();
      value = "second";
      return h("b", { id: "v" }, shown);
    };
    await render(h(Changes));
    expect(text("v")).toBe("second");
  });

  it("shows a change while a transition waits for something", async () => {
    let go!: () => void;
    const App = () => {
      const [next, set] = useState(false);
      go = () => startTransition(() => set(true));
      return h(Suspense, { fallback: wait }, h(Value, { id: "v" }), next ? h(Late) : null);
    };
    await render(h(App));
    await act(async () => go());
    await becomes("second");
    expect([text("v"), text("part"), text("wait")]).toEqual(["second", undefined, undefined]);
    await act(async () => arrive());
    expect([text("v"), text("part")]).toEqual(["second", "second"]);
  });

  it("shows a change while an action has not ended", async () => {
    let go!: () => void;
    const App = () => {
      const [, set] = useState(false);
      go = () =>
        startTransition(async () => {
          set(true);
          await new Promise(() => {});
        });
      return h(Value, { id: "v" });
    };
    await render(h(App));
    await act(async () => go());
    await becomes("second");
    expect(text("v")).toBe("second");
  });

  it("shows the same as all others, in each root, at any time", async () => {
    const other = document.createElement("div");
    document.body.append(other);
    await render(h("div", null, h(Value, { id: "v" }), h(Value, { id: "w" })));
    await render(h(Value, { id: "x" }), other);
    await becomes("second");
    expect(["v", "w", "x"].map(text)).toEqual(["second", "second", "second"]);
    await act(async () => roots.pop()!.unmount());
    await becomes("third");
    expect(["v", "w", "x"].map(text)).toEqual(["third", "third", undefined]);
    other.remove();
  });
});
