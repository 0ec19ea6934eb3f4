import { resolve } from "node:path";
import { string } from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { MANAGER_TABLE } from "../backends/managers.ts";
import { type RenderedUnit, renderUnits, unitProblems } from "../backends/render/units.ts";
import { MANAGERS, type Manager } from "../model/backends.ts";
import { type Diagnostic, formatDiagnostic } from "../model/diagnostic.ts";
import { EXIT } from "../model/exit-codes.ts";
import { isBridged } from "../model/launch.ts";
import type { ServerSpec } from "../model/spec.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { evaluateToEmit } from "../operation/emitting.ts";
import { lookAtUnits, removeUnits, type UnitFolder, writeUnits } from "../operation/unit-files.ts";
import { shownMachine } from "../views/machine.ts";
import { BaseCommand } from "./base.ts";
import { settingOf, usable } from "./configuration.ts";
import { machineFlag, selectionFlags, trustFlags, unaskedFlag } from "./flags.ts";
import { shortenPath } from "./shorten.ts";
import { goWithoutHome } from "./standing.ts";

/** The names of committed units contain the project's name. */
const unnamed = (project: string): Diagnostic => ({
  severity: "warning",
  message: `the units are named after this folder, so a clone in another folder gets other names; write project "${project}" in xy.config to fix the name`,
});

export default class Emit extends BaseCommand {
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
      description: "In CI: fail if the committed units do not match the configuration",
      command: "<%= config.bin %> emit systemd --out units --check",
    },
    {
      description: "Write the units of a Mac, here or in CI",
      command:
        "<%= config.bin %> emit launchd --for os=macos,home=/Users/ada,user=ada,host=mbp --out units/mbp",
    },
  ];
  static override doing = "evaluating";
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
      summary: "Write this account's home folder and name into systemd units, instead of %h and %u.",
    }),
    out: Flags.string({
      char: "o",
      helpValue: "DIR",
      summary: "Write one file per server into this folder.",
    }),
    force: Flags.boolean({ dependsOn: ["out"], summary: "Also overwrite files that xy did not write." }),
    check: Flags.boolean({
      ...{ dependsOn: ["out"], exclusive: ["prune", "force"] },
      summary: "Write nothing. Exit with 4 if a file is missing, differs, or belongs to a removed server.",
    }),
    prune: Flags.boolean({ dependsOn: ["out"], summary: "Also remove the files of removed servers." }),
    quiet: Flags.boolean({ char: "q", summary: "Do not list what the service manager cannot express." }),
    strict: Flags.boolean({
      summary: "Write no unit of a server if a setting in its configuration cannot be expressed exactly.",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Emit);
    goWithoutHome();
    const manager = args.manager as Manager;
    const { only = [], except = [] } = flags;
    const { project, unknown, servers, declared, ignored, problems, unknownHome, ...emission } = usable(
      this,
      await evaluateToEmit(
        settingOf(this, flags),
        { only, except },
        manager === "systemd" && !flags.absolute,
      ),
      "nothing was written",
    );
    if (unknown.length > 0)
      this.fail(
        EXIT.usage,
        unknown.map((one) => formatDiagnostic(one)),
      );
    const refused = [...problems];
    const wrong = () => new Set(refused.map(({ server }) => server));
    // A unit cannot contain what is not known about another machine.
    const known = flags.for ? servers.filter(({ spec }) => !wrong().has(spec.name)) : servers;
    refused.push(...unitProblems(manager, known));
    if (refused.some(({ server }) => server === undefined)) this.#endWith(refused);
    const rendered = await renderUnits(
      manager,
      servers.filter(({ spec }) => !wrong().has(spec.name)),
    );
    if (unknownHome) refused.push(...rendered.flatMap((unit) => homelessProblem(unit, unknownHome)));
    if (flags.strict) refused.push(...rendered.flatMap(asProblems));
    const sound = rendered.filter(({ server }) => !wrong().has(server));
    const folder = flags.out === undefined ? undefined : resolve(flags.out);
    const warnings = [...emission.warnings, ...(folder && !emission.isNamed ? [unnamed(project)] : [])];
    const look =
      folder === undefined ? undefined : this.#look(manager, project, sound, declared, folder, flags);
    refused.push(...(look?.refused ?? []).map((one) => foreignProblem(one, sound)));
    const units = sound.filter(({ server }) => !wrong().has(server));
    if (units.length === 0 && refused.length > 0 && !flags.check) this.#endWith(refused);
    const done = look && folder ? this.#carryOut(folder, units, look, flags) : {};
    if (refused.length > 0) process.exitCode = EXIT.failed;
    else if (flags.check && look && isOff(look)) process.exitCode = EXIT.changesPending;
    const left = [...new Set(refused.flatMap(({ server }) => server ?? []))];
    const emitted = {
      units,
      ignored,
      warnings,
      ...done,
      ...(refused.length > 0 ? { problems: refused } : {}),
    };
    await this.show(emitted, {
      json: (all) => ({
        ...{ version: 1, manager, project, ...(flags.for ? { for: shownMachine(flags.for) } : {}) },
        ...all,
      }),
      warnings: () => [
        ...refused.map((problem) => formatDiagnostic(problem, shortenPath)),
        ...warnings.map((warning) => `warning: ${formatDiagnostic(warning, shortenPath)}`),
      ],
      text: () => (folder === undefined ? this.#unitsText(units) : filesText(done)),
      notes: () => [
        ...(flags.quiet ? [] : notesOn(units, ignored)),
        ...bridgeNotes(servers.filter(({ spec }) => units.some(({ server }) => server === spec.name))),
        ...(left.length > 0 ? [`xy: no unit was written for ${left.join(", ")}`] : []),
      ],
    });
  }

  #endWith(problems: readonly Diagnostic[]): never {
    return this.fail(EXIT.failed, "nothing was written", problems);
  }

  #look(
    manager: Manager,
    project: string,
    units: readonly RenderedUnit[],
    declared: readonly string[],
    folder: string,
    { force, out = folder }: { readonly force: boolean; readonly out?: string | undefined },
  ): UnitFolder {
    const { isOurs, serverOf } = MANAGER_TABLE[manager].format;
    const isStale = (name: string) => {
      const server = serverOf(name, project);
      return server !== undefined && !declared.includes(server);
    };
    try {
      return lookAtUnits(folder, units, { isOurs, isStale, force });
    } catch (error) {
      return this.fail(EXIT.failed, `cannot read the units in ${out}: ${(error as Error).message}`);
    }
  }

  #carryOut(
    folder: string,
    units: readonly RenderedUnit[],
    look: UnitFolder,
    { check, prune, out = folder }: { check: boolean; prune: boolean; out?: string | undefined },
  ): Done {
    const { missing, differing, unchanged, stale } = look;
    if (check) return { missing, differing, unchanged, stale };
    try {
      const written = writeUnits(folder, units, look);
      if (prune) removeUnits(stale);
      return { written, unchanged, ...(prune ? { removed: stale } : { stale }) };
    } catch (error) {
      return this.fail(EXIT.failed, `cannot write the units to ${out}: ${(error as Error).message}`);
    }
  }

  /** One unit as it is, several with a line that names each. On a terminal with control characters visible, else the bytes. */
  #unitsText(units: readonly RenderedUnit[]): string | undefined {
    const heading = ({ name }: RenderedUnit) => (units.length > 1 ? `==> ${name} <==\n` : "");
    const text = units.map((unit) => `${heading(unit)}${unit.text}`).join("\n");
    if (units.length === 0) return undefined;
    if (process.stdout.isTTY) return text;
    this.printAsIs(text);
    return undefined;
  }
}

