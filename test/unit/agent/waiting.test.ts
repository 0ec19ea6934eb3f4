import fc from "fast-check";
import { expect, test } from "vitest";
import { dependenciesFirst, dependentsFirst } from "../../../src/agent/servers/ordering.ts";
import type { Supervised } from "../../../src/agent/servers/supervised.ts";
import { Waiting } from "../../../src/agent/servers/waiting.ts";
import { initialState, type Phase, type ServerState } from "../../../src/supervisor/state.ts";
import { serverSpec } from "../../rig/spec.ts";

/** A server without a process: what becomes of it is said by the test. */
class Dummy {
  readonly spec: Supervised["spec"];
  readonly #world: World;
  state: ServerState = initialState(0);
  operator = null;
  shouldRun = true;
  resumes = false;

  constructor(name: string, needs: readonly string[], world: World) {
    const dependsOn = needs.map((server) => ({ server, condition: "ready" as const }));
    this.spec = serverSpec(name, "/bin/true", [], { dependsOn });
    this.#world = world;
  }

  owe(): void {
    this.resumes = true;
  }

  readonly changes = { changed: () => {} };

  dispatch({ type }: { type: "start" | "stop" }): void {
    if (type === "start" && this.state.phase.tag === "stopped") {
      this.resumes = false;
      this.#world.started.push(this.spec.name);
      this.becomes({ tag: "starting" });
    } else this.#world.waiting.changed(this as unknown as Supervised);
  }

  ready(): void {
    const verdict = { status: "ok", evidence: "", at: 0 } as const;
    const track = { verdict, streak: 1, sent: 1, settled: true };
    const process = { pid: 1, start: "1", boot: "b" };
    this.becomes({ tag: "running", process, startedAt: 0, ready: track, healthy: track });
  }

  becomes(phase: Phase): void {
    this.state = { ...this.state, phase };
    this.#world.waiting.changed(this as unknown as Supervised);
  }
}

class World {
  readonly started: string[] = [];
  readonly servers = new Map<string, Dummy>();
  readonly waiting = new Waiting((name) => this.servers.get(name) as unknown as Supervised | undefined);

  constructor(needs: ReadonlyMap<string, readonly string[]>) {
    for (const [name, others] of needs) this.servers.set(name, new Dummy(name, others, this));
  }

  begin(name: string): void {
    this.waiting.begin(this.servers.get(name) as unknown as Supervised);
  }

  get starting(): Dummy[] {
    return [...this.servers.values()].filter(({ state }) => state.phase.tag === "starting");
  }
}

/** Each server may need those before it. */
const anyDag = fc
  .array(fc.array(fc.nat(11), { maxLength: 4 }), { minLength: 1, maxLength: 12 })
  .map(
    (rows) =>
      new Map(rows.map((row, i) => [`s${i}`, [...new Set(row.filter((n) => n < i))].map((n) => `s${n}`)])),
  );

/** Picks one of several, as the test case says. */
const anyPicks = fc.infiniteStream(fc.nat(1000));

test("property: whatever the order of words and events, each starts once, when all that it needs is ready", () => {
  fc.assert(
    fc.property(anyDag, anyPicks, (dag, picks) => {
      const world = new World(dag);
      const pick = <T>(all: readonly T[]) => all[picks.next().value % all.length] as T;
      const left = new Set(dag.keys());
      const readied = new Set<string>();
      while (left.size > 0 || world.starting.length > 0) {
        const moves = [...left, ...world.starting];
        const move = pick(moves);
        if (typeof move === "string") {
          left.delete(move);
          world.begin(move);
        } else {
          readied.add(move.spec.name);
          move.ready();
        }
        for (const name of world.started) {
          for (const needed of dag.get(name) ?? []) expect(readied.has(needed)).toBe(true);
        }
      }
      expect([...world.started].sort()).toEqual([...dag.keys()].sort());
    }),
  );
});

test("whoever waits for one that rests has no hope, and has again once that waits or starts", () => {
  const world = new World(
    new Map([
      ["db", []],
      ["api", ["db"]],
      ["web", ["api"]],
    ]),
  );
  const web = world.servers.get("web") as unknown as Supervised;
  world.begin("web");
  expect(world.waiting.of(web)).toMatchObject([{ server: "api", state: "stopped", resting: true }]);
  expect(world.waiting.isHopeful(web)).toBe(false);
  world.begin("api");
  expect(world.waiting.of(web)).toMatchObject([{ server: "api", state: "waiting for db", resting: false }]);
  expect(world.waiting.isHopeful(web)).toBe(false);
  world.begin("db");
  expect(world.waiting.isHopeful(web)).toBe(true);
  expect(world.started).toEqual(["db"]);
});

test("a circle, and one that this agent does not know, are no trap", () => {
  const world = new World(
    new Map([
      ["a", ["b"]],
      ["b", ["a"]],
      ["c", ["elsewhere"]],
    ]),
  );
  for (const name of ["a", "b", "c"]) world.begin(name);
  expect(world.started).toEqual(["c"]);
  expect(world.waiting.isHopeful(world.servers.get("a") as unknown as Supervised)).toBe(true);
});

test("nothing starts once it is closed", () => {
  const world = new World(
    new Map([
      ["db", []],
      ["web", ["db"]],
    ]),
  );
  world.begin("db");
  world.begin("web");
  world.waiting.close();
  world.servers.get("db")?.ready();
  expect(world.started).toEqual(["db"]);
});

test("property: in order, and in reverse, also when an act fails", async () => {
  await fc.assert(
    fc.asyncProperty(anyDag, fc.func(fc.boolean()), async (dag, fails) => {
      const servers = [...new World(dag).servers.values()].reverse();
      const order = dependenciesFirst(servers).map(({ spec }) => spec.name);
      const over: string[] = [];
      const acts = dependentsFirst(servers, async ({ spec }) => {
        await Promise.resolve();
        over.push(spec.name);
        if (fails(spec.name)) throw new Error("no");
      });
      await Promise.allSettled(acts.values());
      expect(over).toHaveLength(dag.size);
      for (const [name, needs] of dag) {
        for (const needed of needs) {
          expect(order.indexOf(needed)).toBeLessThan(order.indexOf(name));
          expect(over.indexOf(needed)).toBeGreaterThan(over.indexOf(name));
        }
      }
    }),
  );
});
