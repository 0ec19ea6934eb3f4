import type { Manager } from "../../model/backends.ts";
import {
  commandWords,
  type Fault,
  plainEnvironment,
  secretNames,
  settingOf,
  type UnitFacts,
} from "./unit.ts";

/** Something in a text that a format cannot carry: how to call it, and how to find it. */
export interface Limit {
  readonly what: string;
  readonly pattern: RegExp;
}

/** Lone surrogates are in no valid UTF-8; a NUL ends every text that a process gets. */
const NO_TEXT: Limit = {
  what: "a NUL character or half a character",
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
  pattern: /\u0000|\p{Surrogate}/u,
};

/** What a format cannot carry anywhere, in the program's path, and in the path of the working folder. */
interface Limits {
  readonly everywhere: readonly Limit[];
  readonly program?: readonly Limit[];
  readonly folder?: readonly Limit[];
}

/** Faults of every text of a spec that a process receives. */
export function textFaults(
  manager: Manager,
  facts: Pick<UnitFacts, "spec" | "launcher">,
  { everywhere, program = [], folder = [] }: Limits,
): Fault[] {
  const { spec } = facts;
  const [started = spec.program] = commandWords(facts);
  const found = (path: Fault["path"], what: string, text: string, more: readonly Limit[] = []): Fault[] =>
    [NO_TEXT, ...everywhere, ...more]
      .filter(({ pattern }) => pattern.test(text))
      .map((limit) => ({
        path,
        message: `cannot write ${what} for ${manager}: it has ${limit.what}, which its format cannot carry; remove it, or run this server with the agent`,
      }));
  return [
    ...found(["command"], "the program's path", spec.program, started === spec.program ? program : []),
    ...(started === spec.program ? [] : found(["mcp"], "the path of xy's bridge", started, program)),
    ...spec.args.flatMap((arg, i) => found(["args", i], `argument ${i + 1}`, arg)),
    ...plainEnvironment(spec).flatMap(({ name, value }) => found(["env", name], `env.${name}`, value)),
    ...found(["workingDir"], "the working folder", spec.workingDir, folder),
  ];
}

/** One fault for each secret, for a format that cannot refer to secrets. */
export function secretFaults(
  manager: Manager,
  { spec, envFiles }: Pick<UnitFacts, "spec" | "envFiles">,
): Fault[] {
  const others = "run this server with the agent or with systemd";
  const wayOut = `let the program read the secret itself, or ${others}`;
  return [
    ...secretNames(spec).map((name) => {
      const path = settingOf(spec, name);
      const out = path[0] === "env" ? wayOut : others;
      const message = `cannot write ${path.join(".")} for ${manager}: it is a secret, and its format has no reference to one; ${out}`;
      return { path, message };
    }),
    ...envFiles.map((file, i) => ({
      path: ["envFile", i],
      message: `cannot write the env file ${file} for ${manager}: its values are secret, and its format has no reference to one; ${wayOut}`,
    })),
  ];
}
