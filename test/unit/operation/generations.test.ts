import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Plan } from "../../../src/model/plan.ts";
import {
  beginGeneration,
  type Entry,
  endGeneration,
  type Generation,
  history,
  latestGeneration,
  previousGeneration,
} from "../../../src/operation/generations.ts";

let state: string;
beforeEach(() => {
  state = fs.mkdtempSync(join(tmpdir(), "generations-"));
});
afterEach(() => fs.rmSync(state, { recursive: true }));

const plan: Plan = {
  version: 1,
  project: "p",
  root: "/r",
  changes: [],
  actions: [],
  diagnostics: [],
  skipped: [],
};
const desired = { project: "p", root: "/r", servers: [], actions: [] };
const begin = (now: number, rollbackOf?: number) =>
  beginGeneration(state, { plan, desired, files: [], rollbackOf, now });

test("generations are numbered on, and the newest fifty are kept", () => {
  for (let i = 1; i <= 55; i++) endGeneration(state, "p", begin(i), true);
  expect(history(state, "p").map(({ number }) => number)).toEqual(
    Array.from({ length: 50 }, (_, i) => i + 6),
  );
  expect(latestGeneration(state, "p")).toMatchObject({ number: 55, at: 55, outcome: "complete" });
});

test("an apply that never came to its end shows as begun", () => {
  begin(1);
  expect(latestGeneration(state, "p")).toMatchObject({ outcome: "begun" });
});

test("what is no generation is not taken for one", () => {
  endGeneration(state, "p", begin(1), true);
  for (const name of ["2.json.0a1b2c.tmp", ".DS_Store", "0.json"]) {
    fs.writeFileSync(join(state, "projects/p/generations", name), "");
  }
  expect(history(state, "p").map(({ number }) => number)).toEqual([1]);
});

test("a torn generation is there, and has no content", () => {
  endGeneration(state, "p", begin(1), true);
  fs.writeFileSync(join(state, "projects/p/generations/1.json"), '{"version":1');
  expect(history(state, "p")).toEqual([{ number: 1 }]);
});

test("a generation from before there were actions has none", () => {
  endGeneration(state, "p", begin(1), true);
  const file = join(state, "projects/p/generations/1.json");
  const { actions, ...before } = JSON.parse(fs.readFileSync(file, "utf8"));
  expect(actions).toEqual([]);
  fs.writeFileSync(file, JSON.stringify(before));
  const generation = latestGeneration(state, "p");
  expect(generation).toMatchObject({ number: 1, outcome: "complete" });
  expect(generation).not.toHaveProperty("actions");
});

describe("a rollback without a number goes", () => {
  const entry = (number: number, rollbackOf?: number): Entry => ({
    number,
    generation: {
      number,
      outcome: "complete",
      ...(rollbackOf === undefined ? {} : { rollbackOf }),
    } as Generation,
  });
  test.each<[string, Entry[], number | undefined]>([
    ["nowhere without history", [], undefined],
    ["nowhere from the first", [entry(1)], undefined],
    ["to the one before", [entry(1), entry(2)], 1],
    ["never to one that failed", [entry(1), { number: 2 }, entry(3)], 1],
    ["on to the one before that", [entry(1), entry(2), entry(3), entry(4, 2)], 1],
    ["never to a rollback", [entry(1), entry(2), entry(3, 1), entry(4)], 2],
    ["past what it went back to already", [entry(1), entry(2, 1)], undefined],
  ])("%s", (_, entries, expected) => {
    expect(previousGeneration(entries)).toBe(expected);
  });
});

test("what --only leaves out keeps the entries that clients had of it, in files of clients that are not declared now, too", () => {
  const entry = (server: string, port: number) => ({
    server,
    name: server,
    url: `http://127.0.0.1:${port}/mcp`,
  });
  const client = (name: "cursor" | "zed", ...entries: ReturnType<typeof entry>[]) =>
    ({ client: name, scope: "user", entries }) as const;
  const after = (skipped: string[], clients: ReturnType<typeof client>[]) => {
    const begun = { plan: { ...plan, skipped }, desired: { ...desired, clients }, files: [], now: 1 };
    return beginGeneration(state, begun).clients;
  };
  expect(after([], [])).toBeUndefined();
  after([], [client("cursor", entry("a", 1), entry("b", 1)), client("zed", entry("a", 1))]);
  expect(after(["a"], [client("cursor", entry("a", 2), entry("b", 2))])).toEqual([
    client("cursor", entry("b", 2), entry("a", 1)),
    client("zed", entry("a", 1)),
  ]);
  expect(after([], [client("cursor", entry("b", 2))])).toEqual([client("cursor", entry("b", 2))]);
});
