import { integer } from "@oclif/core/args";
import { EXIT } from "../model/exit-codes.ts";
import { appliedOrEnd, applyFront, applyWorld, printOutcome, waitMsOf } from "./applying.ts";
import { BaseCommand } from "./base.ts";
import { currentProject, settingOf } from "./configuration.ts";
import { projectFlag, trustFlags, waitFlags, yesFlag } from "./flags.ts";

export default class Rollback extends BaseCommand {
  static override summary = "Go back to an earlier generation.";
  static override description =
    "Makes the running servers match what that generation declared. Secrets are resolved again. The configuration is " +
    "left alone: `xy plan` says that an older generation is active, and the next `xy apply` returns to the configuration.";
  static override examples = [
    { description: "Go back to the generation before this one", command: "<%= config.bin %> rollback" },
    "<%= config.bin %> rollback 12 --yes",
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
    ...projectFlag,
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
    const { rollBack } = await import("../operation/applying/roll-back.ts");
    const { generation } = args;
    const { yes, rollback } = flags;
    const setting = settingOf(this, flags);
    const request = { project, generation, setting, yes, rollback, waitMs };
    await printOutcome(this, appliedOrEnd(this, await rollBack(applyFront(this), applyWorld(this), request)));
  }
}
