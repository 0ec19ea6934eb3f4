import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Exit } from "../../../src/model/observed.ts";
import type { SupervisedSpec } from "../../../src/supervisor/machine.ts";
import { LOG, MCP, NONE, specWith, tcp } from "./fixture.ts";
import { Inspector } from "./invariants.ts";
import { type Nature, World } from "./world.ts";

/** A failure prints its seed and path; `FC_SEED=… npx vitest run` plays the same sequences again. */
const SEED = process.env.FC_SEED === undefined ? Date.now() & 0x7fffffff : Number(process.env.FC_SEED);
const RUNS = 20_000;

const EXITS: readonly Exit[] = [
  { kind: "code", code: 0 },
  { kind: "code", code: 7 },
  { kind: "signal", signal: "SIGSEGV" },
  { kind: "code", code: 3 },
];
const SPANS = [1, 5, 20, 100, 400, 1000, 2500, 5000, 10_000, 31_000, 61_000];

const nature: fc.Arbitrary<Nature> = fc.record({
  spawnDelay: fc.constantFrom(0, 0, 1, 1, 5, 5, 3000, 20_000),
  spawnFails: rarely(),
  lacks: fc.boolean(),
  deafAtBirth: fc.boolean(),
  lives: fc.constantFrom(undefined, undefined, 0, 0, 30, 3000, 12_000),
  endsWith: fc.constantFrom(...EXITS),
  ignoresSignals: rarely(),
  polite: fc.boolean(),
  dying: fc.constantFrom(0, 5, 1200, 9000),
  killed: fc.constantFrom(0, 1, 1, 7000, undefined),
  forks: rarely(),
  childIgnoresSignals: fc.boolean(),
  told: fc.constantFrom("exact", "exact", "exact", "unknown", "silent"),
  answers: fc.boolean(),
});

const spec: fc.Arbitrary<SupervisedSpec> = fc
  .record({
    policy: fc.constantFrom("on-failure", "on-failure", "always", "never"),
    backoffInitial: fc.constantFrom(10, 1000, 1500),
    backoffMax: fc.constantFrom(2000, 30_000),
    maxRetriesPerMinute: fc.constantFrom(0, 1, 3, 5, 5),
    resetAfter: fc.constantFrom(1000, 10_000),
    successExitCodes: fc.subarray([0, 3]),
    grace: fc.constantFrom(0, 1000, 10_000),
    port: fc.constantFrom(undefined, 8421),
    startTimeout: fc.constantFrom(undefined, 2500, 20_000),
  })
  .map(({ grace, port, startTimeout, ...restart }) =>
    specWith({
      restart,
      stop: { grace },
      ...(port === undefined ? {} : { port }),
      ...(startTimeout === undefined ? {} : { startTimeout }),
    }),
  );

const READINESS = [NONE, tcp(), LOG, MCP, tcp({ failureThreshold: 1 })];
const LIVENESS = [NONE, tcp({ startPeriod: 2000 }), tcp(), tcp({ failureThreshold: 1, interval: 700 }, 9000)];

/** One thing that happens, with a number for whatever it needs. */
const OPS = {
  start: (world) => world.feed({ type: "start" }),
  stop: (world) => world.feed({ type: "stop" }),
  restart: (world) => world.feed({ type: "restart" }),
  kill: (world) => world.feed({ type: "kill" }),
  pause: (world, n) => {
    const until = n % 3 === 0 ? null : world.now + (SPANS[n % SPANS.length] ?? 0);
    world.feed({ type: "pause", until });
  },
  resume: (world) => world.feed({ type: "resume" }),
  startWithAgent: (world) => world.feed({ type: "start-with-agent" }),
  configure: (world, n) => {
    world.spec = { ...world.spec, ...probes(n) };
    world.feed({ type: "configured" });
  },
  exit: (world, n) => world.exit(EXITS[n % EXITS.length] ?? { kind: "unknown" }),
  childEnds: (world) => world.childEnds(),
  deliver: (world, n) => world.deliver(n),
  ripen: (world) => world.ripen(),
  answerWell: (world, n) => world.answer(n, true),
  answerBadly: (world, n) => world.answer(n, false),
  /** An event of before is told once more; of this incarnation only a timer can be. */
  echo: (world, n) => {
    const inc = world.agent?.state.inc ?? 0;
    const late = world.past.filter((event) => "inc" in event && event.inc < inc);
    const event = late[n % Math.max(1, late.length)];
    if (event !== undefined) world.feed(event);
  },
  pass: (world, n) => world.pass(SPANS[n % SPANS.length] ?? 0),
  run: (world, n) => world.run(SPANS[n % SPANS.length] ?? 0),
  agentDies: (world) => world.die(),
  /** It dies after the next few effects. */
  agentWillDie: (world, n) => {
    world.fuse = n % 5;
  },
  newAgent: (world) => world.revive(),
} satisfies Record<string, (world: World, n: number) => void>;
type Op = keyof typeof OPS;
const OFTEN: readonly Op[] = [
  ...([
    "start",
    "deliver",
    "deliver",
    "deliver",
    "ripen",
    "pass",
    "newAgent",
    "newAgent",
    "newAgent",
  ] as const),
  ...(["run", "run", "run", "run", "run", "run"] as const),
];

