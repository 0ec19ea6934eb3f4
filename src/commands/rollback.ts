import { integer } from "@oclif/core/args";
import { boolean } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { planDocument } from "../views/json.ts";
import { planView } from "../views/plan.ts";
import { appliedOrEnd, applyFront, applyWorld, printOutcome, waitMsOf } from "./applying.ts";
import { BaseCommand } from "./base.ts";
import { currentProject, type EvaluationFlags, settingOf } from "./configuration.ts";
import { completed } from "./endings.ts";
import { defaultsFlag, projectFlag, trustFlags, waitFlags, yesFlag } from "./flags.ts";
import { planExitCode } from "./plan-exit.ts";
import { specScreen } from "./spec-screen.ts";

export default class Rollback extends BaseCommand {
  static override summary = "Go back to an earlier generation.";
  static override description =
    "Makes the running servers match what that generation declared. Secrets are resolved again. The configuration is " +
    "left alone: `xy plan` says that an older generation is active, and the next `xy apply` returns to the configuration.";
  static override examples = [
    { description: "Go back to the generation before this one", command: "<%= config.bin %> rollback" },
    "<%= config.bin %> rollback 12 --yes",
    {
      description: "Show what going back would do, and do nothing",
      command: "<%= config.bin %> rollback 12 --plan",
    },
  ];
  static override doing = "planning";
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
    ...defaultsFlag,
    ...projectFlag,
    plan: boolean({ exclusive: ["yes"], summary: "Only show what it would change, as `xy plan` does." }),
    "detailed-exitcode": boolean({
      dependsOn: ["plan"],
      summary: "With --plan: exit with 0 if there are no changes, with 4 if there are some.",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Rollback);
    const waitMs = waitMsOf(this, flags);
    const project = flags.project ?? (await currentProject(this, flags));
    if (project === undefined)
      this.fail(
        EXIT.failed,
        "cannot tell which project to roll back: name it with --project, or its configuration with --config",
      );
    if (flags.plan) return this.#showPlan(project, args.generation, flags);
    const { rollBack } = await import("../operation/applying/roll-back.ts");
    const { generation } = args;
    const { yes, rollback } = flags;
    const setting = settingOf(this, flags);
    const request = { project, generation, setting, yes, rollback, waitMs };
    await printOutcome(
      this,
      appliedOrEnd(this, await rollBack(applyFront(this, flags), applyWorld(this), request)),
    );
  }
  async #showPlan(
    project: string,
    generation: number | undefined,
    flags: EvaluationFlags & { readonly defaults: boolean; readonly "detailed-exitcode": boolean },
  ): Promise<void> {
    const { planRollBack } = await import("../operation/applying/roll-back.ts");
    const request = { project, generation, setting: settingOf(this, flags) };
    const found = completed(this, await planRollBack(applyWorld(this), request, this.signal));
    await this.show(found.plan, {
      warnings: () => [`What going back to generation ${found.generation.number} would do:`],
      text: async (shown) =>
        planView(shown, { ...(await specScreen(this.screen)), defaults: flags.defaults }),
      json: (shown) => ({ ...planDocument(shown), generation: found.generation.number }),
    });
    process.exitCode ??= planExitCode(found.plan, flags["detailed-exitcode"]);
  }
}
