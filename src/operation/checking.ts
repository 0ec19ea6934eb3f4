import type { Loaded } from "../config/load.ts";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import { readMachine } from "./machine.ts";
import { type Evaluated, readConfiguration, resolveHere, type Setting } from "./planning.ts";

/** Everything that is wrong with a configuration, in one pass. */
export interface Checked {
  /** As much of it as could be read. */
  readonly evaluated: Omit<Evaluated, "warnings">;
  /** No machine makes them right. */
  readonly errors: readonly Diagnostic[];
  /** What is no error, or one only here and now, such as a program that is not installed. */
  readonly warnings: readonly Diagnostic[];
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
    evaluated,
    errors: all.filter(({ severity }) => severity === "error"),
    warnings: all.filter(({ severity }) => severity === "warning"),
  };
  return { ok: true, value, warnings: value.warnings };
}

const keyOf = ({ file, line, column, path, message }: Diagnostic) =>
  JSON.stringify([file, line, column, path, message]);
