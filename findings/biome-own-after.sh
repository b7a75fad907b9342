#!/usr/bin/env bash
# Biome 2.6.8: `noDuplicateTestHooks` (recommended) takes each call of a function named `after`,
# `before` … inside `describe` for a test hook, also of a function that the file declares itself
# and calls within one test. Renamed, the same file is clean.
# Seen: "after" is reported as a duplicate hook, "later" is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit @biomejs/biome@2.6.8
for name in after later; do
  cat > "$name.test.js" <<EOF
import { describe, expect, it } from "vitest";

const $name = (steps) => steps + 1;

describe("a counter", () => {
  it("counts", () => {
    expect($name(1)).toBe(2);
    expect($name(2)).toBe(3);
  });
});
EOF
done
seen() {
  npx biome lint --only=suspicious/noDuplicateTestHooks --reporter=summary "$1.test.js" 2>&1 |
    grep -c "noDuplicateTestHooks" || true
}
own=$(seen after)
other=$(seen later)
echo "named after: $own reports, named later: $other"
[ "$own" -gt 0 ] && [ "$other" -eq 0 ]
