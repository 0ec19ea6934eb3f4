import { ACCOUNT } from "../../model/machine.ts";
import type { EnvValue } from "../../model/spec-parts.ts";
import type { UnitFacts } from "./unit.ts";

/** A unit for any account's systemd: `%h` and `%u` replace the account's home folder and name. */

/** Marks the home folder until the text is written, as {@link ACCOUNT} marks the name: it occurs in no unit's values. */
const HOME = "\u{FDD3}";
/** Variables that an account's manager sets for every unit. */
const GIVEN = ["HOME", "USER", "LOGNAME", "SHELL"];

/** With marks in place of home and account, and without what the manager sets. Not for a unit of the machine. */
export function asPortable(facts: UnitFacts): UnitFacts {
  const { portable, spec, home, envFiles, installed, launcher } = facts;
  if (portable === undefined || installed || spec.class === "system" || home === "/") return facts;
  const marked = marking(home);
  const env = Object.entries(portable.spec.env)
    .filter(([name, value]) => !GIVEN.includes(name) || value !== portable.given[name])
    .map(([name, value]) => [name, markedValue(value, marked)] as const);
  return {
    ...facts,
    spec: {
      ...portable.spec,
      program: marked(portable.spec.program),
      args: portable.spec.args.map(marked),
      workingDir: marked(portable.spec.workingDir),
      env: Object.fromEntries(env),
    },
    envFiles: envFiles.map(marked),
    launcher: marked(launcher),
  };
}

/** Replaces the marks in a unit's text with systemd's specifiers. */
export function withSpecifiers(text: string): string {
  return text.replaceAll(HOME, "%h").replaceAll(ACCOUNT, "%u");
}

/** Only a whole path counts: `/home/ada` is not in `/home/adam`, nor in `/mnt/home/ada`. */
function marking(home: string): (text: string) => string {
  const escaped = home.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}_.~/-])${escaped}(?![\\p{L}\\p{N}_.~@+-])|(?<=://)${escaped}(?![\\p{L}\\p{N}_.~@+-])`,
    "gu",
  );
  return (text) => text.replace(pattern, HOME);
}

function markedValue(value: EnvValue, marked: (text: string) => string): EnvValue {
  if (typeof value === "string") return marked(value);
  const { secret } = value;
  return "file" in secret ? { ...value, secret: { ...secret, file: marked(secret.file) } } : value;
}
