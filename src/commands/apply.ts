import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { string } from "@oclif/core/args";
import { EXIT } from "../model/exit-codes.ts";
import { NAME_PATTERN } from "../model/name.ts";
import type { Plan } from "../model/plan.ts";
import type { Stop } from "../operation/outcome.ts";
import type { SavedPlan } from "../operation/saved-plan.ts";
import { appliedOrEnd, applyFront, applyWorld, printOutcome, waitMsOf } from "./applying.ts";
import { BaseCommand } from "./base.ts";
import { settingOf } from "./configuration.ts";
import {
  adoptProjectFlag,
  backendFlags,
  defaultsFlag,
  secretsFlag,
  selectionFlags,
  trustFlags,
  waitFlags,
  yesFlag,
} from "./flags.ts";

export default class Apply extends BaseCommand {
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
  static override doing = "planning";
  static override enableJsonFlag = true;
  static override args = { plan: string({ description: "Plan saved with `xy plan -o`." }) };
  static override flags = {
    ...yesFlag,
    ...trustFlags,
    ...selectionFlags,
    ...waitFlags,
    ...defaultsFlag,
    ...backendFlags,
    ...secretsFlag(
      "Look up no secrets, neither commands nor files; keep the values that were applied before.",
    ),
    ...adoptProjectFlag(
      "Move the project to this root, or to its new name: from the root that it belongs to, or from the project that " +
        "this root was applied as before.",
    ),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Apply);
    const waitMs = waitMsOf(this, flags);
    const saved = args.plan === undefined ? undefined : await this.#saved(args.plan, flags);
    const { config, only, except } = saved ?? flags;
    const { applyConfiguration } = await import("../operation/applying/apply.ts");
    const outcome = await applyConfiguration(applyFront(this, flags), applyWorld(this), {
      setting: settingOf(this, { ...flags, config, only, except }),
      ...{ only, except, waitMs, rollback: flags.rollback, strict: flags.strict },
      adopts: flags["adopt-project"],
      fleet: { adopt: flags.adopt },
      asksAbout: saved || flags.yes ? "none" : "changes",
      ...(saved && { review: saved.review }),
    });
    await printOutcome(this, appliedOrEnd(this, outcome));
  }

  async #saved(
    path: string,
    flags: { only?: string[] | undefined; except?: string[] | undefined; "no-secrets": boolean },
  ): Promise<SavedPlan & { readonly review: (plan: Plan) => Stop | undefined }> {
    if (flags["no-secrets"])
      this.fail(EXIT.usage, "a saved plan is applied with its secrets: leave --no-secrets out");
    if (flags.only || flags.except)
      this.fail(EXIT.usage, "a saved plan is applied whole: leave --only and --except out");
    if (NAME_PATTERN.test(path) && !existsSync(path))
      this.fail(
        EXIT.usage,
        `cannot apply ${path}: there is no saved plan of that name; for one server alone, type \`xy apply --only ${path}\``,
      );
    const { readSavedPlan, staleness } = await import("../operation/saved-plan.ts");
    const read = readSavedPlan(this.state, resolve(path));
    if (!("saved" in read))
      return this.fail(
        EXIT.failed,
        `cannot apply ${path}: ${read.refusal}; make a new one with \`xy plan -o\``,
      );
    const { saved } = read;
    const review = (plan: Plan) => {
      const message = staleness(saved, plan);
      return message === undefined ? undefined : ({ why: "failed", message } as const);
    };
    return { ...saved, review };
  }
}
