import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../../src/model/diagnostic.ts";
import { nearest } from "../../../src/model/nearest.ts";
import { isEmpty, summary } from "../../../src/model/summary.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import { desired, resting, running, spec } from "./fixtures.ts";

const declared = desired(
  spec("web"),
  spec("api", { args: [] }),
  spec("db"),
  spec("own", { wanted: "ignore" }),
);
const observed = [
  running(spec("api")),
  resting(spec("db"), { operator: "stop", drift: "edited" }),
  running(spec("old")),
];
const problem = (server?: string): Diagnostic => ({
  severity: "error",
  message: "cannot x",
  ...(server && { server }),
});

function plan(...args: Parameters<typeof buildPlan>) {
  const result = buildPlan(...args);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return result.value;
}

describe("a plan", () => {
  test("names what it does", () => {
    expect(summary(plan(declared, observed))).toEqual({
      add: ["web"],
      change: ["api", "db"],
      remove: ["old"],
      matching: [],
      ignored: ["own"],
      held: ["db"],
      waiting: [],
      drifted: ["db"],
    });
  });

  test("is empty when everything matches", () => {
    const web = spec("web");
    expect(isEmpty(plan(desired(web), [running(web)]))).toBe(true);
    expect(isEmpty(plan(desired(web), []))).toBe(false);
  });

  test("of some servers leaves the others out, with their problems", () => {
    const some = plan(declared, observed, [problem("old"), problem("web"), problem()], {
      except: ["old", "db"],
    });
    expect(some.changes.map(({ server }) => server)).toEqual(["api", "own", "web"]);
    expect(some.skipped).toEqual(["db", "old"]);
    expect(some.diagnostics).toEqual([problem("web"), problem()]);
    expect(plan(declared, observed, [], { only: ["web", "api"], except: ["api"] }).changes).toHaveLength(1);
  });

  test("of a server that nobody bears is refused, with the name that may be meant", () => {
    const result = buildPlan(declared, observed, [], { only: ["wbe"], except: ["nothing-alike"] });
    expect(result).toEqual({
      ok: false,
      problems: [
        {
          severity: "error",
          message: 'cannot select "wbe" with --only: no such server; did you mean "web"?',
        },
        {
          severity: "error",
          message:
            'cannot select "nothing-alike" with --except: no such server; known servers: api, db, old, own, web',
        },
      ],
    });
  });
});

test("nearest: a slip is recognised, another word is not", () => {
  expect(nearest("notse", ["web", "notes", "notebook"])).toBe("notes");
  expect(nearest("a", ["b"])).toBe("b");
  expect(nearest("database", ["web", "api"])).toBeUndefined();
  expect(nearest("web", [])).toBeUndefined();
});
