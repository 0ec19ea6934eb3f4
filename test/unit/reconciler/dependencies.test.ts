import { describe, expect, test } from "vitest";
import type { Condition } from "../../../src/model/dependency.ts";
import type { Observed } from "../../../src/model/observed.ts";
import type { Change } from "../../../src/model/plan.ts";
import type { ServerSpec } from "../../../src/model/spec.ts";
import { awaitedCondition, restingDependency } from "../../../src/reconciler/dependencies.ts";
import { diff } from "../../../src/reconciler/diff.ts";
import { desired, exited, resting, running, spec } from "./fixtures.ts";

const needing = (name: string, condition: Condition, over: Partial<ServerSpec> = {}) =>
  spec(name, { dependsOn: [{ server: "db", condition }], ...over });

function changes(servers: readonly ServerSpec[], observed: readonly Observed[] = []): readonly Change[] {
  return diff(desired(...servers), observed);
}

/** How `web` runs before a change of its arguments: it is about to be restarted. */
const outdated = (condition: Condition) => running(needing("web", condition, { args: ["old.js"] }));

/** What keeps `web` from being restarted. */
function obstacle(all: readonly Change[]): string | undefined {
  const web = all.find(({ server }) => server === "web");
  return web && restingDependency(web, all);
}

describe("what is waited for", () => {
  test.each<[Condition[], Condition]>([
    [[], "ready"],
    [["started"], "started"],
    [["ready"], "ready"],
    [["completed"], "completed"],
    [["started", "ready"], "ready"],
    [["started", "completed"], "completed"],
    [["completed", "ready", "started"], "completed"],
  ])("dependents that ask for %j: %s", (conditions, awaited) => {
    const dependents = conditions.map((condition, i) => needing(`s${i}`, condition));
    expect(awaitedCondition("db", changes([spec("db"), ...dependents]))).toBe(awaited);
  });

  test("a dependent that does not begin does not shorten the wait, but may lengthen it", () => {
    const [started, completed] = [needing("web", "started"), needing("web", "completed")];
    expect(awaitedCondition("db", changes([spec("db"), started], [running(started)]))).toBe("ready");
    expect(awaitedCondition("db", changes([spec("db"), completed], [running(completed)]))).toBe("completed");
  });
});

describe("a dependency that the plan does not start", () => {
  const db = spec("db");
  const untried = { status: "unknown", evidence: "not checked yet", at: 0 } as const;
  const held = resting(db, { operator: "stop" });
  const never = spec("db", { restart: { ...db.restart, policy: "never" } });
  const why = (condition: Condition, observed: Observed, declared = db) =>
    obstacle(changes([declared, needing("web", condition)], [observed, outdated(condition)]));

  test.each<[string, Condition, Observed]>([
    ["running, and ready", "ready", running(db)],
    ["running, and not ready yet", "ready", running(db, { ready: untried })],
    ["running", "started", running(db, { ready: untried })],
    ["on its way", "started", running(db, { state: "starting" })],
    ["waiting for its next start", "ready", resting(db, { state: "restarting" })],
    ["still at work", "completed", running(db)],
    ["ended with success", "completed", resting(db, { lastExit: exited(0) })],
    ["ended with success, held since", "completed", resting(db, { lastExit: exited(0), operator: "stop" })],
    ["ended with success, as at its first apply", "ready", resting(db, { lastExit: exited(0) })],
  ])("%s: its dependent that asks for %s begins", (_, condition, observed) => {
    expect(why(condition, observed)).toBeUndefined();
  });

  test.each<[string, Condition, Observed, string]>([
    ["held", "ready", held, "db is held, and web needs it ready"],
    ["held", "started", held, "db is held, and web needs it running"],
    ["held", "completed", held, "db is held, and web needs it completed"],
    [
      "asked to end while it worked",
      "completed",
      resting(db, { operator: "stop", lastExit: exited(0, true) }),
      "db is held, and web needs it completed",
    ],
    [
      "failed and held",
      "ready",
      resting(db, { operator: "stop", state: "failed", reason: "exit 7" }),
      "db is held, and web needs it ready",
    ],
  ])("%s: its dependent that asks for %s is told why not", (_, condition, observed, message) => {
    expect(why(condition, observed)).toBe(`${message}: run \`xy start db\`, then apply again`);
  });

  test("one that waits itself", () => {
    const seed = { server: "seed", condition: "completed", state: "failed: exit 7", resting: true } as const;
    expect(why("ready", resting(db, { waitsFor: [seed] }))).toBe(
      "db waits for seed, and web needs it ready: run `xy start db`, then apply again",
    );
  });

  test("whoever does not run waits by itself", () => {
    expect(obstacle(changes([db, needing("web", "ready")], [held]))).toBeUndefined();
  });

  test("one that ended as its policy accepts, but not well", () => {
    const ended = resting(never, { lastExit: exited(7), reason: "ended: exit 7" });
    expect(why("completed", ended, never)).toBe(
      "db is stopped (ended: exit 7), and web needs it completed: run `xy start db`, then apply again",
    );
  });

  test("one that is changed or recorded, and stays or comes to rest", () => {
    const args = spec("db", { args: ["other.js"] });
    expect(why("ready", held, args)).toContain("db is held");
    const unwanted = spec("db", { wanted: "stop" });
    expect(why("ready", running(db), unwanted)).toContain("db is wanted stopped");
    expect(obstacle(changes([unwanted, needing("web", "ready")], [outdated("ready")]))).toContain(
      "db is wanted stopped",
    );
  });

  test("one that is ignored and was never applied is not known", () => {
    const ignored = spec("db", { wanted: "ignore" });
    expect(obstacle(changes([ignored, needing("web", "ready")], [outdated("ready")]))).toBeUndefined();
  });

  test("one that is left out of the plan is not known", () => {
    expect(obstacle(changes([needing("web", "ready")], [outdated("ready")]))).toBeUndefined();
  });

  test("whoever does not begin needs nothing", () => {
    const tagged = needing("web", "ready", { tags: ["old"] });
    const all = changes([db, needing("web", "ready")], [held, running(tagged)]);
    expect(all[1]?.action).toBe("update");
    expect(obstacle(all)).toBeUndefined();
  });
});
