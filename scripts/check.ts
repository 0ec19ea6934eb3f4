/** Runs all checks, one after the other, up to the first that fails. `--except NAME` skips one. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const STEPS = [
  { name: "format and lint", command: ["biome", "check", "--error-on-warnings"] },
  { name: "types", command: ["tsc"] },
  { name: "dead code", command: ["knip"] },
  { name: "generated files", command: ["jiti", "scripts/generate.ts", "--check"] },
  { name: "tests", command: ["npm", "test"] },
] as const;

const { values } = parseArgs({ options: { except: { type: "string", multiple: true, default: [] } } });
const steps = STEPS.filter((step) => !values.except.includes(step.name));
for (const { name, command } of steps) {
  const [program, ...args] = command;
  console.log(`\n== ${name}: ${command.join(" ")}`);
  const began = performance.now();
  const { status, signal, error } = spawnSync(program, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH ?? ""}` },
  });
  if (status !== 0) {
    console.error(
      `\ncheck: ${name} failed (${error?.message ?? signal ?? `exit ${status}`}): ${command.join(" ")}`,
    );
    process.exit(1);
  }
  console.log(`== ${name}: ok, ${((performance.now() - began) / 1000).toFixed(1)} s`);
}
console.log(`\ncheck: all green: ${steps.map((step) => step.name).join(", ")}`);
