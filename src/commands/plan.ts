import { resolve } from "node:path";
import { boolean, string } from "@oclif/core/flags";
import type { Fleet } from "../backends/fleet.ts";
import { formatDiagnostic } from "../model/diagnostic.ts";
import { hasUnknownSecret } from "../model/environment.ts";
import { EXIT } from "../model/exit-codes.ts";
import type { Machine } from "../model/machine.ts";
import { own } from "../model/own.ts";
import type { Plan } from "../model/plan.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import type { Evaluated } from "../operation/evaluating.ts";
import type { ToPlan } from "../operation/planning.ts";
import { planDocument } from "../views/json.ts";
import { machineTitle, shownMachine } from "../views/machine.ts";
import { planView } from "../views/plan.ts";
import { BaseCommand } from "./base.ts";
import { evaluatedOrEnd } from "./configuration.ts";
import { completed, reaching } from "./endings.ts";
import {
  adoptProjectFlag,
  backendFlags,
  defaultsFlag,
  machineFlag,
  secretsFlag,
  selectionFlags,
  trustFlags,
  unaskedFlag,
} from "./flags.ts";
import { olderTypes } from "./older-types.ts";
import { planExitCode } from "./plan-exit.ts";
import { plansFleet } from "./plans-fleet.ts";
import { specScreen } from "./spec-screen.ts";
import { goWithoutHome } from "./standing.ts";

export default class PlanCommand extends BaseCommand {
  static override summary = "Show what `xy apply` would change.";
  static override description =
    "Compares the configuration with what is really running, and changes nothing. Exits with 1 if a problem " +
    "would stop an apply.";
  static override examples = [
    "<%= config.bin %> plan",
    "<%= config.bin %> plan --only web --json",
    { description: "Decide now, apply later", command: "<%= config.bin %> plan -o today.plan" },
    {
      description: "Show what is declared for another machine",
      command: "<%= config.bin %> plan --for os=linux,home=/home/ada,user=ada,host=box",
    },
    {
      description: "Exit with 4 if there is something to change",
      command: "<%= config.bin %> plan --detailed-exitcode",
    },
  ];
  static override doing = "planning";
  static override enableJsonFlag = true;
  static override flags = {
    ...trustFlags,
    ...unaskedFlag,
    ...selectionFlags,
    ...backendFlags,
    ...machineFlag,
    ...defaultsFlag,
    out: string({
      ...{ char: "o", helpValue: "FILE", exclusive: ["for"] },
      summary: "Save the plan for `xy apply FILE`.",
    }),
    ...secretsFlag("Look up no secrets; treat them as unchanged."),
    ...adoptProjectFlag("Show what `xy apply --adopt-project` would do."),
    "detailed-exitcode": boolean({
      summary: "Exit with 0 if there are no changes, with 4 if there are some.",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanCommand);
    if (flags["no-secrets"]) goWithoutHome();
    const evaluated = await evaluatedOrEnd(this, flags);
    if (flags.for) return this.#showThere(evaluated, flags.for, flags);
    await refuseOtherRoot(this, evaluated, flags["adopt-project"]);
    const moving = await movingProjects(this, evaluated, flags);
    const { settings } = evaluated;
    const fleet = plansFleet(this, evaluated.desired.project, { settings, adopt: flags.adopt });
    const plan = await planFor(this, evaluated, fleet, flags);
    await fleet.close();
    // Saved first: if that fails, the failure is the only document.
    if (flags.out !== undefined) await this.#save(plan, evaluated, flags.out, flags);
    await this.show(plan, {
      text: async (shown) =>
        planView(shown, { ...(await specScreen(this.screen)), defaults: flags.defaults }),
      json: planDocument,
      notes: () => [
        ...(flags.out === undefined
          ? []
          : [`The plan is saved: \`xy apply ${flags.out}\` carries out exactly this.`]),
        ...olderTypes(evaluated.here.root, this.config.version),
      ],
    });
    process.exitCode ??= planExitCode(plan, flags["detailed-exitcode"], moving.length > 0);
  }

  /** Compares nothing: what another machine runs is not known here. */
  async #showThere(
    evaluated: Evaluated,
    machine: Machine,
    { only = [], except = [], defaults = false }: Selected,
  ) {
    const { buildPlan } = await import("../reconciler/plan.ts");
    const { desired, diagnostics, warnings } = evaluated;
    const built = buildPlan(desired, [], [...warnings, ...diagnostics], { only, except });
    if (!built.ok)
      return this.fail(
        EXIT.usage,
        built.problems.map((one) => formatDiagnostic(one)),
      );
    const plan = built.value;
    await this.show(plan, {
      warnings: () => [
        `What is declared for ${machineTitle(machine)}; it is not compared with what runs there.`,
      ],
      text: async (shown) => planView(shown, { ...(await specScreen(this.screen, machine)), defaults }),
      json: (shown) => ({ ...planDocument(shown), for: shownMachine(machine) }),
    });
    if (plan.diagnostics.some(({ severity }) => severity === "error")) process.exitCode = EXIT.failed;
  }

  async #save(
    plan: Plan,
    { unread, here: { config } }: Pick<Evaluated, "unread" | "here">,
    out: string,
    flags: Selected,
  ): Promise<void> {
    const unknown = plan.changes.filter(
      ({ server, desired }) => hasUnknownSecret(desired?.env ?? {}) || own(unread, server) !== undefined,
    );
    if (unknown.length > 0)
      this.fail(
        EXIT.failed,
        `cannot save a plan with unknown secrets: ${unknown.map(({ server }) => server).join(", ")} ` +
          "would get a secret that was not looked up; leave out --no-secrets",
      );
    const { savePlan } = await import("../operation/saved-plan.ts");
    const { only = [], except = [] } = flags;
    try {
      savePlan(this.state, resolve(out), { plan, config, only, except, now: Date.now() });
    } catch (error) {
      this.fail(EXIT.failed, `cannot save the plan to ${out}: ${(error as Error).message}`);
    }
  }
}

interface Selected {
  readonly only?: string[] | undefined;
  readonly except?: string[] | undefined;
  readonly defaults?: boolean;
}

/** The plan from the configuration to what is running. */
async function planFor(
  command: BaseCommand,
  evaluated: ToPlan,
  fleet: Fleet,
  { only, except, strict, "adopt-project": adopts }: PlanFlags,
): Promise<Plan> {
  const { planWith } = await import("../operation/fleet.ts");
  const options = { state: command.state, only, except, ...withoutUndefined({ strict, adopts }) };
  return completed(command, await reaching(command, () => planWith(fleet, evaluated, options)));
}

/** Ends the command when the project's name belongs to another root. */
async function refuseOtherRoot(command: BaseCommand, evaluated: Rooted, adopts: boolean): Promise<void> {
  const { rootRefusal } = await import("../operation/project.ts");
  const refusal = rootRefusal(command.state, evaluated, { adopts });
  if (refusal !== undefined) command.fail(EXIT.failed, refusal);
}

/** Earlier names under which this configuration was applied, whose projects would move to this one. */
async function movingProjects(
  command: BaseCommand,
  evaluated: Rooted,
  { only, except, "adopt-project": adopts }: PlanFlags,
): Promise<string[]> {
  const { projectsToMove } = await import("../operation/project.ts");
  const found = projectsToMove(command.state, evaluated, { only, except, ...withoutUndefined({ adopts }) });
  return typeof found === "string" ? command.fail(EXIT.usage, found) : found;
}

type Rooted = Pick<Evaluated, "desired" | "here">;

interface PlanFlags extends Selected {
  readonly "adopt-project"?: boolean;
  readonly strict?: boolean;
}
