import { string } from "@oclif/core/args";
import { isManager } from "../backends/fleet.ts";
import { actionKey } from "../model/action.ts";
import { type Diagnostic, formatDiagnostic, type Result } from "../model/diagnostic.ts";
import { EXIT } from "../model/exit-codes.ts";
import type { Machine } from "../model/machine.ts";
import { hostWord } from "../model/machine-words.ts";
import { own } from "../model/own.ts";
import { visible } from "../model/visible.ts";
import type { Evaluated } from "../operation/evaluating.ts";
import type { HostName } from "../operation/host-name.ts";
import { movedHere, movedText } from "../operation/left-behind.ts";
import { bridgeLauncherPath, usualStateFolder } from "../system/paths.ts";
import { machineTitle, shownMachine } from "../views/machine.ts";
import { BaseCommand } from "./base.ts";
import { type EvaluationFlags, settingOf, usable } from "./configuration.ts";
import { machineFlag, secretsFlag, trustFlags, unaskedFlag } from "./flags.ts";
import { olderTypes } from "./older-types.ts";
import { shortenPath } from "./shorten.ts";
import { goWithoutHome } from "./standing.ts";
import { fleetOf } from "./units.ts";

export default class Check extends BaseCommand {
  static override summary = "Validate the configuration and show every problem at once.";
  static override description =
    "Changes nothing, runs no secret commands, and opens neither env-files nor secret files. Exits with 3 if the configuration is invalid. Something missing only on this machine, such as a program, is a warning.";
  static override examples = [
    "<%= config.bin %> check",
    "<%= config.bin %> check --config ~/dotfiles/xy",
    {
      description: "Check the configuration that changed files belong to, as in a hook before a commit",
      command: "<%= config.bin %> check servers.d/web.yaml servers.d/db.yaml",
    },
    {
      description: "Check what it declares for another machine",
      command: "<%= config.bin %> check --for os=macos,home=/Users/ada,user=ada,host=mbp",
    },
  ];
  static override doing = "checking";
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    files: string({ description: "Files whose configuration to check." }),
  };
  static override flags = {
    ...trustFlags,
    ...unaskedFlag,
    ...machineFlag,
    ...secretsFlag("Read no secrets, which is what this command does anyway."),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Check);
    goWithoutHome();
    const files = argv as string[];
    const found: Valid[] = [];
    const failed: Failure[] = [];
    for (const config of await this.#configurations(files, flags)) {
      const result = await this.#look({ ...flags, config });
      if (result.ok) found.push(result.value);
      else failed.push(result);
    }
    if (failed.length > 0) this.#endWith(failed, found);
    await this.show(found, {
      warnings: (all) => [
        ...all.flatMap(({ warnings }) => warnings.map(warningText)),
        ...new Set(all.flatMap(({ notes }) => notes)),
      ],
      text: (all) => all.map(({ document }) => validityOf(document, flags.for)).join("\n"),
      json: (all) => {
        const documents = all.map(({ document }) => ({ valid: true, ...document }));
        return files.length === 0 ? documents[0] : { valid: true, projects: documents };
      },
    });
  }

  /** The configurations to check, as `--config` would name them. Undefined: the one found from here. */
  async #configurations(
    files: readonly string[],
    { config }: { readonly config?: string | undefined },
  ): Promise<readonly (string | undefined)[]> {
    if (files.length === 0) return [config];
    if (process.argv.some((word) => word.startsWith("--config")))
      this.fail(EXIT.usage, "cannot check files and --config at once: name one or the other");
    const { configurationsOf } = await import("../operation/checking.ts");
    return usable(
      this,
      await configurationsOf(files, { cwd: process.cwd(), env: process.env }),
      "nothing was done",
    );
  }

  async #look(flags: EvaluationFlags): Promise<{ readonly ok: true; readonly value: Valid } | Failure> {
    const { checkConfiguration } = await import("../operation/checking.ts");
    const checked = await checkConfiguration(settingOf(this, flags));
    if (!checked.ok) return checked;
    const { evaluated, errors: wrong, warnings, name } = checked.value;
    const refusals = flags.for
      ? await refusalsThere(evaluated, wrong, flags.for)
      : await this.#refusals(evaluated, wrong);
    const errors = [...wrong, ...refusals];
    if (errors.length > 0) return { ok: false, problems: [...errors, ...warnings] };
    const { desired, files, elsewhere, here } = evaluated;
    const { project, servers, actions } = desired;
    const document = {
      ...(flags.for
        ? { for: shownMachine(flags.for) }
        : { host: { name: hostWord(name.name), from: name.from } }),
      project,
      servers: servers.map(({ name }) => name),
      actions: actions.map(actionKey),
      files,
      elsewhere,
      ...(desired.elsewhere && { elsewhereBecause: desired.elsewhere }),
      warnings,
    };
    const notes = [
      ...(flags.for ? [] : movedNotes(this.state, evaluated)),
      ...notesOn(desired, flags.for ? undefined : name),
      ...olderTypes(here.root, this.config.version),
    ];
    return { ok: true, value: { document, warnings, notes } };
  }

  #endWith(failed: readonly Failure[], found: readonly Valid[]): never {
    const is = (what: "refused" | "missing") => failed.every((one) => one[what]);
    const problems = [...failed.flatMap((one) => one.problems), ...found.flatMap(({ warnings }) => warnings)];
    const why = is("refused") ? { refused: true as const } : is("missing") ? { missing: true as const } : {};
    return usable<never>(this, { ok: false, problems, ...why }, "nothing was done");
  }

  /** What the backends refuse, for servers without other problems. */
  async #refusals(
    { desired, place, secrets, settings }: Omit<Evaluated, "warnings">,
    found: readonly Diagnostic[],
  ): Promise<Diagnostic[]> {
    const wrong = new Set(found.map(({ server }) => server));
    const fleet = fleetOf(this, desired.project, { settings });
    const errors: Diagnostic[] = [];
    for (const spec of desired.servers.filter(({ name }) => !wrong.has(name))) {
      const backend = await fleet.backend(spec.backend);
      for (const { severity, path, message } of backend.check(spec, own(secrets, spec.name)))
        if (severity === "error")
          errors.push({ severity, server: spec.name, message, ...place(spec.name, path) });
    }
    await fleet.close();
    return errors;
  }
}

