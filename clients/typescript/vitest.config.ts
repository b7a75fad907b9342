import { defineConfig } from "vitest/config";

export default defineConfig({
  // As the compiler and the bundler have it, from tsconfig.json: what generated code imports.
  resolve: { alias: { "@rhtmx/client/schema": `${import.meta.dirname}/src/schema.ts` } },
  test: {
    include: ["tests/**/*.test.ts"],
    dangerouslyIgnoreUnhandledErrors: false,
    // A busy machine is no failure: a test that waits in vain takes this long to say so.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