const op = fc.tuple(fc.constantFrom(...(Object.keys(OPS) as Op[]), ...OFTEN), fc.nat(999));
const sequence = fc.tuple(
  spec,
  fc.nat(15),
  fc.array(nature, { minLength: 1, maxLength: 4 }),
  fc.array(op, { minLength: 5, maxLength: 50, size: "max" }),
);

describe("whatever happens to a server and its agents", () => {
  it(`the invariants hold (seed ${SEED})`, () => {
    const seen = new Map<string, number>();
    const property = fc.property(sequence, ([restart, n, natures, ops]) =>
      play(restart, n, natures, ops, seen),
    );
    fc.assert(property, { numRuns: RUNS, seed: SEED });
    if (process.env.FC_SEEN)
      console.log(
        [...seen]
          .sort()
          .map(([what, times]) => `${times}\t${what}`)
          .join("\n"),
      );
    expect([...HAPPENED].filter((what) => (seen.get(what) ?? 0) < 20)).toEqual([]);
    expect([...seen.keys()].filter((what) => what.includes(" --> ")).sort()).toEqual(pictured());
  }, 120_000);
});

/** The steps that the picture in docs/ARCHITECTURE.md has. */
function pictured(): string[] {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/ARCHITECTURE.md"), "utf8");
  const [, picture = ""] = /```mermaid\n([^`]*)```/.exec(page) ?? [];
  return [...picture.matchAll(/^ *(\w+ --> \w+):/gm)].map(([, step = ""]) => step).sort();
}

function play(
  restart: SupervisedSpec,
  n: number,
  natures: readonly Nature[],
  ops: readonly (readonly [Op, number])[],
  seen: Map<string, number>,
): void {
  const inspector = new Inspector(seen);
  const world = new World({ ...restart, ...probes(n) }, natures, inspector);
  for (const [name, number] of ops) OPS[name](world, number);
  calmDown(world);
  inspector.quiet(world);
}

/** Nobody says anything more, every new process is a good one, and time runs. */
function calmDown(world: World): void {
  world.calm = true;
  world.fuse = Number.POSITIVE_INFINITY;
  if (world.agent === undefined) world.revive();
  world.feed({ type: "resume" });
  world.run(150_000);
  // A start that took too long may have ended it just now: what it waits for comes within the longest grace period.
  if (world.agent?.state.phase.tag === "ending") world.run(60_000);
}

function probes(n: number): Pick<SupervisedSpec, "readiness" | "liveness"> {
  return { readiness: READINESS[n % 4] ?? NONE, liveness: LIVENESS[Math.floor(n / 4) % 4] ?? NONE };
}

function rarely(): fc.Arbitrary<boolean> {
  return fc.constantFrom(false, false, false, true);
}

/** What must have been seen, each often, for the checks to mean something. */
const HAPPENED = [
  ...["starting", "running", "ending", "failed"].flatMap((tag) => [
    `adopted ${tag}, found`,
    `adopted ${tag}, gone`,
  ]),
  "adopted waiting, gone",
  "late event",
  "restart on exited",
  "restart on answered",
  "restart on emptied",
  "restart on adopted",
  "failed on exited",
  "failed on answered",
  "failed on spawn-failed",
  "failed on timer",
  "restart on spawn-failed",
  "restart on timer",
  "failed for taking too long",
  "failed for ending too early",
  ...["start", "stop", "restart", "kill", "pause", "resume"].flatMap((word) =>
    ["stopped", "starting", "running", "ending", "waiting", "failed"].map((tag) => `${word} in ${tag}`),
  ),
  ...["exited", "emptied", "adopted", "answered", "timer"].map((type) => `${type} while paused`),
  "adopted at the end of a pause",
  "spawned while paused",
  "spawned as the pause ended",
  "unhealthy while paused",
  "quiet stopped, last word stop",
  "quiet failed, last word stop",
  "quiet running, last word start",
];
