import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cpuMs, rssMib, run, until } from "../measure.ts";
import type { Place } from "../place.ts";
import { type Bench, type Row, times } from "../row.ts";

/** The cost of reading what servers print. */

const GIGABYTES = Number(process.env.XY_BENCH_GB ?? 2);
const LINES = GIGABYTES * 1e7;
/** Prints so many lines of 100 bytes, then marks that as done. */
const FLOOD = (done: string) =>
  `yes ${"x".repeat(99)} | head -n ${LINES}; echo done >${done}; exec sleep 1000000`;

interface Taken {
  readonly cpuPerGb: number;
  readonly seconds: number;
  readonly lines: number;
}

export async function flood(bench: Bench): Promise<Row[]> {
  const { place, peers, note } = bench;
  const xy = await peers.xy();
  await xy.declare([{ name: "other", script: "exec sleep 1000000" }]);
  await xy.apply();
  const idle = rssMib(xy.agentPid, "now");
  note(`output: ${GIGABYTES} GB through xy`);
  const done = join(place.home().path, "done");
  // Kept whole, so that every line can be counted.
  await xy.declare([{ name: "flood", script: FLOOD(done) }], 'port "none"\nlogs max-size="100MiB" keep=60\n');
  const logs = join(xy.home, ".local/state/xy/projects/tools/servers/flood/log");
  const mine = await taken({
    pid: () => xy.agentPid,
    begin: () => xy.apply(),
    done,
    logs: () => filesIn(logs),
    pattern: "[out] ",
  });
  const peak = rssMib(xy.agentPid, "peak");
  await xy.destroy();
  await xy.close();
  const peer = await peers.supervisord?.();
  let theirs: Taken | undefined;
  if (peer) {
    note(`output: ${GIGABYTES} GB through supervisord`);
    const peerDone = join(place.home().path, "done");
    await peer.declare(
      [{ name: "flood", script: FLOOD(peerDone) }],
      [
        `stdout_logfile=${peer.home}/logs/flood.log`,
        "stdout_logfile_maxbytes=100MB",
        "stdout_logfile_backups=60",
      ],
    );
    theirs = await taken({
      pid: () => peer.pids()[0] as number,
      begin: () => peer.apply(),
      done: peerDone,
      logs: () => filesIn(join(peer.home, "logs")),
      pattern: "",
    });
    await peer.destroy();
    await peer.close();
  }
  note(`output: ${GIGABYTES} GB through a bare node that copies it`);
  const least = await copied(place);
  const ratio = mine.cpuPerGb / (theirs?.cpuPerGb ?? Number.NaN);
  const lost = LINES - mine.lines;
  const of = ({ cpuPerGb, seconds }: Taken) =>
    `${cpuPerGb.toFixed(2)} s of CPU a GB, ${seconds.toFixed(1)} s`;
  return [
    {
      measure: `${GIGABYTES} GB of 100-byte lines through one server, tagged and rotated`,
      goal: "nothing lost; CPU a GB ≤ supervisord's; peak memory ≤ 1.5 × idle",
      xy: `${of(mine)}; ${lost.toLocaleString("en-GB")} lines lost; peak ${peak.toFixed(0)} of ${idle.toFixed(0)} MiB (${times(peak / idle)})`,
      others: [
        ...(theirs
          ? [`supervisord ${of(theirs)}, ${(LINES - theirs.lines).toLocaleString("en-GB")} lines lost`]
          : []),
        `floor: bare node that copies it as it is ${least.toFixed(2)} s a GB`,
      ],
      ratio: times(ratio),
      isReached: lost === 0 && ratio <= 1 && peak <= 1.5 * idle,
    },
  ];
}

/** Reads as the agent does, and writes what it read. */
const COPIES = `
const { writeSync } = require("node:fs");
const buffer = Buffer.allocUnsafe(65536);
const callback = (n) => { writeSync(1, buffer, 0, n); return true; };
const input = new (require("node:net").Socket)({ fd: 0, readable: true, writable: false, onread: { buffer, callback } });
input.once("end", () => {
  const { user, system } = process.cpuUsage();
  require("node:fs").writeSync(2, String((user + system) / 1e6));
}).resume();
`;

/** Seconds of CPU a GB. */
async function copied(place: Place): Promise<number> {
  const { path, env } = place.home();
  const script = `yes ${"x".repeat(99)} | head -n ${LINES} | "$NODE" -e "$COPIES" 2>&1 >copy`;
  const argv = ["/bin/sh", "-c", script] as const;
  const { stdout } = await run({
    argv: [...argv],
    env: { ...env, NODE: process.execPath, COPIES },
    cwd: path,
  });
  return Number(stdout) / GIGABYTES;
}

async function taken({
  pid,
  begin,
  done,
  logs,
  pattern,
}: {
  readonly pid: () => number;
  readonly begin: () => Promise<void>;
  readonly done: string;
  readonly logs: () => string[];
  readonly pattern: string;
}): Promise<Taken> {
  const before = cpuMs([pid()]);
  const began = Date.now();
  await begin();
  await until("all is printed", () => exists(done), 600_000, 20);
  await until("all is taken in", quiet(pid), 60_000, 300);
  const [cpu, wall] = [cpuMs([pid()]) - before, Date.now() - began];
  const counts = await Promise.all(logs().map((path) => countLines(path, pattern)));
  const lines = counts.reduce((a, b) => a + b, 0);
  return { cpuPerGb: cpu / 1000 / GIGABYTES, seconds: wall / 1000, lines };
}

/** Whether it has used next to no processor time since the last check. */
function quiet(pid: () => number): () => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const now = cpuMs([pid()]);
    const isQuiet = now - last <= 10;
    last = now;
    return isQuiet;
  };
}

function exists(path: string): boolean {
  try {
    return readFileSync(path, "utf8").length > 0;
  } catch {
    return false;
  }
}

function filesIn(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => /log(\.\d+)?$/.test(name))
    .map((name) => join(dir, name));
}

/** Whole lines of 99 letters, whatever comes before them. A line that a read cut in two counts once, by its end. */
async function countLines(path: string, tag: string): Promise<number> {
  let count = 0;
  let rest = "";
  for await (const chunk of createReadStream(path, { encoding: "latin1", highWaterMark: 1 << 20 })) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (tag === "" ? line.endsWith("x") : line.includes(tag)) count++;
  }
  return count;
}
