import { resolve } from "node:path";
import { string } from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { FORMATS } from "../backends/render/formats.ts";
import { MANAGERS, type Manager } from "../backends/render/unit.ts";
import { type RenderedUnit, renderUnits, unitProblems } from "../backends/render/units.ts";
import { type Diagnostic, formatDiagnostic } from "../model/diagnostic.ts";
import { evaluateToEmit } from "../operation/emitting.ts";
import { foreignFiles, type WrittenFiles, writeUnits } from "../operation/unit-files.ts";
import { EXIT } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";
import {
  machineFlag,
  ProjectCommand,
  selectionFlags,
  shownMachine,
  trustFlags,
  unaskedFlag,
} from "./project-command.ts";
import { shortenPath } from "./shorten.ts";

export default class Emit extends ProjectCommand {
  static override summary = "Write the servers as systemd, launchd or supervisord units.";
  static override description =
    "Prints the units, or writes them to a folder that you can commit. Installs and starts nothing, resolves no secrets, " +
    "and uses nothing that xy has recorded on this machine: the same configuration always gives the same bytes. What the " +
    "service manager cannot express is listed on stderr.";
  static override examples = [
    "<%= config.bin %> emit systemd --only web",
    "<%= config.bin %> emit systemd --out ~/.config/systemd/user",
    { description: "Fail if anything would be lost", command: "<%= config.bin %> emit launchd --strict" },
    {
      description: "Write the units of a Mac, here or in CI",
      command:
        "<%= config.bin %> emit launchd --for os=macos,home=/Users/ada,user=ada,host=mbp --out units/mbp",
    },
  ];
  static override enableJsonFlag = true;
  static override args = {
    manager: string({
      required: true,
      options: [...MANAGERS],
      description: "Service manager to write units for.",
    }),
  };
  static override flags = {
    ...trustFlags,
    ...unaskedFlag,
    ...selectionFlags,
    ...machineFlag,
    absolute: Flags.boolean({
      summary: "Write this account's home folder and name where a systemd unit could hold for any account.",
    }),
    out: Flags.string({
      char: "o",
      helpValue: "DIR",
      summary: "Write one file per server into this folder.",
    }),
    force: Flags.boolean({ dependsOn: ["out"], summary: "Also overwrite files that xy did not write." }),
    strict: Flags.boolean({ summary: "Fail if the service manager cannot express a setting exactly." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Emit);
    const manager = args.manager as Manager;
    const { only = [], except = [] } = flags;
    const { project, unknown, servers, ignored, warnings, problems } = this.usable(
      await evaluateToEmit(this.setting(flags), { only, except }, flags.absolute),
      "nothing was written",
    );
    if (unknown.length > 0)
      this.fail(
        EXIT.usage,
        unknown.map((one) => formatDiagnostic(one)),
      );
    // What cannot be known of another machine is no text that a unit could carry.
    const known = servers.filter(
      ({ spec }) => !problems.some(({ server }) => flags.for && server === spec.name),
    );
    this.#endBy([...problems, ...unitProblems(manager, known)], "nothing was written");
    const units = await renderUnits(manager, servers);
    if (flags.strict) this.#endBy(units.flatMap(asProblems), "something would be lost, nothing was written");
    const files = flags.out === undefined ? undefined : this.#write(manager, units, flags.out, flags.force);
    if (this.json)
      return this.printJson({
        ...{ version: 1, manager, project, ...(flags.for ? { for: shownMachine(flags.for) } : {}) },
        ...{ units, ignored, warnings, ...files },
      });
    for (const warning of warnings) this.note(`warning: ${formatDiagnostic(warning, shortenPath)}`);
    if (files === undefined) this.#show(units);
    else this.#list(files);
    for (const line of notesOn(units, ignored)) this.note(line);
  }

  #endBy(problems: readonly Diagnostic[], message: string): void {
    if (problems.length > 0) this.fail(EXIT.failed, message, this.shortened(problems));
  }

  #write(manager: Manager, units: readonly RenderedUnit[], out: string, force: boolean): WrittenFiles {
    const folder = resolve(out);
    try {
      const foreign = force ? [] : foreignFiles(folder, units, FORMATS[manager].isOurs);
      const problems = foreign.map(
        (file): Diagnostic => ({
          severity: "error",
          message: "cannot overwrite this file: xy has not written it; move it away, or use --force",
          file,
        }),
      );
      this.#endBy(problems, "nothing was written");
      return writeUnits(folder, units);
    } catch (error) {
      if (error instanceof CommandFailure) throw error;
      return this.fail(EXIT.failed, `cannot write the units to ${out}: ${(error as Error).message}`);
    }
  }

  /** One unit as it is, several with a line that names each. A person sees all that is in it, a file gets its bytes. */
  #show(units: readonly RenderedUnit[]): void {
    const heading = ({ name }: RenderedUnit) => (units.length > 1 ? `==> ${name} <==\n` : "");
    const text = units.map((unit) => `${heading(unit)}${unit.text}`).join("\n");
    if (units.length === 0) return;
    if (process.stdout.isTTY) this.print(text);
    else this.printAsIs(text);
  }

  #list({ written, unchanged }: WrittenFiles): void {
    for (const file of written) this.print(`wrote ${shortenPath(file)}`);
    for (const file of unchanged) this.print(`kept  ${shortenPath(file)} (it was the same)`);
  }
}

function asProblems({ server, losses }: RenderedUnit): Diagnostic[] {
  return losses.map(({ message }) => ({ severity: "error", message, server }));
}

/** What is to be known beside the units, once for all servers that it is true of. */
function notesOn(units: readonly RenderedUnit[], ignored: readonly string[]): string[] {
  const servers = new Map<string, string[]>();
  const add = (message: string, server: string) =>
    servers.set(message, [...(servers.get(message) ?? []), server]);
  for (const { server, losses } of units) for (const { message } of losses) add(message, server);
  const filled = units.filter(({ secrets, envFiles }) => secrets.length + envFiles.length > 0);
  return [
    ...[...servers].map(([message, names]) => `${names.join(", ")}: ${message}`),
    ...filled.map(
      ({ server, name }) => `${server} has secrets: fill the file that ${name} names before you start it`,
    ),
    ...(ignored.length > 0 ? [`No unit for ${ignored.join(", ")}: wanted is "ignore".`] : []),
    ...(units.length === 0 ? ["There is no server to write a unit for."] : []),
  ];
}
