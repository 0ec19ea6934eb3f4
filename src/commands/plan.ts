import { resolve } from "node:path";
import { boolean, string } from "@oclif/core/flags";
import type { Plan } from "../model/plan.ts";
import { isEmpty } from "../model/summary.ts";
import { planDocument } from "../views/json.ts";
import { planView } from "../views/plan.ts";
import { EXIT } from "./exit-codes.ts";
import {
  backendFlags,
  ProjectCommand,
  secretsFlag,
  selectionFlags,
  trustFlags,
  unaskedFlag,
} from "./project-command.ts";

export default class PlanCommand extends ProjectCommand {
  static override summary = "Show what `xy apply` would change.";
  static override description =
    "Compares the configuration with what is really running, and changes nothing. Exits with 1 if a check fails that " +
    "would stop an apply.";
  static override examples = [
    "<%= config.bin %> plan",
    "<%= config.bin %> plan --only web --json",
    { description: "Decide now, apply later", command: "<%= config.bin %> plan -o today.plan" },
    {
      description: "Exit with 4 if there is something to change",
      command: "<%= config.bin %> plan --detailed-exitcode",
    },
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...trustFlags,
    ...unaskedFlag,
    ...selectionFlags,
    ...backendFlags,
    out: string({ char: "o", helpValue: "FILE", summary: "Save the plan for `xy apply FILE`." }),
    ...secretsFlag("Run no secret commands; treat their secrets as unchanged."),
    "detailed-exitcode": boolean({
      summary: "Exit with 0 if there are no changes, with 4 if there are some.",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanCommand);
    const evaluated = await this.evaluated(flags);
    await this.refuseOtherRoot(evaluated, false);
    const { settings } = evaluated;
    const fleet = this.fleet(evaluated.desired.project, { settings, adopt: flags.adopt });
    const plan = await this.planFor(evaluated, fleet, flags);
    await fleet.close();
    // Saved first: when that fails there is one document, that of the failure.
    if (flags.out !== undefined) await this.#save(plan, flags.out, flags);
    if (this.json) this.printJson(planDocument(plan));
    else this.print(planView(plan, await this.specScreen()));
    if (flags.out !== undefined && !this.json) {
      this.note(`The plan is saved: \`xy apply ${flags.out}\` carries out exactly this.`);
    }
    if (plan.diagnostics.some(({ severity }) => severity === "error")) process.exitCode = EXIT.failed;
    else if (plan.unreachable) process.exitCode = EXIT.unreachable;
    else if (flags["detailed-exitcode"] && !isEmpty(plan)) process.exitCode = EXIT.changesPending;
  }

  async #save(plan: Plan, out: string, flags: SavedFlags): Promise<void> {
    if (flags["no-secrets"])
      this.fail(EXIT.usage, "cannot save a plan that looked at no secrets: leave --no-secrets out");
    const { savePlan } = await import("../operation/saved-plan.ts");
    const { config = plan.root, only = [], except = [] } = flags;
    try {
      savePlan(this.state, resolve(out), { plan, config: resolve(config), only, except, now: Date.now() });
    } catch (error) {
      this.fail(EXIT.failed, `cannot save the plan to ${out}: ${(error as Error).message}`);
    }
  }
}

interface SavedFlags {
  readonly config?: string | undefined;
  readonly only?: string[] | undefined;
  readonly except?: string[] | undefined;
  readonly "no-secrets": boolean;
}
