import { join } from "node:path";
import { expect, it } from "vitest";
import { bundleEntries } from "../../../scripts/entries.ts";
import { GROUPS } from "../../../src/commands/help.ts";

it("every command and topic is in one group", () => {
  const entries = Object.keys(bundleEntries(join(import.meta.dirname, "../../..")));
  const names = entries.flatMap((entry) => /^commands\/([^/]+)/.exec(entry)?.[1] ?? []);
  expect(Object.values(GROUPS).flat().sort()).toEqual([...new Set(names)].sort());
});
