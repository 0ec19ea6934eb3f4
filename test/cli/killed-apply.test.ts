import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Home, newHome } from "./cli.ts";

const NAMES = Array.from({ length: 5 }, (_, i) => `s${i}`);
const RIG = join(import.meta.dirname, "../rig/die-at-step.mjs");

/** Each program carries the home's path as an argument: it is found in the process list by that. */
function declare(home: Home, mode: number): void {
  for (const name of NAMES) {
    home.write(
      `servers.d/${name}.kdl`,
      [
        'command "sh"',
        `args "-c" "echo up; exec sleep 600" "${home.path}" "${name}"`,
        'port "none"',
        `env { MODE "${mode}" }`,
        'readiness "log" pattern="^up$"',
        `depends-on ${name === "s0" ? "" : '"s0"'}`,
        "",
      ]
        .filter((line) => line !== "depends-on ")
        .join("\n"),
    );
  }
}

/** The values of MODE that living servers of this home were started with. */
function modes(home: Home): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      const env = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      // The shell has become `sleep`; its environment names the run.
      if (args[0] !== "sleep" || !env.includes(`HOME=${home.path}`)) return [];
      return env.flatMap((entry) => (entry.startsWith("MODE=") ? [entry.slice(5)] : []));
    } catch {
      return [];
    }
  });
}

test("an apply that is killed at any step leaves a state from which the next one gets where it should", async () => {
  const home = newHome();
  declare(home, 0);
  await home.did("apply", "--yes");
  const env = { NODE_OPTIONS: `--import ${RIG}` };
  let step = 0;
  for (let survived = false; !survived; ) {
    step++;
    declare(home, step);
    const killed = await home.xyIn(
      { env: { ...env, DIE_AT_STEP: String(step) } },
      "apply",
      "--yes",
      "--json",
    );
    survived = killed.code === 0;
    if (!survived) expect(killed.code, `step ${step}: ${killed.stderr}`).toBe("SIGKILL");

    const shown = await home.xy("plan", "--json");
    expect(shown.code, `step ${step}: ${shown.stderr}`).toBe(0);
    const plan = JSON.parse(shown.stdout) as {
      changes: { server: string; action: string; desired: unknown }[];
    };
    expect(plan.changes.map(({ server }) => server)).toEqual(NAMES);
    // What is called a match was really carried out; everything else is still to be done.
    for (const { action } of plan.changes) expect(["none", "restart", "start"]).toContain(action);
    await home.did("apply", "--yes");
    expect(await home.did("plan"), `step ${step}`).toContain("No changes. 5 servers match");
    expect(modes(home), `step ${step}`).toEqual(NAMES.map(() => String(step)));
  }
  console.log(`an apply of five servers was killed at each of its ${step - 1} steps`);
  expect(step).toBeGreaterThan(20);
}, 600_000);