const warningText = (warning: Diagnostic) => `warning: ${formatDiagnostic(warning, shortenPath)}`;

type Failure = Extract<Result<never>, { ok: false }> & { readonly refused?: true; readonly missing?: true };

/** What to show for a configuration without problems. */
interface Valid {
  readonly document: {
    readonly project: string;
    readonly servers: readonly string[];
    readonly actions: readonly string[];
    readonly elsewhere: readonly string[];
  };
  readonly warnings: readonly Diagnostic[];
  /** Remarks for a person. */
  readonly notes: readonly string[];
}

/** The name of this machine where the network does not give it, and servers that are for other machines. */
function notesOn({ elsewhere = {} }: Evaluated["desired"], name: HostName | undefined): string[] {
  const isSaid = name !== undefined && name.from !== "network";
  const by = name?.from === "XY_HOST" ? "XY_HOST" : shortenPath(name?.from ?? "");
  return [
    ...(isSaid ? [`The name of this machine is ${name.name}, from ${by}.`] : []),
    ...Object.entries(elsewhere).map(([server, why]) => `${server} is declared for other machines (${why})`),
  ];
}

/** What was applied where this folder was before: the plan says more. */
function movedNotes(state: string, { here }: Pick<Evaluated, "here">): string[] {
  return movedHere(state, here).map(
    ({ project }) => `${movedText(state, project, here)}; \`xy plan\` shows how to go on`,
  );
}

function validityOf({ project, servers, actions, elsewhere }: Valid["document"], machine?: Machine): string {
  const number = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  const tasks = actions.length > 0 ? `, ${number(actions.length, "action")}` : "";
  const others =
    elsewhere.length > 0 ? `, ${elsewhere.length} for other machines (${elsewhere.join(", ")})` : "";
  const there = machine ? ` for ${visible(machineTitle(machine))}` : "";
  return `The configuration is valid${there}: project ${project}, ${number(servers.length, "server")}${tasks}${others}.`;
}

/** The same for another machine, whose service managers cannot be asked from here. */
async function refusalsThere(
  { desired, place }: Omit<Evaluated, "warnings">,
  found: readonly Diagnostic[],
  { home, user }: Machine,
): Promise<Diagnostic[]> {
  const { unitProblems } = await import("../backends/render/units.ts");
  const wrong = new Set(found.map(({ server }) => server));
  return desired.servers.flatMap((spec) => {
    const { backend, name } = spec;
    if (!isManager(backend) || wrong.has(name)) return [];
    const launcher = bridgeLauncherPath(usualStateFolder(home));
    const facts = { spec, envFiles: [], home, user, launcher, installed: { enabled: true } };
    return unitProblems(backend, [{ ...facts, place: (path) => place(name, path) }]);
  });
}
