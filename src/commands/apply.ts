import { resolve } from "node:path";
import { string } from "@oclif/core/args";
import type { Fleet } from "../backends/fleet.ts";
import type { Change, Plan } from "../model/plan.ts";
import type { SavedPlan } from "../operation/saved-plan.ts";
import { ApplyCommand, waitFlags } from "./apply-command.ts";
import { EXIT } from "./exit-codes.ts";
import {
  adoptProjectFlag,
  backendFlags,
  secretsFlag,
  selectionFlags,
  trustFlags,
  yesFlag,
} from "./project-command.ts";

/** What no configuration has declared in a project that moves, as it is added to the other one; what that declares is its own. */
function keptIn({ changes }: Plan, { project, changes: declared }: Plan): Change[] {
  return changes.flatMap(({ server, observed, held }) => {
    if (!observed?.kept || observed.spec === undefined) return [];
    if (declared.some((one) => one.server === server)) return [];
    const desired = { ...observed.spec, project };
    const base = { reasons: [], fields: [], breaksSessions: false, kept: true } as const;
    return [{ server, action: "add", desired, held, ...base } as const];
  });
}

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
    ...adoptProjectFlag(
      "Move the project to this root, or to its new name: from the root that it belongs to, or from the project that " +
        "this root was applied as before.",
    ),
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
    const { project } = evaluated.desired;
    const names = await this.moving(evaluated, flags);
    await this.#allLocked([project, ...names], async () => {
      const { settings } = evaluated;
      const fleet = this.fleet(evaluated.desired.project, { settings, adopt: flags.adopt });
      const plan = await this.planFor(evaluated, fleet, what);
      if (saved) await this.#refuseStale(saved, plan);
      if ((await this.show(plan)) || names.length > 0) await this.confirmedApply(plan, what.yes);
      // What stands in the way of the new one leaves the old one as it is.
      if (names.length > 0) await this.reaching(() => this.reachSome(plan, fleet));
      const moved: Change[] = [];
      for (const name of names) {
        const removal = await this.removalOf(name);
        const kept = keptIn(removal.plan, plan);
        // Held until it has ended there. Who is interrupted in between has it twice, and not never.
        await this.#keep(
          kept.map((change) => ({ ...change, held: true })),
          fleet,
        );
        moved.push(...kept);
        const gone = await this.remove(removal);
        // What it still has would stand in the way.
        if (gone.some(({ type }) => type !== "done"))
          this.fail(
            EXIT.failed,
            `nothing of project ${project} was applied: project ${name} could not be removed`,
          );
      }
      await this.#keep(
        moved.filter(({ held }) => !held),
        fleet,
      );
      // The removal above has said "removed", also of these.
      if (!this.json) for (const { server } of moved) this.print(`${server}: moved to project ${project}`);
      const { rollback, "adopt-project": adopts } = flags;
      const finals = await this.applyAsGeneration({ plan, evaluated, fleet, waitMs, rollback, adopts });
      await fleet.close();
      this.printOutcome(plan, finals);
    });
  }

  /** What no configuration declares moves as it is. */
  async #keep(changes: readonly Change[], fleet: Fleet): Promise<void> {
    const options = { secrets: {}, waitMs: 0, signal: this.signal };
    for (const change of changes) {
      const agent = await fleet.backend("agent");
      const result = await this.reaching(() => agent.perform(change, options));
      if (!result.ok)
        this.fail(
          EXIT.failed,
          `cannot move ${change.server}, which no configuration declares: ${result.message}`,
        );
    }
  }

  async #allLocked(projects: readonly string[], work: () => Promise<void>): Promise<void> {
    const [first, ...rest] = projects;
    return first === undefined ? work() : this.locked(first, () => this.#allLocked(rest, work));
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
