import { type Figure, figure, inTurn, parentOf, pssMib, run, sleep, timed } from "../measure.ts";
import { Floor } from "../peers/floor.ts";
import { Marked, type Peer } from "../peers/peer.ts";
import type { Xy } from "../peers/xy.ts";
import type { Place } from "../place.ts";
import { type Bench, ms, type Row, times } from "../row.ts";

/** What a manager does with many programs: starting, stopping, restarting, and the cost of keeping them. */

interface Fleet {
  readonly peer: Peer;
  readonly marked: Marked;
}

async function fleets({ peers }: Bench, count: number, at: Place): Promise<Fleet[]> {
  const { xy, pm2, supervisord, systemd } = peers;
  const all: Fleet[] = [];
  for (const open of [xy, pm2, supervisord, systemd, Floor.open])
    if (open) all.push({ peer: await open(at), marked: new Marked(at.home().path, count) });
  return all;
}

async function up({ peer, marked }: Fleet): Promise<number> {
  marked.forget();
  await peer.declare(marked.programs);
  return timed(async () => {
    await peer.apply();
    await marked.haveBegun();
  });
}

const down = ({ peer, marked }: Fleet) =>
  timed(async () => {
    await peer.destroy();
    await marked.areGone();
  });

export async function hundred(bench: Bench): Promise<Row[]> {
  const onDisk = await startAndEnd(bench, bench.place, "on disk");
  const rows = [
    faster("apply of 100 servers until all run", onDisk.starts),
    faster("destroy of 100 servers until all are gone", onDisk.ends),
    memoryRow(onDisk.memory),
  ];
  if (!bench.memory) return rows;
  // A file system may check recently removed files before it makes a new one: then each round is slower than the one
  // before, most of all for the manager that makes the most files.
  const inMemory = await startAndEnd(bench, bench.memory, "in memory");
  const row = faster(
    "the same apply, with all homes in memory: no file system has to make the files",
    inMemory.starts,
  );
  return [...rows.slice(0, 1), row, ...rows.slice(1)];
}

interface StartAndEnd {
  readonly starts: Record<string, Figure>;
  readonly ends: Record<string, Figure>;
  /** MiB: manager, keepers. */
  readonly memory: Record<string, { manager: number; keepers: number }>;
}

async function startAndEnd(bench: Bench, at: Place, where: string): Promise<StartAndEnd> {
  const all = await fleets(bench, 100, at);
  const rounds = Math.max(2, Math.ceil(bench.rounds / 4));
  const ends: Record<string, number[]> = {};
  const starts: Record<string, number[]> = {};
  const memory: StartAndEnd["memory"] = {};
  for (let round = -1; round < rounds; round++)
    for (const fleet of all) {
      const { peer } = fleet;
      bench.note(`apply and destroy of 100 ${where}: ${peer.name}, round ${round + 1} of ${rounds}`);
      const start = await up(fleet);
      if (round === rounds - 1) memory[peer.name] = memoryOf(fleet);
      const end = await down(fleet);
      if (round < 0) continue;
      starts[peer.name] = [...(starts[peer.name] ?? []), start];
      ends[peer.name] = [...(ends[peer.name] ?? []), end];
    }
  for (const { peer } of all) await peer.close();
  const figuresOf = (values: Record<string, number[]>) =>
    Object.fromEntries(Object.entries(values).map(([name, each]) => [name, figure(each)]));
  return { starts: figuresOf(starts), ends: figuresOf(ends), memory };
}

/** Keepers: processes between a manager and its programs. */
function memoryOf({ peer, marked }: Fleet): { manager: number; keepers: number } {
  const managers = peer.pids();
  const keepers = [...new Set(marked.pids.map(parentOf))].filter((pid) => pid > 1 && !managers.includes(pid));
  return { manager: pssMib(managers), keepers: hasKeepers(peer) ? pssMib(keepers) : 0 };
}

const hasKeepers = (peer: Peer) => peer.name === "xy" || peer instanceof Floor;

function memoryRow(memory: StartAndEnd["memory"]): Row {
  const mib = ({ manager, keepers }: { manager: number; keepers: number }) =>
    keepers === 0
      ? `${manager.toFixed(1)} MiB`
      : `${(manager + keepers).toFixed(1)} MiB (${manager.toFixed(1)}, keepers ${keepers.toFixed(1)})`;
  const { xy, ...others } = memory;
  const mine = xy ? xy.manager + xy.keepers : Number.NaN;
  const goal = memory.pm2?.manager;
  return {
    measure: "memory (PSS) of agent and keepers, 100 servers",
    goal: "≤ pm2's daemon",
    xy: xy ? mib(xy) : "",
    others: Object.entries(others).map(([name, one]) => `${name} ${mib(one)}`),
    ratio: goal === undefined ? "no peer" : times(mine / goal),
    isReached: goal !== undefined && mine <= goal,
  };
}

