/**
 * Follows the README word for word, as somebody who has just found xy: packs the package, and on each Node that is named
 * (as `20`, `22`; without any, on the one that runs this) installs it in an empty home and types the session. Fails when
 * something else is printed than the README shows; with `--write`, puts what is printed into the README. Leaves nothing
 * behind. Needs the network: what `npm install` and `npx` fetch is real.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { checkAllowed, replay, type Step, sessionOf, stepsOf, withoutWaits } from "../test/cli/transcript.ts";
import { killProcessesOf, processesOf } from "./processes-of.ts";

const ROOT = join(import.meta.dirname, "..");
const README = join(ROOT, "README.md");
/** What the README says for the package that is not published when this runs. */
const INSTALL = "npm install -g xyctl";

const run = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
  execFileSync(program, args, { cwd: ROOT, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** The program of a Node of this major version: this one, or else one from npm. */
const nodeOf = (version: string) =>
  process.versions.node.startsWith(`${version}.`)
    ? process.execPath
    : run("npx", ["-y", `node@${version}`, "-p", "process.execPath"]).trim();

/** Types the steps in a new home, with the package installed there; answers with what was printed. */
async function follow(
  steps: readonly Step[],
  node: string,
  tarball: string,
  cache: string,
): Promise<string[]> {
  // Short: the path of the agent's socket is in it, and may have about 100 bytes.
  const folder = mkdtempSync("/tmp/xy-readme-");
  const home = join(folder, "home");
  const prefix = join(folder, "npm");
  mkdirSync(home);
  // What npm has downloaded before is not downloaded again; what it has installed is not there.
  mkdirSync(join(home, ".npm"));
  symlinkSync(join(cache, "_cacache"), join(home, ".npm/_cacache"));
  const env = { HOME: home, PATH: [join(prefix, "bin"), dirname(node), process.env.PATH].join(delimiter) };
  try {
    const install = [...INSTALL.split(" ").slice(1, -1), "--prefix", prefix, tarball];
    // The machine's own variables too: which certificates there are is its concern.
    run("npm", install, { ...process.env, ...env, npm_config_cache: cache });
    const printed = await replay(steps, { cwd: home, env });
    const left = processesOf(folder);
    if (left.length > 0) throw new Error(`processes are left:\n${left.join("\n")}`);
    return printed;
  } finally {
    killProcessesOf(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The README with these outputs in place of those that it shows. */
function withOutputs(text: string, steps: readonly Step[], outputs: readonly string[]): string {
  let rest = text;
  let done = "";
  for (const [i, { command, output }] of steps.entries()) {
    const shown = `\n$ ${command}\n${output === "" ? "" : `${output}\n`}`;
    const at = rest.indexOf(shown);
    const now = withoutWaits(outputs[i] ?? "");
    done += `${rest.slice(0, at)}\n$ ${command}\n${now === "" ? "" : `${now}\n`}`;
    // The line break before a command may be the one after the last output.
    done = done.slice(0, -1);
    rest = `\n${rest.slice(at + shown.length)}`;
  }
  return done + rest;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: "boolean", default: false } },
});
const readme = readFileSync(README, "utf8");
const steps = stepsOf(readme);
for (const step of steps) checkAllowed(step);
if (!readme.includes(`\n${INSTALL}\n`)) throw new Error(`the README does not say ${INSTALL}`);

const packed = mkdtempSync("/tmp/xy-packed-");
try {
  const cache = run("npm", ["config", "get", "cache"]).trim();
  const told = run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", packed]);
  const [{ filename }] = JSON.parse(told) as [{ filename: string }];
  for (const wanted of positionals.length > 0 ? positionals : [process.versions.node.split(".")[0] ?? ""]) {
    const node = nodeOf(wanted);
    const began = performance.now();
    const version = run(node, ["--version"]).trim();
    const printed = await follow(steps, node, join(packed, filename), cache);
    const shown = steps.map(({ output }) => output);
    const expected = sessionOf(steps, shown);
    const wrong = sessionOf(steps, printed).flatMap((step, i) =>
      step === expected[i] ? [] : [`shown:\n${expected[i]}\nprinted on ${version}:\n${step}\n`],
    );
    if (values.write) writeFileSync(README, withOutputs(readme, steps, printed));
    else if (wrong.length > 0) throw new Error(`the README shows what is not so:\n\n${wrong.join("\n")}`);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`${version}: ${steps.length} steps of the README went as shown, in ${seconds} s`);
  }
} catch (error) {
  process.exitCode = 1;
  console.error(`readme: failed: ${(error as Error).message}`);
} finally {
  rmSync(packed, { recursive: true, force: true });
}
