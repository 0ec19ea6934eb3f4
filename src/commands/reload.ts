import { EXIT } from "../model/exit-codes.ts";
import { reloadResult } from "../rpc/reload-result.ts";
import { appliedOrEnd, applyFront, applyWorld, waitMsOf } from "./applying.ts";
import { BaseCommand } from "./base.ts";
import { settingOf } from "./configuration.ts";
import { backendFlags, defaultsFlag, selectionFlags, trustFlags, waitFlags } from "./flags.ts";

export default class Reload extends BaseCommand {
  static override summary = "Apply without asking, and show what was added, changed, removed.";
  static override description =
    "Does the same as `xy apply --yes`. With --json it prints only the names of the servers that were added, removed, " +
    "changed and left unchanged, and what failed with the reason.";
  static override examples = ["<%= config.bin %> reload", "<%= config.bin %> reload --json"];
  static override doing = "applying";
  static override enableJsonFlag = true;
  static override flags = {
    ...trustFlags,
    ...selectionFlags,
    ...waitFlags,
    ...defaultsFlag,
    ...backendFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Reload);
    const waitMs = waitMsOf(this, flags);
    const { applyConfiguration } = await import("../operation/applying/apply.ts");
    const { only, except, strict, adopt, rollback } = flags;
    // Nobody has seen yet what a new configuration would start.
    const outcome = await applyConfiguration(
      applyFront(this, { cannotAsk: UNSEEN, defaults: flags.defaults }),
      applyWorld(this),
      {
        setting: settingOf(this, flags),
        ...{ only, except, strict, waitMs, rollback, fleet: { adopt }, asksAbout: "unseen" },
      },
    );
    const { plan, finals } = appliedOrEnd(this, outcome);
    const result = reloadResult(plan, finals);
    await this.show(result, { text: () => undefined });
    const failed = result.failed.map(({ name }) => name);
    if (failed.length === 0) return;
    // Beside the document, too: an agent of an earlier version reports this.
    this.note(`xy: not everything could be reloaded: ${failed.join(", ")}`);
    process.exitCode ??= EXIT.failed;
  }
}

const UNSEEN =
  "this configuration was never applied here; look at it with `xy plan`, then use `xy apply`, or agree to it with --trust";
