import { NAME_PATTERN } from "../../model/name.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { LogFiles } from "../log-lines.ts";

/** What a unit is made of. Nothing in it depends on the moment. */
export interface UnitFacts {
  readonly spec: ServerSpec;
  /** Files in dotenv syntax that it takes secrets from; absolute. They are named, never read. */
  readonly envFiles: readonly string[];
  /** Home folder of the account. */
  readonly home: string;
  /** Login name of the account. */
  readonly user: string;
  /** Of a unit that any account can have, where its format has words for that. Absent: it is that of this account. */
  readonly portable?: PortableFacts;
  /** Of a unit that xy installs itself, on this machine; a unit without it can be committed. */
  readonly installed?: InstalledFacts;
}

interface PortableFacts {
  /** With a mark in the place of the account's name. */
  readonly spec: ServerSpec;
  /** What the account and its system give without a word, by name, with the same mark. */
  readonly given: Readonly<Record<string, string>>;
}

interface InstalledFacts {
  /** Starts with its manager. */
  readonly enabled: boolean;
  /** Absolute path of the file with the values of its secrets; absent when it has none. */
  readonly secretsFile?: string;
  /** Absolute paths of the files that get its output; absent: the manager keeps it. */
  readonly logs?: LogFiles;
  /** For an account without a graphical session. */
  readonly isBackground?: boolean;
}

/** A value that a manager's format cannot carry. `path`: where a configuration says it. */
export interface Fault {
  readonly path: readonly (string | number)[];
  /** Begins with "cannot", and ends with what to do. */
  readonly message: string;
}

/** How the units of one manager are written. Pure, but for the template that is read. */
export interface UnitFormat {
  readonly fileName: (spec: ServerSpec) => string;
  /** The server of a project that a file of that name would be the unit of; undefined: of none. */
  readonly serverOf: (fileName: string, project: string) => string | undefined;
  /** Whether a text was written by xy. */
  readonly isOurs: (text: string) => boolean;
  /** A text that somebody has edited, with nothing changed but whether it starts by itself; where the text says that. */
  readonly withStart?: (text: string, starts: boolean) => string;
  /** What stands in the way of {@link UnitFormat.render}. */
  readonly faults: (facts: UnitFacts) => readonly Fault[];
  /** The unit's text. Throws on what {@link UnitFormat.faults} names. */
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

/** Names of the environment whose values are secrets, in order of names. */
export function secretNames({ env }: Pick<ServerSpec, "env">): string[] {
  return Object.keys(env)
    .filter((name) => typeof env[name] !== "string")
    .sort();
}

/** The environment that is not secret, in order of names. */
export function plainEnvironment({ env }: Pick<ServerSpec, "env">): { name: string; value: string }[] {
  return Object.keys(env)
    .sort()
    .flatMap((name) => {
      const value = env[name];
      return typeof value === "string" ? [{ name, value }] : [];
    });
}

/** Starts with its manager. One that is installed is, or is not, whatever its configuration says. */
export function startsItself({ spec, installed }: UnitFacts): boolean {
  return installed?.enabled ?? spec.wanted === "start";
}

/**
 * The words that become the process. Where a manager has no reference to secrets, a shell reads them from a file that
 * only the account can read, and becomes the program: no command line, and nothing that the manager tells others, has
 * them. What the shell itself sets is taken back.
 */
export function wordsBehindSecrets({ spec, installed }: UnitFacts): string[] {
  const words = [spec.program, ...spec.args];
  const file = installed?.secretsFile;
  if (file === undefined) return words;
  // `env` would take a path with = for one more variable.
  const become = spec.program.includes("=") ? `unset ${SHELL_OWN.join(" ")}; exec` : ENV_WITHOUT_OWN;
  return ["/bin/sh", "-c", `. "$1" && shift && ${become} "$@"`, "sh", file, ...words];
}

/** What shells set, also those that set it anew at the moment of `exec`. */
const SHELL_OWN = ["PWD", "OLDPWD", "SHLVL"];
const ENV_WITHOUT_OWN = `exec /usr/bin/env ${[...SHELL_OWN, "_"].map((name) => `-u ${name}`).join(" ")}`;

/** The text of the file that {@link wordsBehindSecrets} reads. */
export function shellSecrets(values: Readonly<Record<string, string>>): string {
  const quoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;
  const lines = Object.keys(values)
    .sort()
    .map((name) => `export ${name}=${quoted(values[name] ?? "")}\n`);
  return lines.join("");
}
