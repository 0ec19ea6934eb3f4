/**
 * Whether a long history costs anything: `xy jobs --server x`, and the agent's memory, with 100,000 job records compared to
 * 100. Times whole processes from outside, in turn; medians. Uses a state folder of its own.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalHash } from "../src/model/canonical.ts";
import { serverSpec } from "../test/rig/spec.ts";
import { figure, pssMib, run } from "./measure.ts";

const LAUNCHER = join(import.meta.dirname, "../bin/xy.js");
const ROUNDS = Number(process.env.XY_BENCH_ROUNDS ?? 15);
const PROJECT = "p";

/** Number of records, by server. */
type Shape = Readonly<Record<string, number>>;

const many = (servers: number, records: number): Shape =>
  Object.fromEntries(Array.from({ length: servers }, (_, i) => [i === 0 ? "x" : `s${i}`, records]));

const SHAPES: Readonly<Record<string, Shape>> = {
  "100 records of one server": { x: 100 },
  "100,000 records of one server": { x: 100_000 },
  "100 records of 100 servers": many(100, 1),
  "100,000 records of 100 servers": many(100, 1000),
};

class Home {
  readonly root = mkdtempSync(join(tmpdir(), "xy-bench-"));
  readonly #env: NodeJS.ProcessEnv;

  constructor(shape: Shape) {
    const path = process.env.PATH ?? "/usr/bin:/bin";
    this.#env = { PATH: path, HOME: this.root, XDG_STATE_HOME: join(this.root, "state") };
    let id = 1;
    for (const [server, records] of Object.entries(shape)) id = this.#fill(server, records, id);
    writeFileSync(join(this.root, "state/xy/jobs.next"), `${id}\n`);
  }

  /** As the agent writes it: one line when it began, one when it ran, one when it ended. */
  #fill(server: string, records: number, first: number): number {
    const project = join(this.root, "state/xy/projects", PROJECT);
    const spec = serverSpec(server, "/bin/sleep", ["1000"], { wanted: "stop" });
    const of = canonicalHash(spec);
    const lines = [JSON.stringify({ spec: of, is: spec })];
    for (let id = first; id < first + records; id++) {
      lines.push(
        JSON.stringify({
          id,
          of,
          project: PROJECT,
          service_id: server,
          action_id: "main",
          trigger: "policy",
          retry_of: null,
          attempt: 1,
          phase: "pending",
          pid: null,
          exit_code: null,
          signal: null,
          created_at: 1_767_225_600_000 + id,
          started_at: null,
          ended_at: null,
          error: null,
          tags: [],
          boot: "00000000-0000-0000-0000-000000000000",
          inc: id,
        }),
        JSON.stringify({ id, phase: "running", pid: 4711, started_at: 1_767_225_600_100 + id }),
        JSON.stringify({ id, phase: "failed", exit_code: 7, ended_at: 1_767_225_600_900 + id, pid: null }),
      );
    }
    mkdirSync(join(project, "jobs/servers", server), { recursive: true, mode: 0o700 });
    writeFileSync(join(project, "jobs/servers", server, "journal"), `${lines.join("\n")}\n`);
    const folder = join(project, "servers", server);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = { version: 1, hash: of, secretsHash: canonicalHash({}), spec, secrets: {} };
    writeFileSync(join(folder, "spec.json"), JSON.stringify(file));
    return first + records;
  }

  /** Ms. */
  async xy(...args: string[]): Promise<number> {
    return (await run({ argv: [process.execPath, LAUNCHER, ...args], env: this.#env, cwd: this.root })).ms;
  }

  /** The agent's proportional share of memory, MiB. */
  memory(): number {
    const { pid } = JSON.parse(readFileSync(join(this.root, "state/xy/agent.json"), "utf8"));
    return pssMib([pid]);
  }

  async close(): Promise<void> {
    await this.xy("agent", "stop");
    rmSync(this.root, { recursive: true });
  }
}

const homes = Object.entries(SHAPES).map(([name, shape]) => ({
  name,
  home: new Home(shape),
  times: [] as number[],
}));
try {
  for (const { home } of homes) await home.xy("jobs", "--server", "x");
  for (let round = 0; round < ROUNDS; round++) {
    for (const { home, times } of homes) times.push(await home.xy("jobs", "--server", "x", "--json"));
  }
  const rows = homes.map(({ name, home, times }) => ({
    name,
    ms: figure(times).median,
    least: Math.min(...times),
    mib: home.memory(),
  }));
  for (const [i, { name, ms, least, mib }] of rows.entries()) {
    const base = rows[i - (i % 2)];
    const ratio =
      i % 2 === 0
        ? ""
        : `  ${(ms / (base?.ms ?? 1)).toFixed(2)} × the time, ${(mib - (base?.mib ?? 0)).toFixed(1)} MiB more`;
    console.log(
      `${name.padEnd(32)} median ${ms.toFixed(0)} ms, least ${least.toFixed(0)} ms, agent ${mib.toFixed(1)} MiB${ratio}`,
    );
  }
} finally {
  for (const { home } of homes) await home.close();
}
