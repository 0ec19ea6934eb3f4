import { actionKey } from "../model/action.ts";
import { type Diagnostic, formatDiagnostic } from "../model/diagnostic.ts";
import { own } from "../model/own.ts";
import type { Evaluated } from "../operation/planning.ts";
import { ProjectCommand, secretsFlag, trustFlags, unaskedFlag } from "./project-command.ts";
import { shortenPath } from "./shorten.ts";

export default class Check extends ProjectCommand {
  static override summary = "Validate the configuration and show every problem at once.";
  static override description =
    "Changes nothing and runs no secret commands. Exits with 3 if the configuration is invalid. What is missing on this machine only, such as a program, is a warning.";
  static override examples = ["<%= config.bin %> check", "<%= config.bin %> check --config ~/dotfiles/xy"];
  static override enableJsonFlag = true;
  static override flags = {
    ...trustFlags,
    ...unaskedFlag,
    ...secretsFlag("Run no secret commands, which is what this command does anyway."),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Check);
    const { checkConfiguration } = await import("../operation/checking.ts");
    const checked = this.usable(await checkConfiguration(this.setting(flags)), "nothing was done");
    const { evaluated, warnings } = checked;
    const { desired, files, elsewhere } = evaluated;
    const { project, servers, actions } = desired;
    const errors = [...checked.errors, ...(await this.#refusals(evaluated, checked.errors))];
    if (errors.length > 0) this.usable({ ok: false, problems: [...errors, ...warnings] }, "nothing was done");
    if (this.json) {
      return this.printJson({
        valid: true,
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
      `The configuration is valid: project ${project}, ${number(servers.length, "server")}${tasks}${others}.`,
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
