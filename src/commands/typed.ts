import { existsSync } from "node:fs";
import { EXIT } from "../model/exit-codes.ts";
import { DEFAULT_PROJECT, NAME_PATTERN, NAME_RULE } from "../model/name.ts";
import { OPEN_FILES } from "../model/process-fields.ts";
import type { Typed } from "../operation/typed.ts";
import { entryOfAgent } from "../rpc/entries.ts";
import { typedFolder } from "../system/paths.ts";
import { recordedProjects } from "../system/projects.ts";
import { eventText } from "../views/apply-text.ts";
import { withAgent } from "./agent-calls.ts";
import type { BaseCommand } from "./base.ts";
import { currentProject, searchFrom } from "./configuration.ts";
import { whileLocked } from "./endings.ts";
import { shortenPath } from "./shorten.ts";

export interface RunFlags {
  readonly detach: boolean;
  readonly raw: boolean;
  readonly keep?: string | undefined;
  readonly env?: string[] | undefined;
  readonly project?: string | undefined;
  readonly config?: string | undefined;
}

/** The typed command with its program found and its environment. Ends this command if something is wrong with it. */
export async function typedCommandOf(
  command: BaseCommand,
  words: readonly string[],
  env: readonly string[] = [],
): Promise<Typed> {
  const { readVariables, typedCommand } = await import("../operation/typed.ts");
  const { readMachine } = await import("../operation/machine.ts");
  if (words.length === 0) command.fail(EXIT.usage, "cannot run nothing: write a command after --");
  const variables = readVariables(env);
  if (typeof variables === "string") command.fail(EXIT.usage, variables);
  const { PWD } = process.env;
  // The command would run in another folder.
  if (PWD?.startsWith("/") && !existsSync(PWD))
    command.fail(EXIT.failed, `cannot run it in ${PWD}: that folder no longer exists; change to another one`);
  const cwd = typedFolder(process.env, process.cwd());
  const machine = readMachine(process.env);
  const typed = await typedCommand(words, { cwd, env: process.env, machine, variables });
  return typeof typed === "string" ? command.fail(EXIT.failed, typed) : typed;
}

/** The named project, else the current one, else the default project of the account. */
export async function projectOfTyped(command: BaseCommand, flags: RunFlags): Promise<string> {
  const { project } = flags;
  if (project === undefined) return (await currentProject(command, flags)) ?? DEFAULT_PROJECT;
  const known = recordedProjects(command.state);
  if (project === DEFAULT_PROJECT || known.includes(project)) return project;
  return command.fail(
    EXIT.failed,
    `cannot find project ${project}: ${known.length > 0 ? `known are ${known.join(", ")}` : "nothing was ever applied"}`,
  );
}

/** Adds the command as a server that no configuration declares, and waits until it is up. */
export async function keepTyped(
  command: BaseCommand,
  name: string,
  typed: Typed,
  flags: RunFlags,
): Promise<void> {
  if (!NAME_PATTERN.test(name))
    command.fail(
      EXIT.usage,
      `cannot use ${JSON.stringify(name)} as the name of a server: write ${NAME_RULE}`,
    );
  const project = await projectOfTyped(command, flags);
  if (flags.project === undefined) await refuseDeclared(command, name, flags);
  if (typed.remark !== undefined) command.note(`warning: ${typed.remark}`);
  const { remark: _, name: _job, ...started } = typed;
  const { os } = (await import("../operation/machine.ts")).readMachine(process.env);
  const spec = { ...started, limits: { openFiles: OPEN_FILES[os] } };
  await whileLocked(command, project, () => kept(command, { project, server: name, spec }, flags), {
    verb: `keep ${name}`,
  });
}

async function kept(
  command: BaseCommand,
  asked: { project: string; server: string; spec: Omit<Typed, "name" | "remark"> },
  { detach }: RunFlags,
): Promise<void> {
  const { server, project } = asked;
  await withAgent(command, async (client) => {
    const result = await client.call("keep", { ...asked, ...(detach ? { wait_ms: 0 } : {}) });
    if (!result.ok) {
      const { message, last_lines: lastLines } = result;
      const text = eventText({ type: "failed", server, action: "start", message, lastLines });
      command.fail(EXIT.failed, [
        ...text.split("\n"),
        `the server is kept: \`xy start ${server}\` tries again, \`xy forget ${server}\` removes it`,
      ]);
    }
    await command.show(result, {
      text: ({ detail }) => `${server}: ${detail}`,
      json: async () => {
        const entries = await client.call("list", { project });
        const entry = entries.find(({ name }) => name === server);
        return entry ? entryOfAgent(entry) : null;
      },
    });
  });
}

/** The agent knows applied servers; others are found in the files here. */
async function refuseDeclared(command: BaseCommand, name: string, flags: RunFlags): Promise<void> {
  const { declaringFile } = await import("../operation/typed.ts");
  const file = await declaringFile(await searchFrom(flags), command.state, name);
  if (file === undefined) return;
  command.fail(
    EXIT.failed,
    `cannot keep ${name}: ${shortenPath(file)} declares a server of this name; start that with \`xy apply --only ${name}\`, or choose another name`,
  );
}
