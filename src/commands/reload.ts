import { reloadResult } from "../rpc/reload-result.ts";
import { ApplyCommand, waitFlags } from "./apply-command.ts";
import { EXIT } from "./exit-codes.ts";
import { backendFlags, selectionFlags, trustFlags } from "./project-command.ts";

export default class Reload extends ApplyCommand {
  static override summary = "Apply without asking, and show what was added, changed, removed.";
  static override description =
    "Does the same as `xy apply --yes`. With --json it prints only the names of the servers that were added, removed, " +
    "changed and left unchanged, and what failed with the reason.";
  static override examples = ["<%= config.bin %> reload", "<%= config.bin %> reload --json"];
  static override enableJsonFlag = true;
  static override flags = { ...trustFlags, ...selectionFlags, ...waitFlags, ...backendFlags };

  async run(): Promise<void> {
    const { flags } = await this.parse(Reload);
    const waitMs = this.waitMs(flags);
    const evaluated = await this.evaluatedToApply(flags);
    await this.refuseOtherRoot(evaluated, false);
    await this.locked(evaluated.desired.project, async () => {
      const { settings } = evaluated;
      const fleet = this.fleet(evaluated.desired.project, { settings, adopt: flags.adopt });
      const plan = await this.planFor(evaluated, fleet, flags);
      // Nobody has looked yet at what it would start.
      if ((await this.show(plan)) && !(await this.isSeen(evaluated)))
        await this.confirmed("Apply these changes?", false, UNSEEN);
      const { rollback } = flags;
      const finals = await this.applyAsGeneration({ plan, evaluated, fleet, waitMs, rollback });
      await fleet.close();
      const result = reloadResult(plan, finals);
      if (this.json) this.printJson(result);
      const failed = result.failed.map(({ name }) => name);
      if (failed.length === 0) return;
      // Beside the document, too: an agent of an earlier version says this.
      this.note(`xy: not everything could be reloaded: ${failed.join(", ")}`);
      process.exitCode ??= EXIT.failed;
    });
  }
}

const UNSEEN =
  "this configuration was never applied here; look at it with `xy plan`, then use `xy apply`, or agree to it with --trust";
