import { statSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { discover } from "../config/find/discover.ts";
import type { Loaded } from "../config/load.ts";
import { DATA_EXTENSIONS } from "../config/read/data.ts";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import { NAME_PATTERN } from "../model/name.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { type Evaluated, readConfiguration, resolveHere, type Setting } from "./evaluating.ts";
import { type HostName, hostNameOf } from "./host-name.ts";
import { readMachine } from "./machine.ts";

/** Everything that is wrong with a configuration, in one pass. */
export interface Checked {
  /** As much of it as could be read. */
  readonly evaluated: Omit<Evaluated, "warnings">;
  /** No machine makes them right. */
  readonly errors: readonly Diagnostic[];
  /** What is no error, or one only here and now, such as a program that is not installed. */
  readonly warnings: readonly Diagnostic[];
  /** What this machine is called, and who says so. */
  readonly name: HostName;
}

/** Reads all of it, and looks at the machine also where something is invalid. No secret is read, no file with secrets is opened. */
export async function checkConfiguration(
  setting: Setting,
): Promise<Result<Checked> & Pick<Loaded, "refused" | "missing">> {
  const machine = readMachine(setting.env);
  const loaded = await readConfiguration(setting, machine);
  const declared = loaded.ok ? loaded.value : loaded.sound;
  if (declared === undefined) return loaded as Extract<typeof loaded, { ok: false }>;
  const evaluated = await resolveHere(declared, { ...setting, secretUse: "find" }, machine);
  const read = loaded.ok ? loaded.warnings : loaded.problems;
  const known = new Set(read.map(keyOf));
  const found = evaluated.diagnostics
    .filter((diagnostic) => !known.has(keyOf(diagnostic)))
    .map(
      (diagnostic): Diagnostic =>
        diagnostic.everywhere ? diagnostic : { ...diagnostic, severity: "warning" },
    );
  const all = [...read, ...found];
  const value = {
    name: hostNameOf(setting.env),
    evaluated,
    errors: all.filter(({ severity }) => severity === "error"),
    warnings: all.filter(({ severity }) => severity === "warning"),
  };
  return { ok: true, value, warnings: value.warnings };
}

/**
 * The configurations that files and folders belong to, each once, as `--config` names them: the nearest root at or above;
 * where there is none, a data file is one by itself.
 */
export async function configurationsOf(
  files: readonly string[],
  { cwd, env }: Pick<Setting, "cwd" | "env">,
): Promise<Result<string[]>> {
  const machine = readMachine(env);
  const found = new Set<string>();
  const problems: Diagnostic[] = [];
  for (const named of files) {
    const file = resolve(cwd, named);
    const info = statSync(file, { throwIfNoEntry: false });
    const problem = (message: string) => problems.push({ severity: "error", message, file });
    if (info === undefined) {
      problem(
        `cannot check this file: there is none; ${NAME_PATTERN.test(named) ? "`xy check` alone checks all servers" : "correct the path"}`,
      );
      continue;
    }
    const from = info.isDirectory() ? file : dirname(file);
    const root = await discover({ cwd: from, env, machine, isPrivateGroup });
    if (root.ok && root.value.how === "walked") found.add(root.value.named);
    else if (!root.ok && !root.missing) problems.push(...root.problems);
    else if (!info.isDirectory() && DATA_EXTENSIONS.includes(extname(file))) found.add(file);
    else
      problem(
        "cannot check this: it belongs to no configuration, as no folder above has xy.config.* or servers.d",
      );
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: [...found], warnings: [] };
}

const keyOf = ({ file, line, column, path, message }: Diagnostic) =>
  JSON.stringify([file, line, column, path, message]);
