import fc from "fast-check";
import { expect, test } from "vitest";
import { startHash } from "../../../src/model/canonical.ts";
import type { ApplyEvent } from "../../../src/model/event.ts";
import type { Observed } from "../../../src/model/observed.ts";
import type { ServerSpec } from "../../../src/model/spec.ts";
import { RESTART_POLICIES, WANTED } from "../../../src/model/spec-parts.ts";
import { STATES } from "../../../src/model/states.ts";
import { isEmpty } from "../../../src/model/summary.ts";
import { mayRun } from "../../../src/model/wanted.ts";
import { apply } from "../../../src/reconciler/apply.ts";
import { diff } from "../../../src/reconciler/diff.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import { desired, NOW, running, spec } from "./fixtures.ts";
import { collect, World } from "./world.ts";

const WAIT = { server: "db", condition: "ready", state: "held", resting: true } as const;

const NAMES = ["a", "b", "c", "constructor"];

const anySpec = (name: string): fc.Arbitrary<ServerSpec> =>
  fc
    .record({
      args: fc.constantFrom<string[]>([], ["x"], ["x", "y"]),
      logs: fc.constantFrom({ maxSize: 1024, keep: 5 }, { maxSize: 1024, keep: 6 }),
      env: fc.constantFrom<ServerSpec["env"]>(
        {},
        { A: "1" },
        { A: { secret: { env: "A" }, hmac: "aa" } },
        { A: { secret: { file: "/a" }, hmac: "aa" } },
        { A: { secret: { env: "A" }, hmac: "" } },
      ),
      wanted: fc.constantFrom(...WANTED),
      policy: fc.constantFrom(...RESTART_POLICIES),
      needs: fc.subarray(NAMES.slice(0, NAMES.indexOf(name))),
    })
    .map(({ policy, needs, ...fields }) => {
      const base = spec(name, fields);
      const dependsOn = needs.map((server) => ({ server, condition: "ready" as const }));
      return { ...base, dependsOn, restart: { ...base.restart, policy } };
    });

const anyObserved = (name: string): fc.Arbitrary<Observed> =>
  fc
    .record({
      applied: anySpec(name),
      started: anySpec(name),
      readable: fc.boolean(),
      state: fc.constantFrom(...STATES),
      operator: fc.constantFrom("start" as const, "stop" as const, null),
      drift: fc.constantFrom(undefined, "edited"),
      exit: fc.constantFrom(undefined, 0, 7),
      requested: fc.boolean(),
      waits: fc.boolean(),
    })
    .map(({ applied, started, readable, state, operator, drift, exit, requested, waits }) => {
      const { spec: _, ...base } = running(applied, { state, operator, runningHash: startHash(started) });
      return {
        ...base,
        ...(readable && { spec: applied }),
        ...(drift !== undefined && { drift }),
        ...(waits && state === "stopped" && mayRun(applied, { operator }) && { waitsFor: [WAIT] }),
        ...(exit !== undefined && {
          lastExit: { exit: { kind: "code" as const, code: exit }, at: NOW, requested },
        }),
      };
    });

const some = <T>(make: (name: string) => fc.Arbitrary<T>) =>
  fc.subarray(NAMES).chain((names) => fc.tuple(...names.map(make)).map((values): T[] => values));

async function applied(servers: readonly ServerSpec[], world: World, concurrency = 2): Promise<ApplyEvent[]> {
  const plan = buildPlan(desired(...servers), await world.observe());
  if (!plan.ok) throw new Error("no plan");
  const options = { secrets: {}, waitMs: 0, signal: new AbortController().signal, concurrency };
  return collect(apply(plan.value, () => world, options));
}

test("property: after an apply there is nothing left to change", async () => {
  await fc.assert(
    fc.asyncProperty(some(anySpec), some(anyObserved), async (servers, observed) => {
      const world = new World(observed);
      await applied(servers, world);
      expect(
        diff(desired(...servers), await world.observe()).filter(({ action }) => action !== "none"),
      ).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("property: equal things do not differ", () => {
  fc.assert(
    fc.property(some(anySpec), (servers) => {
      const wanted = servers.map((server) => ({ ...server, wanted: "start" as const }));
      const changes = diff(
        desired(...wanted),
        wanted.map((server) => running(server)),
      );
      expect(isEmpty({ changes, actions: [] })).toBe(true);
      expect(changes.flatMap(({ fields }) => fields)).toEqual([]);
    }),
  );
});

test("property: an ignored server is left alone, a held one is never started", () => {
  fc.assert(
    fc.property(some(anySpec), some(anyObserved), (servers, observed) => {
      for (const change of diff(desired(...servers), observed)) {
        if (change.desired?.wanted === "ignore") expect(change.action).toBe("none");
        if (change.held) expect(["start", "restart"]).not.toContain(change.action);
        if (change.action !== "none") expect(change.reasons).not.toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});

test("property: each change begins once and ends once, and no dependent begins before its dependency has ended", async () => {
  await fc.assert(
    fc.asyncProperty(
      some(anySpec),
      some(anyObserved),
      fc.integer({ min: 1, max: 4 }),
      async (servers, observed, limit) => {
        const world = new World(observed);
        const plan = diff(desired(...servers), observed).filter(({ action }) => action !== "none");
        const events = await applied(servers, world, limit);
        expect(events.map(({ type, server }) => `${type} ${server}`).sort()).toEqual(
          plan.flatMap(({ server }) => [`done ${server}`, `started ${server}`]).sort(),
        );
        const at = (type: string, name: string) =>
          events.findIndex((e) => e.type === type && e.server === name);
        const begins = plan.filter(({ action }) => action !== "remove" && action !== "stop");
        for (const { server, desired: declared } of begins) {
          for (const { server: needed } of declared?.dependsOn ?? []) {
            if (at("done", needed) >= 0) expect(at("done", needed)).toBeLessThan(at("started", server));
          }
        }
      },
    ),
  );
});
