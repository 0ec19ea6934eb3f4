import { resolve } from "node:path";
import { string } from "@oclif/core/args";
import { boolean } from "@oclif/core/flags";
import type { SavedPlan } from "../operation/saved-plan.ts";
import { ApplyCommand, waitFlags } from "./apply-command.ts";
import { EXIT } from "./exit-codes.ts";
import { backendFlags, secretsFlag, selectionFlags, trustFlags, yesFlag } from "./project-command.ts";

export default class Apply extends ApplyCommand {
  static override summary = "Make the running servers match the configuration.";
  static override description =
    "Shows the plan, asks for confirmation, and carries it out in dependency order. Servers that already match are left " +
    "alone. A plan saved with `xy plan -o FILE` is applied exactly as saved, without asking. It is refused if anything " +
    "that it is based on has changed since.";
  static override examples = [
    "<%= config.bin %> apply",
    {
      description: "Apply one server only, without asking",
      command: "<%= config.bin %> apply --yes --only web",
    },
    { description: "Apply a saved plan", command: "<%= config.bin %> apply today.plan" },
  ];
  static override enableJsonFlag = true;
  static override args = { plan: string({ description: "Plan saved with `xy plan -o`." }) };
  static override flags = {
    ...yesFlag,
    ...trustFlags,
    ...selectionFlags,
    ...waitFlags,
    ...backendFlags,
    ...secretsFlag(
      "Look up no secrets, neither commands nor files; keep the values that were applied before.",
    ),
    "adopt-project": boolean({ summary: "Move the project to this root from the one that it belongs to." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Apply);
    const waitMs = this.waitMs(flags);
    const saved = args.plan === undefined ? undefined : await this.#saved(args.plan, flags);
    const what = saved
      ? { ...flags, config: saved.config, only: saved.only, except: saved.except, yes: true }
      : flags;
    const evaluated = await this.evaluatedToApply(what);
    await this.refuseOtherRoot(evaluated, flags["adopt-project"]);
    await this.locked(evaluated.desired.project, async () => {
      const { settings } = evaluated;
      const fleet = this.fleet(evaluated.desired.project, { settings, adopt: flags.adopt });
      const plan = await this.planFor(evaluated, fleet, what);
      if (saved) await this.#refuseStale(saved, plan);
      if (await this.show(plan)) await this.confirmedApply(plan, what.yes);
      const { config } = what;
      const { rollback } = flags;
      const finals = await this.applyAsGeneration({ plan, evaluated, config, fleet, waitMs, rollback });
      await fleet.close();
      this.printOutcome(plan, finals);
    });
  }

  async #saved(
    path: string,
    flags: { only?: string[] | undefined; except?: string[] | undefined; "no-secrets": boolean },
  ): Promise<SavedPlan> {
    if (flags["no-secrets"])
      this.fail(EXIT.usage, "a saved plan is applied with its secrets: leave --no-secrets out");
    if (flags.only || flags.except)
      this.fail(EXIT.usage, "a saved plan is applied whole: leave --only and --except out");
    const { readSavedPlan } = await import("../operation/saved-plan.ts");
    const read = readSavedPlan(this.state, resolve(path));
    return "saved" in read
      ? read.saved
      : this.fail(EXIT.failed, `cannot apply ${path}: ${read.refusal}; make a new one with \`xy plan -o\``);
  }

  async #refuseStale(saved: SavedPlan, plan: Parameters<ApplyCommand["show"]>[0]): Promise<void> {
    const { staleServers } = await import("../operation/saved-plan.ts");
    const stale = staleServers(saved, plan);
    if (stale.length === 0) return;
    this.fail(
      EXIT.failed,
      `saved plan is stale: ${stale.join(", ")} changed since it was made (configuration, secret, or what runs). ` +
        "Nothing was applied; make a new one with `xy plan -o`",
    );
  }
}