function faster(measure: string, figures: Record<string, Figure>): Row {
  const { xy, ...others } = figures;
  const mine = xy?.median ?? Number.NaN;
  const judged = ["pm2", "supervisord"].flatMap((name) => others[name]?.median ?? []);
  return {
    measure,
    goal: "< pm2 and supervisord",
    xy: ms(xy as Figure),
    others: Object.entries(others).map(([name, one]) => `${name} ${ms(one)}`),
    ratio: judged.length === 0 ? "no peer" : times(mine / Math.min(...judged)),
    isReached: judged.length === 2 && judged.every((other) => mine < other),
  };
}

/** How long a program runs before it is killed, ms: long enough that no manager thinks it failed at once. */
const UP = 1500;

export async function revival(bench: Bench): Promise<Row[]> {
  const all = await fleets(bench, 1, bench.place);
  for (const fleet of all) {
    if (fleet.peer.name === "xy") {
      fleet.marked.forget();
      const quick = 'restart backoff-initial="1ms" backoff-max="1ms" max-retries-per-minute=1000\n';
      await (fleet.peer as Xy).declare(fleet.marked.programs, `port "none"\n${quick}`);
      await fleet.peer.apply();
      await fleet.marked.haveBegun();
    } else await up(fleet);
  }
  const sample =
    ({ marked }: Fleet) =>
    async () => {
      await sleep(UP);
      const { pids } = marked;
      return timed(async () => {
        process.kill(pids.at(-1) as number, "SIGKILL");
        await marked.haveBegun(pids.length + 1);
      });
    };
  const figures = await inTurn(
    bench.rounds,
    Object.fromEntries(all.map((fleet) => [fleet.peer.name, sample(fleet)])),
  );
  for (const { peer } of all) {
    await peer.destroy();
    await peer.close();
  }
  const { xy, ...others } = figures;
  const peers = ["pm2", "supervisord", "systemd --user"].flatMap((name) => others[name]?.median ?? []);
  const best = Math.min(...peers);
  const mine = xy?.median ?? Number.NaN;
  return [
    {
      measure: "kill -9 of a server until its successor runs",
      goal: "≤ the best peer",
      xy: ms(xy as Figure),
      others: Object.entries(others).map(([name, one]) => `${name} ${ms(one)}`),
      ratio: times(mine / best),
      isReached: mine <= best,
    },
  ];
}

export async function thousand(bench: Bench): Promise<Row[]> {
  const samples = { few: 100, many: 1000 };
  const figures: Record<string, { apply: Figure; list: Figure; destroy: Figure }> = {};
  for (const [name, count] of Object.entries(samples)) {
    const xy = await bench.peers.xy();
    const fleet = { peer: xy, marked: new Marked(bench.place.home().path, count) };
    const [apply, list, destroy]: number[][] = [[], [], []];
    for (let round = 0; round < 2; round++) {
      bench.note(`${count} servers, round ${round + 1} of 2`);
      apply?.push(await up(fleet));
      for (let i = 0; i < 5; i++) list?.push(await timed(() => run(xy.list)));
      destroy?.push(await down(fleet));
    }
    await xy.close();
    figures[name] = { apply: figure(apply ?? []), list: figure(list ?? []), destroy: figure(destroy ?? []) };
  }
  const { few, many } = figures;
  if (!few || !many) throw new Error("nothing was measured");
  const growth = (["apply", "list", "destroy"] as const).map(
    (what) => [what, many[what].median / (10 * few[what].median)] as const,
  );
  return [
    {
      measure: "1,000 servers: apply, list, destroy",
      goal: "≤ 1.3 × linear from 100",
      xy: growth.map(([what]) => `${what} ${ms(many[what])}`).join("; "),
      others: growth.map(([what]) => `100: ${what} ${ms(few[what])}`),
      ratio: growth.map(([what, ratio]) => `${what} ${times(ratio)}`).join(", "),
      isReached: growth.every(([, ratio]) => ratio <= 1.3),
    },
  ];
}
