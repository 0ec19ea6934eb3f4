import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/backends/backend.ts";
import type { ActionSpec } from "../../../src/model/action.ts";
import type { Diagnostic } from "../../../src/model/diagnostic.ts";
import { BackendUnreachable } from "../../../src/model/unreachable.ts";
import { beginGeneration, type Generation } from "../../../src/operation/generations.ts";
import { makePlan } from "../../../src/operation/planning.ts";
import type { Selection } from "../../../src/reconciler/select.ts";
import { planView } from "../../../src/views/plan.ts";
import { action, desired, NOW, resting, spec } from "../reconciler/fixtures.ts";
import { World } from "../reconciler/world.ts";

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "planning-"));
});
afterEach(() => rmSync(state, { recursive: true }));

/** A supervisord without servers, and one that does not answer. */
const empty = Object.assign(new World(), { kind: "supervisord" }) as unknown as Backend;
const gone = Object.assign(new World(), {
  kind: "supervisord",
  observe: async () => {
    throw new BackendUnreachable("cannot reach supervisord: it is gone");
  },
}) as unknown as Backend;

/** An agent that knows these actions; undefined: it does not answer. */
function agent(known: readonly ActionSpec[] | undefined): Backend {
  const recorded = async () => {
    if (known === undefined) throw new BackendUnreachable("cannot reach the agent: it is silent");
    return known;
  };
  return Object.assign(new World([resting(spec("api", { wanted: "stop" }))]), {
    actions: { recorded, take: async () => {} },
  });
}

const declared = {
  ...desired(spec("api", { wanted: "stop" }), spec("web", { backend: "supervisord" })),
  actions: [action("alone", null, { umask: 0 }), action("b", "api"), action("b", "web", { umask: 0 })],
};
const known = [action("alone"), action("old", "web")];
const diagnostics: Diagnostic[] = [{ severity: "error", server: "web", message: "action web:b: cannot x" }];

async function plan(backends: readonly Backend[], selection: Selection = {}) {
  const evaluated = { desired: declared, diagnostics, warnings: [] };
  const made = await makePlan(evaluated, { backends, selection, state, recorded: () => [] });
  if (!made.ok) throw new Error(made.problems.map(({ message }) => message).join("; "));
  return made.value;
}

describe("when a backend does not answer", () => {
  test("the actions of its servers are left as they are, with what is wrong about them", async () => {
    const found = await plan([agent(known), gone]);
    expect(found.actions.map(({ key, change }) => `${key} ${change}`)).toEqual(["alone update", "api:b add"]);
    expect(found.diagnostics).toEqual([]);
    expect(found.unreachable).toMatchObject([{ backend: "supervisord", servers: ["web"] }]);
  });

  test("nothing is said of any action without the agent", async () => {
    const found = await plan([agent(undefined)]);
    expect(found.actions).toEqual([]);
    expect(found.unreachable).toMatchObject([{ backend: "agent", servers: ["api"] }]);
  });

  test("what is left matches, or there is nothing left to be planned", async () => {
    const same = await plan([agent([action("alone", null, { umask: 0 })]), gone], { only: ["alone"] });
    const shown = planView(same, { colour: false, now: NOW });
    expect(shown).toContain("\nNo changes. 1 action matches the configuration.\n");
    const none = await plan([agent(undefined), gone]);
    expect(planView(none, { colour: false, now: NOW })).toContain("\nNothing can be planned.\n");
  });

  test("a generation has the actions that are left as they were", async () => {
    const actionsOf = ({ actions = [] }: Generation) =>
      actions.map(({ server, name, umask }) => `${server}:${name} ${umask.toString(8)}`).sort();
    const begun = async (backends: readonly Backend[], of = declared, selection: Selection = {}) =>
      beginGeneration(state, {
        plan: await plan(backends, selection),
        desired: of,
        files: [],
        now: NOW,
      });
    const before = { ...declared, actions: [action("alone"), action("b", "web"), action("old", "web")] };
    await begun([agent(known), empty], before);
    expect(actionsOf(await begun([agent(known), gone]))).toEqual([
      "api:b 22",
      "null:alone 0",
      "web:b 22",
      "web:old 22",
    ]);
    expect(actionsOf(await begun([agent(known), empty], declared, { except: ["alone"] }))).toEqual([
      "api:b 22",
      "null:alone 0",
      "web:b 0",
    ]);
    await begun([agent(known), empty], before);
    expect(actionsOf(await begun([agent(undefined), empty]))).toEqual([
      "null:alone 22",
      "web:b 22",
      "web:old 22",
    ]);
  });
});
