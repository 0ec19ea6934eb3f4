import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, inTurn, run } from "../measure.ts";
import { minimalOclif } from "../minimal-oclif.ts";
import { Marked, type Peer } from "../peers/peer.ts";
import { type Bench, ms, type Row, times } from "../row.ts";

/** What a person waits for: commands that change nothing. */

const timeOf = (command: Command) => async () => (await run(command)).ms;

export async function list({ place, peers, rounds, note }: Bench): Promise<Row[]> {
  const COUNT = 100;
  const { xy: openXy, pm2, supervisord, systemd } = peers;
  const all: Peer[] = [];
  for (const open of [openXy, pm2, supervisord, systemd]) if (open) all.push(await open());
  for (const peer of all) {
    note(`list: starts ${COUNT} programs under ${peer.name}`);
    const marked = new Marked(place.home().path, COUNT);
    await peer.declare(marked.programs);
    await peer.apply();
    await marked.haveBegun();
  }
  const { path, env } = place.home();
  const floor: Command = { argv: [process.execPath, await minimalOclif(path), "hello"], env };
  const figures = await inTurn(rounds, {
    "minimal oclif": timeOf(floor),
    ...Object.fromEntries(all.map((peer) => [peer.name, timeOf(peer.list)])),
  } as Record<string, () => Promise<number>>);
  for (const peer of all) {
    await peer.destroy();
    await peer.close();
  }
  const xy = figures.xy?.median ?? Number.NaN;
  const medianOf = (name: string) => figures[name]?.median ?? Number.POSITIVE_INFINITY;
  const ratio = xy / medianOf("minimal oclif");
  return [
    {
      measure: "`xy list`, 100 servers",
      goal: "≤ 1.25 × minimal oclif; < `pm2 ls`, `supervisorctl status`",
      xy: ms(figures.xy as never),
      others: Object.entries(figures).flatMap(([name, one]) => (name === "xy" ? [] : [`${name} ${ms(one)}`])),
      ratio: times(ratio),
      isReached: ratio <= 1.25 && xy < medianOf("pm2") && xy < medianOf("supervisord"),
    },
  ];
}

/** A press of Tab, in turn with a Node that does nothing. */
export async function completion({ place, peers, rounds, note }: Bench): Promise<Row[]> {
  note("completion: applies 100 servers");
  const xy = await peers.xy();
  const { path, env } = place.home();
  const marked = new Marked(path, 100);
  await xy.declare(marked.programs);
  await xy.apply();
  // Else it is measured how busy the agent is with starting them.
  await marked.haveBegun();
  const figures = await inTurn(rounds, {
    floor: timeOf({ argv: [process.execPath, "-e", "0"], env }),
    names: timeOf(xy.command("__complete", "fish", "stop", "")),
    flags: timeOf(xy.command("__complete", "fish", "plan", "--")),
  });
  await xy.destroy();
  await xy.close();
  const row = (measure: string, figure: typeof figures.names): Row => ({
    measure,
    goal: "≤ 2 × `node -e 0`",
    xy: ms(figure),
    others: [`node -e 0 ${ms(figures.floor)}`],
    ratio: times(figure.median / figures.floor.median),
    isReached: figure.median <= 2 * figures.floor.median,
  });
  return [
    row("completion: `xy stop` and Tab, 100 servers", figures.names),
    row("completion: `xy plan --` and Tab", figures.flags),
  ];
}

export async function plan({ place, peers, rounds, note }: Bench): Promise<Row[]> {
  const { env } = place.home();
  const floor: Command = { argv: [process.execPath, "-e", "0"], env };
  // What `plan` needs at least: commands, schemas, and the KDL parser.
  const libraries = await minimalOclif(place.home().path, ["zod", "kdljs/src/parser/kdl.js"]);
  const made = async (count: number, typed = false) => {
    note(`plan: applies ${count} servers`);
    const xy = await peers.xy();
    await xy.declare(idle(count));
    if (typed) asTypeScript(join(xy.home, "tools"), count);
    await xy.apply();
    return xy;
  };
  const [few, many, typed] = [await made(100), await made(1000), await made(20, true)];
  const figures = await inTurn(rounds, {
    floor: timeOf(floor),
    libraries: timeOf({ argv: [process.execPath, libraries, "hello"], env }),
    few: timeOf(few.command("plan")),
    many: timeOf(many.command("plan")),
    typed: timeOf(typed.command("plan")),
    version: timeOf(few.command("--version")),
  });
  const peak = peakMib(many.command("plan"));
  for (const xy of [few, many, typed]) {
    await xy.destroy();
    await xy.close();
  }
  const node = figures.floor.median;
  // Beyond what a command that does nothing takes.
  const beyond = ({ median }: typeof figures.few) => median - figures.version.median;
  const growth = beyond(figures.many) / beyond(figures.few);
  const others = [
    `node -e 0 ${ms(figures.floor)}`,
    `minimal oclif that loads zod and kdljs ${ms(figures.libraries)}`,
  ];
  const simple = (measure: string, figure: typeof figures.few): Row => ({
    measure,
    goal: "≤ 4 × `node -e 0`",
    xy: ms(figure),
    others,
    ratio: times(figure.median / node),
    isReached: figure.median <= 4 * node,
  });
  return [
    simple("`xy plan`, 100 KDL servers, no change", figures.few),
    {
      measure: "`xy plan`, 1,000 KDL servers, no change",
      goal: "beyond start-up ≤ 12 × that of 100; peak ≤ 200 MB",
      xy: `${ms(figures.many)}; peak ${peak.toFixed(0)} MB`,
      others: [`100 servers ${ms(figures.few)}`, `xy --version ${ms(figures.version)}`],
      ratio: times(growth),
      isReached: growth <= 12 && peak <= 200,
    },
    simple("`xy plan`, `xy.config.ts`, 20 servers", figures.typed),
  ];
}

const idle = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    name: `s${String(i).padStart(4, "0")}`,
    script: "exec sleep 1000000",
  }));

function asTypeScript(dir: string, count: number): void {
  rmSync(join(dir, "servers.d"), { recursive: true });
  rmSync(join(dir, "xy.config.kdl"));
  mkdirSync(join(dir, "node_modules"), { recursive: true });
  writeFileSync(
    join(dir, "xy.config.ts"),
    `import { defineConfig } from "xyctl";

const names = Array.from({ length: ${count} }, (_, i) => \`s\${String(i).padStart(4, "0")}\`);

export default defineConfig({
  project: "tools",
  servers: Object.fromEntries(
    names.map((name) => [name, { command: "sh", args: ["-c", "exec sleep 1000000"], port: "none" }]),
  ),
});
`,
  );
}

/** A command's peak memory, MB. */
function peakMib({ argv, env, cwd }: Command): number {
  const script =
    "import resource,subprocess,sys; subprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL);" +
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
  const kib = execFileSync("/usr/bin/python3", ["-c", script, ...argv], { env, cwd, encoding: "utf8" });
  return (Number(kib) * 1024) / 1e6;
}
