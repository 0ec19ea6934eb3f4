import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ActionsChange, Backend } from "../../../src/backends/backend.ts";
import { type ActionSpec, actionKey, CONCURRENCY, MISSED } from "../../../src/model/action.ts";
import type { Diagnostic } from "../../../src/model/diagnostic.ts";
import type { Plan } from "../../../src/model/plan.ts";
import { isEmpty, summary } from "../../../src/model/summary.ts";
import { apply } from "../../../src/reconciler/apply.ts";
import { diffActions } from "../../../src/reconciler/diff-actions.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import type { Selection } from "../../../src/reconciler/select.ts";
import { planDocument } from "../../../src/views/json.ts";
import { action, desired, running, secret, spec } from "./fixtures.ts";
import { collect, World } from "./world.ts";

const changed = (to: Partial<ActionSpec>, from: Partial<ActionSpec> = {}) => {
  const [change, ...others] = diffActions([action("b", "web", to)], [action("b", "web", from)]);
  expect(others).toEqual([]);
  return change;
};

describe("what is declared of actions and what is known", () => {
  test("differs in what is added, removed, changed, and the same, in the order of their keys", () => {
    const declared = [action("z"), action("b", "web", { umask: 0 }), action("b"), action("same", "api")];
    const known = [action("old", "web"), action("b", "web"), action("same", "api"), action("b", "api")];
    const found = diffActions(declared, known);
    expect(found.map(({ key, change }) => `${key} ${change}`)).toEqual([
      "api:b remove",
      "api:same none",
      "b add",
      "web:b update",
      "web:old remove",
      "z add",
    ]);
    expect(found[0]).toEqual({
      key: "api:b",
      change: "remove",
      fields: [],
      recorded: action("b", "api"),
    });
    expect(found[2]).toEqual({ key: "b", change: "add", fields: [], desired: action("b") });
    expect(found[3]).toMatchObject({ desired: declared[1], recorded: known[1] });
  });

  test("is told field by field: blocks by their inner fields, env by name, lists whole", () => {
    const retries = { max: 3, backoffInitial: 1000, backoffMax: 60_000 };
    const schedule = { cron: "@daily", timeZone: "UTC", missed: "once" } as const;
    const to: Partial<ActionSpec> = {
      args: ["x"],
      env: { A: "2", N: "1" },
      retries,
      schedule,
      timeout: null,
    };
    expect(changed(to, { env: { A: "1", O: "1" } })?.fields).toEqual([
      { field: "args", from: [], to: ["x"] },
      { field: "env.A", from: "1", to: "2" },
      { field: "env.N", to: "1" },
      { field: "env.O", from: "1" },
      { field: "timeout", from: 3_600_000, to: null },
      { field: "retries.max", from: 0, to: 3 },
      { field: "retries.backoffMax", from: 30_000, to: 60_000 },
      { field: "schedule.cron", to: "@daily" },
      { field: "schedule.timeZone", to: "UTC" },
      { field: "schedule.missed", to: "once" },
    ]);
    expect(changed({ command: null, script: "#!/bin/sh" })?.fields).toEqual([
      { field: "command", from: "true", to: null },
      { field: "script", from: null, to: "#!/bin/sh" },
    ]);
  });

  test("knows a secret by its reference and keyed hash; one that was not resolved is what it was", () => {
    const env = (hmac: string, name?: string) => ({ env: { TOKEN: secret(hmac, name) } });
    expect(changed(env("bb"), env("aa"))).toMatchObject({
      change: "update",
      fields: [{ field: "env.TOKEN", from: secret("aa"), to: secret("bb") }],
    });
    expect(changed(env(""), env("aa"))).toMatchObject({ change: "none", desired: env("aa") });
    expect(changed(env("", "OTHER"), env("aa"))).toMatchObject({ change: "update" });
  });
});

