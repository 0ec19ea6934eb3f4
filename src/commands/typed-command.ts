import { existsSync } from "node:fs";
import { DEFAULT_PROJECT, NAME_PATTERN, NAME_RULE } from "../model/name.ts";
import { OPEN_FILES } from "../model/process-fields.ts";
import type { Typed } from "../operation/typed.ts";
import { entryOfAgent } from "../rpc/entries.ts";
import { typedFolder } from "../system/paths.ts";
import { recordedProjects } from "../system/projects.ts";
import { eventText } from "../views/apply-text.ts";
import { EXIT } from "./exit-codes.ts";
import { JobCommand } from "./job-command.ts";
import { shortenPath } from "./shorten.ts";

export interface RunFlags {
  readonly detach: boolean;
  readonly raw: boolean;
  readonly keep?: string | undefined;
  readonly env?: string[] | undefined;
  readonly project?: string | undefined;
  readonly config?: string | undefined;
}

/** What `xy run` does with a command that is typed, and declared by no configuration. */
export abstract class TypedCommand extends JobCommand {
  /** The command, found and with its environment; what is wrong with it ends this one. */
  protected async typed(words: readonly string[], env: readonly string[] = []): Promise<Typed> {
    const { readVariables, typedCommand } = await import("../operation/typed.ts");
    const { readMachine } = await import("../operation/machine.ts");
    if (words.length === 0) this.fail(EXIT.usage, "cannot run nothing: write a command after --");
    const variables = readVariables(env);
    if (typeof variables === "string") this.fail(EXIT.usage, variables);
    const { PWD } = process.env;
    // It would run somewhere else.
    if (PWD?.startsWith("/") && !existsSync(PWD))
      this.fail(EXIT.failed, `cannot run it in ${PWD}: that folder is not there any more; go to another one`);
    const cwd = typedFolder(process.env, process.cwd());
    const machine = readMachine(process.env);
    const typed = await typedCommand(words, { cwd, env: process.env, machine, variables });
    return typeof typed === "string" ? this.fail(EXIT.failed, typed) : typed;
  }

  /** The project that is named, else the current one, else that of the account's own root. */
  protected async projectOfTyped(flags: RunFlags): Promise<string> {
    const { project } = flags;
    if (project === undefined) return (await this.currentProject(flags)) ?? DEFAULT_PROJECT;
    const known = recordedProjects(this.state);
    if (project === DEFAULT_PROJECT || known.includes(project)) return project;
    return this.fail(
      EXIT.failed,
      `cannot find project ${project}: ${known.length > 0 ? `known are ${known.join(", ")}` : "nothing was ever applied"}`,
    );
  }

  /** Adds the command as a server that no configuration declares, and waits until it is up. */
  protected async keep(name: string, typed: Typed, flags: RunFlags): Promise<void> {
    if (!NAME_PATTERN.test(name))
      this.fail(EXIT.usage, `cannot use ${JSON.stringify(name)} as the name of a server: write ${NAME_RULE}`);
    const project = await this.projectOfTyped(flags);
    if (flags.project === undefined) await this.#refuseDeclared(name, flags);
    if (typed.remark !== undefined) this.note(`warning: ${typed.remark}`);
    const { remark: _, name: _job, ...started } = typed;
    const { os } = (await import("../operation/machine.ts")).readMachine(process.env);
    const spec = { ...started, limits: { openFiles: OPEN_FILES[os] } };
    await this.locked(project, () => this.#kept({ project, server: name, spec }, flags), {
      verb: `keep ${name}`,
    });
  }

  async #kept(
    asked: { project: string; server: string; spec: Omit<Typed, "name" | "remark"> },
    { detach }: RunFlags,
  ): Promise<void> {
    const { server, project } = asked;
    await this.withAgent(async (client) => {
      const result = await client.call("keep", { ...asked, ...(detach ? { wait_ms: 0 } : {}) });
      if (!result.ok) {
        const { message, last_lines: lastLines } = result;
        const text = eventText({ type: "failed", server, action: "start", message, lastLines });
        this.fail(EXIT.failed, [
          ...text.split("\n"),
          `it is kept: \`xy start ${server}\` tries it again, \`xy forget ${server}\` removes it`,
        ]);
      }
      if (!this.json) return this.print(`${server}: ${result.detail}`);
      const entries = await client.call("list", { project });
      this.printJson(entries.filter(({ name }) => name === server).map(entryOfAgent)[0] ?? null);
    });
  }

  /** What was applied is known to the agent. What was not is a file here. */
  async #refuseDeclared(name: string, flags: RunFlags): Promise<void> {
    const { declaringFile } = await import("../operation/typed.ts");
    const file = await declaringFile(await this.search(flags), this.state, name);
    if (file === undefined) return;
    this.fail(
      EXIT.failed,
      `cannot keep ${name}: ${shortenPath(file)} declares a server of this name; start that with \`xy apply --only ${name}\`, or choose another name`,
    );
  }
}
