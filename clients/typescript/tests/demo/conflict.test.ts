// @vitest-environment happy-dom
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { conflictPanel } from "../../demo/conflict.ts";
import type { Conflict } from "../../src/index.ts";

// Relative to the package, where the tests run: here `URL` is that of a browser.
const PAGE = "../../rhtmx_server/demo/static/index.html";

beforeEach(() => {
  const template = /<template id="conflict">[\s\S]*?<\/template>/.exec(
    readFileSync(PAGE, "utf8"),
  )![0];
  document.body.innerHTML = template;
});

function panel(given: Partial<Conflict>, isParty?: boolean) {
  const answers = { theirs: vi.fn(), mine: vi.fn(), both: vi.fn() };
  const conflict = {
    entity: "tasks",
    id: "1",
    field: "title",
    winner: "client",
    version: 3,
    stands: "mine",
    ...given,
  };
  const element = conflictPanel(conflict as Conflict, answers, isParty);
  document.body.append(element);
  const part = (selector: string) => element.querySelector<HTMLElement>(selector)!;
  return { element, part, ...answers };
}

describe("a conflict on the page", () => {
  it("shows both values as texts, and has a name", () => {
    const { element, part } = panel({ mine: "<b>Pears</b>", theirs: "Plums" });
    expect(part(".mine").textContent).toBe("“<b>Pears</b>”");
    expect(part(".theirs").textContent).toBe("“Plums”");
    expect(part("[role=group]").getAttribute("aria-label")).toBe("Conflict: Title");
    expect([element.tagName, element.getAttribute("role")]).toEqual(["LI", null]);
  });

  it("is answered with either value", () => {
    const { part, theirs, mine } = panel({ mine: "Pears", theirs: "Plums" });
    part(".take").click();
    part(".keep").click();
    expect([theirs, mine].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  });

  it("is answered with one text made out of both", () => {
    const { part, both } = panel({ field: "notes", mine: "Pears", theirs: "Plums" });
    const form = part("form") as HTMLFormElement;
    expect([form.hidden, part(".merge").getAttribute("aria-expanded")]).toEqual([true, "false"]);
    part(".merge").click();
    expect([form.hidden, part(".merge").getAttribute("aria-expanded")]).toEqual([false, "true"]);
    const text = part("textarea") as HTMLTextAreaElement;
    expect(text.value).toBe("Plums\nPears");
    text.value = " Fruit ";
    form.dispatchEvent(new Event("submit"));
    expect(both).toHaveBeenCalledWith("Fruit");
  });

  it("cannot be merged where two texts make no text, or where there is one only", () => {
    expect(panel({ field: "column", mine: "todo", theirs: "done" }).part(".merge").hidden).toBe(
      true,
    );
    const removal = panel({ mine: "Pears", theirs: undefined });
    expect(removal.part(".merge").hidden).toBe(true);
    expect(removal.part(".take").textContent).toBe("Remove the task");
    const own = panel({ mine: undefined, theirs: "Plums" });
    expect(own.part(".merge").hidden).toBe(true);
    expect(own.part(".keep").textContent).toBe("Remove the task");
  });

  it("of two others has what lost and what stands, and nothing of one's own", () => {
    const { part } = panel({ mine: "Pears", theirs: "Plums", stands: "theirs" }, false);
    expect(part(".what").textContent).toContain("two other windows");
    const labels = [".their", ".my", ".take", ".keep"].map((each) => part(each).textContent);
    expect(labels).toEqual(["Saved", "Lost", "Leave it", "Use the lost one"]);
  });
});