function filesText({
  written = [],
  missing = [],
  differing = [],
  unchanged = [],
  stale = [],
  removed = [],
}: Done): string | undefined {
  const lines = (word: string, files: readonly string[], more = "") =>
    files.map((file) => `${word.padEnd(7)} ${shortenPath(file)}${more}`);
  const all = [
    ...lines("wrote", written),
    ...lines("missing", missing),
    ...lines("differs", differing),
    ...lines("kept", unchanged, " (unchanged)"),
    ...lines("stale", stale, " (no such server; --prune removes it)"),
    ...lines("removed", removed, " (no such server)"),
  ];
  return all.length === 0 ? undefined : all.join("\n");
}

/** What happened to the files, or would with `--check`. Paths. */
interface Done extends Partial<Omit<UnitFolder, "refused">> {
  readonly written?: readonly string[];
  readonly removed?: readonly string[];
}

const isOff = ({ missing, differing, stale }: UnitFolder) =>
  missing.length + differing.length + stale.length > 0;

function foreignProblem(
  { file, why }: UnitFolder["refused"][number],
  units: readonly RenderedUnit[],
): Diagnostic {
  const server = units.find(({ name }) => file.endsWith(`/${name}`))?.server;
  const message = `cannot overwrite this file: ${why}; move it away, or use --force`;
  return { severity: "error", message, file, ...withoutUndefined({ server }) };
}

/** A unit cannot contain a home folder that is not known. */
function homelessProblem({ server, text }: RenderedUnit, stand: string): Diagnostic[] {
  if (!text.includes(stand)) return [];
  const message =
    "cannot write this unit: it contains the home folder, which is not known here; set HOME, or name the machine with --for";
  return [{ severity: "error", message, server }];
}

function asProblems({ server, losses }: RenderedUnit): Diagnostic[] {
  return losses
    .filter(({ declared }) => declared)
    .map(({ message }) => ({ severity: "error", message, server }));
}

/** What the units of servers that speak over stdin and stdout need beside them. */
function bridgeNotes(servers: readonly { readonly spec: ServerSpec }[]): string[] {
  const bridged = servers.filter(({ spec }) => isBridged(spec)).map(({ spec }) => spec.name);
  if (bridged.length === 0) return [];
  const names = bridged.join(", ");
  return [
    `${names}: xy's bridge runs it; on each machine, \`xy bridge --launcher\` writes what the unit starts`,
  ];
}

/** Remarks on the units, each once for all servers it applies to. */
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
