import { integer } from "@oclif/core/args";
import type { Setting } from "../operation/evaluating.ts";
import type { Generation } from "../operation/generations.ts";
import { ApplyCommand, waitFlags } from "./apply-command.ts";
import { EXIT } from "./exit-codes.ts";
import { projectFlag, trustFlags, yesFlag } from "./project-command.ts";

export default class Rollback extends ApplyCommand {
  static override summary = "Go back to an earlier generation.";
  static override description =
    "Makes the running servers match what that generation declared. Secrets are resolved again. The configuration is " +
    "left alone: `xy plan` says that an older generation is active, and the next `xy apply` returns to the configuration.";
  static override examples = [
    { description: "Go back to the generation before this one", command: "<%= config.bin %> rollback" },
    "<%= config.bin %> rollback 12 --yes",
  ];
  static override enableJsonFlag = true;
  static override args = {
    generation: integer({
      min: 1,
      description: "Number in `xy history` (default: the one before the active one).",
    }),
  };
  static override flags = {
    ...yesFlag,
    ...trustFlags,
    ...waitFlags,
    ...projectFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Rollback);
    const waitMs = this.waitMs(flags);
    const project = flags.project ?? (await this.currentProject(flags));
    if (project === undefined)
      this.fail(
        EXIT.failed,
        "cannot tell which project to roll back: name it with --project, or its configuration with --config",
      );
    const { evaluateGeneration } = await import("../operation/evaluating.ts");
    await this.locked(project, async () => {
      const generation = await this.#generation(project, args.generation);
      const setting = this.setting(flags);
      await this.#refuseUnagreed(generation, project, setting);
      const evaluated = await evaluateGeneration(generation, project, setting);
      const fleet = this.fleet(project);
      const plan = await this.planFor(evaluated, fleet, {});
      if (await this.show(plan))
        await this.confirmed(`Go back to generation ${generation.number}?`, flags.yes);
      const rollbackOf = generation.rollbackOf ?? generation.number;
      const { rollback } = flags;
      const application = {
        plan,
        evaluated,
        fleet,
        waitMs,
        rollback,
        rollbackOf,
        verb: "Rollback",
      } as const;
      const finals = await this.applyAsGeneration(application);
      await fleet.close();
      this.printOutcome(plan, finals);
    });
  }

  async #refuseUnagreed(generation: Generation, project: string, setting: Setting): Promise<void> {
    const { mayBringBack } = await import("../operation/consent.ts");
    const { userFolder } = await import("../config/find/discover.ts");
    const { readMachine } = await import("../operation/machine.ts");
    const { readProject } = await import("../system/projects.ts");
    const { servers, actions = [], root } = generation;
    const record = readProject(this.state, project) ?? { root, config: root };
    const ownRoot = userFolder({ env: setting.env, machine: readMachine(setting.env) });
    const asking = { ...setting.consent, state: this.state, ownRoot };
    if (await mayBringBack([...servers, ...actions], record, asking)) return;
    this.fail(
      EXIT.invalidConfig,
      `nobody has agreed to ${record.root}, nothing was done: this generation runs commands for its secrets; agree with --trust`,
    );
  }

  async #generation(project: string, wanted: number | undefined): Promise<Generation> {
    const { history, previousGeneration, readGeneration } = await import("../operation/generations.ts");
    const entries = history(this.state, project);
    const number = wanted ?? previousGeneration(entries);
    if (number === undefined) this.fail(EXIT.failed, "cannot roll back: there is no earlier generation");
    if (!entries.some((entry) => entry.number === number)) {
      this.fail(EXIT.failed, `cannot roll back to generation ${number}: there is none; see \`xy history\``);
    }
    const generation = readGeneration(this.state, project, number);
    return (
      generation ??
      this.fail(EXIT.failed, `cannot roll back to generation ${number}: its file cannot be read`)
    );
  }
}
