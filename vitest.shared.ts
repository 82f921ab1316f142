// Shared test settings: tests read the TypeScript sources of every workspace package directly
// (export condition "@kingly/source"), so no build is needed before them.
import { defineConfig } from "vitest/config";

const conditions = ["@kingly/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions: [...conditions, "node", "import", "default"] } },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "threads",
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
