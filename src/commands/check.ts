import { isManager } from "../backends/fleet.ts";
import { actionKey } from "../model/action.ts";
import { type Diagnostic, formatDiagnostic } from "../model/diagnostic.ts";
import type { Machine } from "../model/machine.ts";
import { own } from "../model/own.ts";
import { visible } from "../model/visible.ts";
import type { Evaluated } from "../operation/planning.ts";
import {
  machineFlag,
  machineTitle,
  ProjectCommand,
  secretsFlag,
  shownMachine,
  trustFlags,
  unaskedFlag,
} from "./project-command.ts";
import { shortenPath } from "./shorten.ts";
import { goWithoutHome } from "./standing.ts";

export default class Check extends ProjectCommand {
  static override summary = "Validate the configuration and show every problem at once.";
  static override description =
    "Changes nothing, runs no secret commands, and opens no env-file and no file of a secret. Exits with 3 if the configuration is invalid. What is missing on this machine only, such as a program, is a warning.";
  static override examples = [
    "<%= config.bin %> check",
    "<%= config.bin %> check --config ~/dotfiles/xy",
    {
      description: "Check what it declares for another machine",
      command: "<%= config.bin %> check --for os=macos,home=/Users/ada,user=ada,host=mbp",
    },
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...trustFlags,
    ...unaskedFlag,
    ...machineFlag,
    ...secretsFlag("Read no secrets, which is what this command does anyway."),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Check);
    goWithoutHome();
    const { checkConfiguration } = await import("../operation/checking.ts");
    const checked = this.usable(await checkConfiguration(this.setting(flags)), "nothing was done");
    const { evaluated, warnings } = checked;
    const { desired, files, elsewhere } = evaluated;
    const { project, servers, actions } = desired;
    const refusals = flags.for
      ? await refusalsThere(evaluated, checked.errors, flags.for)
      : await this.#refusals(evaluated, checked.errors);
    const errors = [...checked.errors, ...refusals];
    if (errors.length > 0) this.usable({ ok: false, problems: [...errors, ...warnings] }, "nothing was done");
    if (this.json) {
      return this.printJson({
        valid: true,
        ...(flags.for ? { for: shownMachine(flags.for) } : {}),
        project,
        servers: servers.map(({ name }) => name),
        actions: actions.map(actionKey),
        files,
        elsewhere,
        warnings,
      });
    }
    for (const warning of warnings) this.note(`warning: ${formatDiagnostic(warning, shortenPath)}`);
    const number = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
    const tasks = actions.length > 0 ? `, ${number(actions.length, "action")}` : "";
    const others =
      elsewhere.length > 0 ? `, ${elsewhere.length} for other machines (${elsewhere.join(", ")})` : "";
    this.print(
      `The configuration is valid${flags.for ? ` for ${visible(machineTitle(flags.for))}` : ""}: project ${project}, ${number(servers.length, "server")}${tasks}${others}.`,
    );
  }

  /** What the backends refuse of the servers that nothing else is wrong with. */
  async #refusals(
    { desired, place, secrets, settings }: Omit<Evaluated, "warnings">,
    found: readonly Diagnostic[],
  ): Promise<Diagnostic[]> {
    const wrong = new Set(found.map(({ server }) => server));
    const fleet = this.fleet(desired.project, { settings });
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

/** The same of another machine, whose managers are not here. */
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
    const facts = { spec, envFiles: [], home, user, installed: { enabled: true } };
    return unitProblems(backend, [{ ...facts, place: (path) => place(name, path) }]);
  });
}
