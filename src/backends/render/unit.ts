import { dirname } from "node:path";
import { TOKEN_VARIABLE } from "../../model/bridge-token.ts";
import { isBridged, launchOf } from "../../model/launch.ts";
import { NAME_PATTERN } from "../../model/name.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { bridgeSessionsPath } from "../../system/paths.ts";
import type { LogFiles } from "../log-lines.ts";

/** What a unit is made from. Nothing in it depends on the time. */
export interface UnitFacts {
  readonly spec: ServerSpec;
  /** Files in dotenv syntax that its secrets come from; absolute paths. They are named, never read. */
  readonly envFiles: readonly string[];
  /** Home folder of the account. */
  readonly home: string;
  /** Login name of the account. */
  readonly user: string;
  /** Absolute path of what runs xy's bridge, for a server that speaks over stdin and stdout. */
  readonly launcher: string;
  /** For a unit that any account can use, if the format can express that. Absent: the unit is for this account. */
  readonly portable?: PortableFacts;
  /** For a unit that xy installs itself on this machine. Absent: the unit is emitted, to be committed. */
  readonly installed?: InstalledFacts;
}

interface PortableFacts {
  /** With a mark in place of the account's name. */
  readonly spec: ServerSpec;
  /** Variables that the account and its system set by default, with the same mark. */
  readonly given: Readonly<Record<string, string>>;
}

interface InstalledFacts {
  /** Starts with its manager. */
  readonly enabled: boolean;
  /** Absolute path of the file with the values of its secrets; absent if it has none. */
  readonly secretsFile?: string;
  /** Files that get its output; absent: the manager stores it. */
  readonly logs?: LogFiles;
  /** For an account without a graphical session. */
  readonly isBackground?: boolean;
}

/** A value that a manager's format cannot carry. `path`: its place in a configuration. */
export interface Fault {
  readonly path: readonly (string | number)[];
  /** Begins with "cannot", and ends with what to do. */
  readonly message: string;
}

/** How one manager's units are written. Pure, except that it reads a template. */
export interface UnitFormat {
  readonly fileName: (spec: ServerSpec) => string;
  /** The project's server whose unit would have this file name; undefined if there is none. */
  readonly serverOf: (fileName: string, project: string) => string | undefined;
  /** Whether a text was written by xy. */
  readonly isOurs: (text: string) => boolean;
  /** Changes only whether an edited unit starts by itself, if the format's text says that. */
  readonly withStart?: (text: string, starts: boolean) => string;
  /** What prevents {@link UnitFormat.render}. */
  readonly faults: (facts: UnitFacts) => readonly Fault[];
  /** The unit's text. Throws on what {@link UnitFormat.faults} reports. */
  readonly render: (facts: UnitFacts) => Promise<string>;
}

/** A unit's name under every manager. */
export function unitName({ project, name }: Pick<ServerSpec, "project" | "name">): string {
  return `xy.${project}.${name}`;
}

/** See {@link UnitFormat.serverOf}. `suffix` begins with a dot. */
export function serverIn(fileName: string, project: string, suffix: string): string | undefined {
  const prefix = unitName({ project, name: "" });
  if (!fileName.startsWith(prefix) || !fileName.endsWith(suffix)) return undefined;
  const name = fileName.slice(prefix.length, -suffix.length);
  return NAME_PATTERN.test(name) ? name : undefined;
}

/** Names of the variables whose values are secrets, sorted. */
export function secretNames({ env }: Pick<ServerSpec, "env">): string[] {
  return Object.keys(env)
    .filter((name) => typeof env[name] !== "string")
    .sort();
}

/** What could not be run of it, for people. */
export const startedFor = (spec: Pick<ServerSpec, "mcp" | "program">): string =>
  isBridged(spec) ? "the launcher of xy's bridge; `xy apply` writes it again if it is gone" : spec.program;

/** The setting that a variable comes from. */
export function settingOf(spec: Pick<ServerSpec, "mcp">, variable: string): [string, string] {
  return variable === TOKEN_VARIABLE && isBridged(spec) ? ["mcp", "token"] : ["env", variable];
}

/** The variables that are not secret, sorted by name. */
export function plainEnvironment({ env }: Pick<ServerSpec, "env">): { name: string; value: string }[] {
  return Object.keys(env)
    .sort()
    .flatMap((name) => {
      const value = env[name];
      return typeof value === "string" ? [{ name, value }] : [];
    });
}

/** Whether it starts with its manager. For an installed unit, that is recorded, whatever its configuration says. */
export function startsItself({ spec, installed }: UnitFacts): boolean {
  return installed?.enabled ?? spec.wanted === "start";
}

/** The words of what is started: its own program, or xy's bridge with that. */
export function commandWords({ spec, launcher }: Pick<UnitFacts, "spec" | "launcher">): string[] {
  const sessions = bridgeSessionsPath(dirname(launcher), spec.project, spec.name);
  const { program, args } = launchOf(spec, { words: [launcher], sessions });
  return [program, ...args];
}

/**
 * The command line. If a manager cannot refer to secrets, a shell reads them from a file that only the account can read,
 * then executes the program: they are in no command line, and in nothing that the manager shows others. Variables that
 * the shell itself sets are removed.
 */
export function wordsBehindSecrets(facts: UnitFacts): string[] {
  const words = commandWords(facts);
  const file = facts.installed?.secretsFile;
  if (file === undefined) return words;
  // `env` would take a path with = for a variable.
  const become = words[0]?.includes("=") ? `unset ${SHELL_OWN.join(" ")}; exec` : ENV_WITHOUT_OWN;
  return ["/bin/sh", "-c", `. "$1" && shift && ${become} "$@"`, "sh", file, ...words];
}

/** Variables that shells set, some only when they `exec`. */
const SHELL_OWN = ["PWD", "OLDPWD", "SHLVL"];
const ENV_WITHOUT_OWN = `exec /usr/bin/env ${[...SHELL_OWN, "_"].map((name) => `-u ${name}`).join(" ")}`;

/** The text of the file that the shell of {@link wordsBehindSecrets} reads. */
export function shellSecrets(values: Readonly<Record<string, string>>): string {
  const quoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;
  const lines = Object.keys(values)
    .sort()
    .map((name) => `export ${name}=${quoted(values[name] ?? "")}\n`);
  return lines.join("");
}
