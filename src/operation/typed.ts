import { basename, dirname } from "node:path";
import { nameFault } from "../config/check/env-names.ts";
import { discover, type Search } from "../config/find/discover.ts";
import { followed } from "../config/paths.ts";
import {
  type ProgramSearch,
  programAt,
  programOn,
  searchedFolders,
  versionManagerRemark,
} from "../config/resolve/program.ts";
import { givenEnv } from "../model/given-env.ts";
import type { Machine } from "../model/machine.ts";
import { fitName } from "../model/name.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { nameOfRoot } from "./roots.ts";

/** A command that a person types after `--`: it runs in the current folder, in the environment that servers get. */

export interface Typed {
  /** What its job is called. */
  readonly name: string;
  readonly command: string;
  /** Absolute path. */
  readonly program: string;
  readonly args: string[];
  readonly env: Record<string, string>;
  readonly workingDir: string;
  /** A warning for a person who keeps it running. */
  readonly remark?: string;
}

interface Typing {
  /** Absolute: where the person is. */
  readonly cwd: string;
  /** Of the caller: the folders of its PATH are the last in which a program is found. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly machine: Machine;
  /** As `readVariables` gives them. */
  readonly variables: Readonly<Record<string, string>>;
}

/** `KEY=VALUE` of `--env`; a text that says what is wrong with one. */
export function readVariables(given: readonly string[]): Record<string, string> | string {
  const read: [string, string][] = [];
  for (const text of given) {
    const at = text.indexOf("=");
    const name = at < 0 ? text : text.slice(0, at);
    // Whatever else it is may be a secret: it is not repeated.
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      return "cannot read a value of --env: write KEY=VALUE, with a KEY of letters, digits and _ that does not begin with a digit";
    if (at < 0) return `cannot read --env ${name}: write ${name}=VALUE`;
    const fault = nameFault(name);
    if (fault !== undefined) return `cannot set ${name} with --env: ${fault}; use another name`;
    read.push([name, text.slice(at + 1)]);
  }
  return Object.fromEntries(read);
}

/** The command, or why it cannot be run. `words`: at least one. */
export async function typedCommand(
  words: readonly string[],
  { cwd, env, machine, variables }: Typing,
): Promise<Typed | string> {
  const [command = "", ...args] = words;
  if (command.trim() === "") return "cannot run a blank command: write the program to run after --";
  const search = await found(command, { cwd, env, machine, variables });
  if (search.kind === "missing")
    return search.absent && !command.includes("/") ? absentText(command) : search.message;
  const { program } = search;
  const remark = versionManagerRemark(command, program);
  return {
    name: fitName(basename(command)),
    ...{ command, program, args, workingDir: cwd },
    env: { ...givenEnv(machine, [dirname(program)]), ...variables },
    ...withoutUndefined({ remark }),
  };
}

function absentText(command: string): string {
  // A value may be a secret: the message has the name only.
  const variable = /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(command)?.[1];
  if (variable !== undefined)
    return `cannot run a command that begins with ${variable}=: no shell reads it; write --env ${variable}=VALUE before --`;
  const wayOut = /\s/.test(command)
    ? "it is one word; write its words apart, or have a shell read it: -- sh -c '…'"
    : "it is in no folder of the service PATH, nor of yours; install it, or write its path";
  return `cannot find the program ${JSON.stringify(command)}: ${wayOut}`;
}

/** As the program of a server is found, but that a path starts where the person is. */
async function found(command: string, { cwd, env, machine, variables }: Typing): Promise<ProgramSearch> {
  if (command.includes("/")) return programAt(followed(cwd, command), command);
  return programOn(await searchedFolders({ own: variables.PATH, path: [], machine }, env), command);
}

/** The file of the configuration here that declares a server of this name. What is in a main file is not looked at. */
export async function declaringFile(
  search: Search,
  state: string,
  name: string,
): Promise<string | undefined> {
  const root = await discover({ ...search, nameOf: (typed) => nameOfRoot(state, typed) });
  return root.ok ? root.value.servers.find((one) => one.name === name)?.file : undefined;
}