const anyAction: fc.Arbitrary<ActionSpec> = fc
  .record({
    name: fc.constantFrom("a", "b", "main", "constructor"),
    server: fc.constantFrom(null, "a", "constructor"),
    script: fc.constantFrom(null, "#!/bin/sh\n"),
    args: fc.array(fc.string(), { maxLength: 2 }),
    env: fc.dictionary(
      fc.constantFrom("A", "B", "constructor", "__proto__"),
      fc.oneof(fc.string(), fc.constantFrom(secret("aa"), secret("bb", "X"))),
    ),
    timeout: fc.option(fc.nat()),
    retries: fc.record({ max: fc.nat(2), backoffInitial: fc.nat(2), backoffMax: fc.nat(2) }),
    schedule: fc.option(
      fc.record({ cron: fc.string(), timeZone: fc.constant("UTC"), missed: fc.constantFrom(...MISSED) }),
    ),
    concurrency: fc.constantFrom(...CONCURRENCY),
    tags: fc.array(fc.string(), { maxLength: 2 }),
  })
  .map(({ name, server, ...over }) => action(name, server, over));
const someActions = fc.uniqueArray(anyAction, { selector: actionKey, maxLength: 4 });

test("property: equal actions do not differ, and different ones do", () => {
  const copyOf = (specs: readonly ActionSpec[]): ActionSpec[] =>
    structuredClone(specs.toReversed()).map((one) => ({
      ...one,
      env: Object.fromEntries(Object.entries(one.env).toReversed()),
    }));
  fc.assert(
    fc.property(someActions, (specs) => {
      const found = diffActions(specs, copyOf(specs));
      expect(found.map(({ change }) => change)).toEqual(specs.map(() => "none"));
      expect(found.flatMap(({ fields }) => fields)).toEqual([]);
    }),
  );
  fc.assert(
    fc.property(someActions, someActions, (one, other) => {
      for (const { change, fields, desired: to, recorded: from } of diffActions(one, other)) {
        if (change === "update") expect(fields).not.toEqual([]);
        if (change === "none") expect(to).toEqual(from);
      }
    }),
    { numRuns: 300 },
  );
});

const declared = {
  ...desired(spec("web"), spec("api")),
  actions: [action("backup"), action("clean"), action("backup", "web"), action("backup", "api")],
};
const problem = (over: Partial<Diagnostic>): Diagnostic => ({
  severity: "error",
  message: "cannot x",
  ...over,
});
const everyProblem = [
  problem({}),
  problem({ server: "web" }),
  problem({ server: "api" }),
  problem({ action: "backup" }),
];

function plan(selection: Selection = {}, recorded: readonly ActionSpec[] = []): Plan {
  const built = buildPlan(declared, [running(spec("web"))], everyProblem, selection, { recorded });
  if (!built.ok) throw new Error(built.problems.map(({ message }) => message).join("\n"));
  return built.value;
}
const keysOf = ({ actions }: Plan) => actions.map(({ key }) => key);

