/**
 * xy and what people use today, side by side on one machine, in one run: `npm run bench`. Prints a table, and writes it to
 * docs/benchmarks.md if every row was measured. With names of rows (`npm run bench -- list plan`), measures only those.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import type { Peer } from "./peers/peer.ts";
import { Pm2 } from "./peers/pm2.ts";
import { Supervisord } from "./peers/supervisord.ts";
import { Systemd } from "./peers/systemd.ts";
import { Xy } from "./peers/xy.ts";
import { endAtSignals, Place } from "./place.ts";
import type { Bench, Row, RowMaker } from "./row.ts";
import { bridge } from "./rows/bridge.ts";
import { completion, list, plan } from "./rows/commands.ts";
import { hundred, revival, thousand } from "./rows/fleet.ts";
import { followers } from "./rows/followers.ts";
import { idle } from "./rows/idle.ts";
import { flood } from "./rows/output.ts";

const ROWS: Readonly<Record<string, RowMaker>> = {
  list,
  plan,
  completion,
  hundred,
  revival,
  idle,
  flood,
  followers,
  thousand,
  bridge,
};
const DOCUMENT = join(import.meta.dirname, "../docs/benchmarks.md");
const ROUNDS = Number(process.env.XY_BENCH_ROUNDS ?? 11);
const MARK = "<!-- figures -->";

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(ROWS, name));
if (unknown !== undefined) {
  console.error(`there is no row ${unknown}: there are ${Object.keys(ROWS).join(", ")}`);
  process.exit(2);
}
const place = new Place();
const memory = existsSync("/dev/shm") ? new Place("/dev/shm") : undefined;
endAtSignals(memory ? [place, memory] : [place]);
try {
  await bench();
} finally {
  await Promise.all([place.close(), memory?.close()]);
}

async function bench(): Promise<void> {
  const versions: string[] = [];
  const absent: string[] = [];
  /** A peer that cannot run is named with its error, and its figures are missing. */
  const having = async <P extends Peer>(name: string, open: (at?: Place) => Promise<P>) => {
    note(`looks for ${name}`);
    try {
      const peer = await open();
      versions.push(`${peer.name} ${peer.version}`);
      await peer.close();
      return open;
    } catch (error) {
      absent.push(`${name}: ${String(error).split("\n")[0]}`);
      return undefined;
    }
  };
  const xy = (at = place) => Xy.open(at);
  versions.push(`xy ${(await xy()).version}`);
  const peers = {
    xy,
    pm2: await having("pm2", (at = place) => Pm2.open(at)),
    supervisord: await having("supervisord", (at = place) => Supervisord.open(at)),
    systemd: await having("systemd --user", (at = place) => Systemd.open(at)),
  };
  const context: Bench = { place, memory, peers, rounds: ROUNDS, note };
  const rows: Row[] = [];
  let failed = 0;
  for (const [name, make] of Object.entries(ROWS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    try {
      const made = await make(context);
      for (const line of table(made).slice(2)) note(line);
      rows.push(...made);
    } catch (error) {
      failed++;
      process.exitCode = 1;
      note(`${name} cannot be measured: ${error instanceof Error ? error.stack : error}`);
    }
  }
  const text = [
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${machine()}.`,
    `${versions.join(", ")}, Node ${process.versions.node}.`,
    ...absent.map((each) => `Not there: ${each}.`),
    `Medians, with the quartiles behind them; commands in ${ROUNDS} rounds in turn, fleets in fewer, after one that is thrown away.`,
    "",
    ...table(rows),
  ].join("\n");
  console.log(text);
  if (wanted.length === 0 && absent.length === 0 && failed === 0) writeDocument(text);
}

function table(rows: readonly Row[]): string[] {
  return [
    "| measure | must reach | xy | others, floors | ratio | reached |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows.map(
      ({ measure, goal, xy, others, ratio, isReached }) =>
        `| ${measure} | ${goal} | ${xy} | ${others.join("; ")} | ${ratio} | ${isReached ? "yes" : "**no**"} |`,
    ),
  ];
}

/** Replaces what is between the marks; the rest is written by hand. */
function writeDocument(text: string): void {
  const [before, , after] = readFileSync(DOCUMENT, "utf8").split(MARK);
  writeFileSync(DOCUMENT, [before, `\n${text}\n`, after].join(MARK));
  note(`wrote ${DOCUMENT}`);
}

function machine(): string {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores of ${cpu?.model.trim() || arch()}, ${gib} GiB, Linux ${release()}`;
}

function note(text: string): void {
  console.error(`bench: ${text}`);
}
