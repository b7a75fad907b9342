import fc from "fast-check";
import { expect, it } from "vitest";

import { bothTexts } from "../../demo/merging.ts";

it("puts two texts into one, theirs first", () => {
  expect(bothTexts("Pears", "Plums", false)).toBe("Plums / Pears");
  expect(bothTexts("Pears", "Plums", true)).toBe("Plums\nPears");
});

it("takes the longer one if it says both", () => {
  expect(bothTexts("Pears and Plums", "Plums", false)).toBe("Pears and Plums");
  expect(bothTexts("", "Plums", true)).toBe("Plums");
});

it("loses neither text", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.boolean(), (mine, theirs, lines) => {
      const both = bothTexts(mine, theirs, lines);
      expect(both).toContain(mine);
      expect(both).toContain(theirs);
    }),
  );
});