describe("a plan with actions", () => {
  test("names them behind the servers, as no server is named", () => {
    const found = plan({}, [action("backup", "web", { umask: 0 }), action("backup", "api"), action("old")]);
    expect(summary(found)).toMatchObject({
      add: ["api", "action backup", "action clean"],
      change: ["action web:backup"],
      remove: ["action old"],
      matching: ["web"],
    });
    expect(planDocument(found)).toMatchObject({
      summary: { change: ["action web:backup"] },
      actions: [{ key: "api:backup", change: "none" }, {}, {}, {}, { key: "web:backup", change: "update" }],
    });
  });

  test("is empty only when no action differs either", () => {
    const built = (recorded: ActionSpec[]) => {
      const one = { ...desired(), actions: [action("b")] };
      const found = buildPlan(one, [], [], {}, { recorded });
      return found.ok && isEmpty(found.value);
    };
    expect(built([action("b")])).toBe(true);
    expect(built([])).toBe(false);
    expect(built([action("b", null, { umask: 0 })])).toBe(false);
    expect(built([action("b"), action("c")])).toBe(false);
  });

  test.each<[Selection, keys: string[], skipped: string[], told: Partial<Diagnostic>[]]>([
    [{ only: ["web"] }, ["web:backup"], ["api", "backup", "clean"], [{}, { server: "web" }]],
    [{ only: ["backup"] }, ["backup"], ["api", "clean", "web"], [{}, { action: "backup" }]],
    [
      { except: ["backup"] },
      ["api:backup", "clean", "web:backup"],
      ["backup"],
      [{}, { server: "web" }, { server: "api" }],
    ],
    [
      { except: ["web", "clean"] },
      ["api:backup", "backup"],
      ["clean", "web"],
      [{}, { server: "api" }, { action: "backup" }],
    ],
  ])(
    "of %j has actions with their servers, or by name, and their problems",
    (selection, keys, skipped, told) => {
      const found = plan(selection);
      expect(keysOf(found)).toEqual(keys);
      expect(found.skipped).toEqual(skipped);
      expect(found.diagnostics).toEqual(told.map(problem));
    },
  );

  test("can select an action that is known and no longer declared", () => {
    expect(keysOf(plan({ only: ["old"] }, [action("old")]))).toEqual(["old"]);
  });

  test("says of a name that nobody bears that no action has it either, where some stand alone", () => {
    const refusal = (of: typeof declared) => {
      const built = buildPlan(of, [], [], { only: ["zzzzzz"] });
      return built.ok ? [] : built.problems.map(({ message }) => message);
    };
    expect(refusal(declared)).toEqual([
      'cannot select "zzzzzz" with --only: no such server or action; known servers and actions: api, web, backup, clean',
    ]);
    expect(refusal({ ...declared, actions: [action("backup", "web")] })).toEqual([
      'cannot select "zzzzzz" with --only: no such server; known servers: api, web',
    ]);
  });
});

/** A machine that notes which actions it was given, or refuses them. */
class Holder extends World {
  readonly taken: ActionsChange[] = [];
  readonly actions: NonNullable<Backend["actions"]>;

  constructor(refusal?: string) {
    super([running(spec("web")), running(spec("api"))]);
    this.actions = {
      recorded: async () => [],
      take: async (_, change) => {
        if (refusal !== undefined) throw new Error(refusal);
        this.taken.push(change);
      },
    };
  }
}

const schedule = { cron: "@daily", timeZone: "UTC", missed: "once" } as const;
const wanted = [action("backup", "web"), action("clean", null, { schedule }), action("same")];

async function applied(
  holder: Backend,
  recorded: readonly ActionSpec[],
  signal = new AbortController().signal,
) {
  const built = buildPlan({ ...desired(), actions: wanted }, [], [], {}, { recorded });
  if (!built.ok) throw new Error("no plan");
  const actionSecrets = { "web:backup": { A: "1" }, same: { A: "2" } };
  const options = { secrets: {}, actionSecrets, waitMs: 0, signal, concurrency: 2 };
  return collect(apply(built.value, () => holder, options));
}

describe("an apply of actions", () => {
  const recorded = [action("same"), action("clean"), action("old", "api")];

  test("hands over at once what differs, with the secrets of that only", async () => {
    const holder = new Holder();
    const events = await applied(holder, recorded);
    expect(holder.taken).toEqual([
      {
        set: [expect.objectContaining({ name: "clean" }), expect.objectContaining({ name: "backup" })],
        secrets: { "web:backup": { A: "1" } },
        remove: ["api:old"],
      },
    ]);
    expect(events.filter(({ type }) => type === "done")).toEqual([
      { type: "done", server: "action api:old", action: "remove", detail: "" },
      { type: "done", server: "action clean", action: "update", detail: "runs at @daily (UTC)" },
      { type: "done", server: "action web:backup", action: "add", detail: "ready to run" },
    ]);
  });

  test("fails for all of them, or begins nothing once it is interrupted", async () => {
    const failed = await applied(new Holder("cannot write"), recorded);
    expect(failed.filter(({ type }) => type === "failed")).toHaveLength(3);
    const holder = new Holder();
    const skipped = await applied(holder, recorded, AbortSignal.abort());
    expect(skipped.map(({ type }) => type)).toEqual(["skipped", "skipped", "skipped"]);
    expect(holder.taken).toEqual([]);
  });

  test("does nothing where they match", async () => {
    const holder = new Holder();
    expect([await applied(holder, wanted), holder.taken]).toEqual([[], []]);
  });
});
