import { boolean, string } from "@oclif/core/flags";
import { ServiceError } from "../backends/ask.ts";
import type { Fleet } from "../backends/fleet.ts";
import { type ActionSecrets, actionKey } from "../model/action.ts";
import { hasUnknownSecret } from "../model/environment.ts";
import type { Change, Plan } from "../model/plan.ts";
import type { SecretValues } from "../model/spec-parts.ts";
import { isEmpty } from "../model/summary.ts";
import { parseDuration } from "../model/units.ts";
import { BackendUnreachable } from "../model/unreachable.ts";
import type { Evaluated } from "../operation/evaluating.ts";
import { apply } from "../reconciler/apply.ts";
import { RpcError } from "../rpc/errors.ts";
import { writeBackendSettings } from "../system/backend-settings.ts";
import { renderApplyLines } from "../views/apply.ts";
import type { ApplyScreen, FinalEvent } from "../views/apply-text.ts";
import { planDocument } from "../views/json.ts";
import { planView } from "../views/plan.ts";
import { EXIT } from "./exit-codes.ts";
import { type EvaluationFlags, ProjectCommand } from "./project-command.ts";
import { canAsk, confirm } from "./prompt.ts";

export const waitFlags = {
  wait: boolean({ default: true, allowNo: true, summary: "Wait until each server is ready." }),
  "wait-timeout": string({
    env: "XY_WAIT_TIMEOUT",
    helpValue: "DURATION",
    summary:
      "Wait exactly this long for each server to become ready. Without it, wait until the server's `start-timeout` " +
      "(5m unless declared), but give up after 60s without a sign of life.",
  }),
  rollback: boolean({
    default: true,
    allowNo: true,
    summary: "Restore the previous version of a changed server that does not become ready.",
  }),
};

/** Ms. */
const LONGEST_WAIT = 3_600_000;

/** Servers worked on at once. Most of their time is spent waiting to be ready, so the bound is far above what starts. */
const AT_ONCE = 512;

export interface Carry {
  readonly plan: Plan;
  readonly secrets: Readonly<Record<string, SecretValues>>;
  readonly actionSecrets: ActionSecrets;
  readonly fleet: Fleet;
  /** Undefined: while a start makes progress. */
  readonly waitMs: number | undefined;
  /** Put a changed server that does not become ready back to what it was. */
  readonly rollback: boolean;
  readonly verb?: NonNullable<ApplyScreen["verb"]>;
}

/** A plan of a project's desired state, to be carried out and remembered as a generation. */
export interface Application extends Omit<Carry, "secrets" | "actionSecrets"> {
  readonly evaluated: Evaluated;
  /** The project moves here. */
  readonly adopts?: boolean;
  /** The generation that is brought back. */
  readonly rollbackOf?: number;
}

/** What the commands share that carry out a plan: the lock, the question, the task list, the outcome. */
export abstract class ApplyCommand extends ProjectCommand {
  /** Undefined: while a start makes progress. */
  protected waitMs(flags: { wait: boolean; "wait-timeout"?: string | undefined }): number | undefined {
    const told = flags["wait-timeout"];
    if (told === undefined) return flags.wait ? undefined : 0;
    const ms = parseDuration(told);
    if (ms === undefined || ms === 0) {
      this.fail(EXIT.usage, `cannot read --wait-timeout ${told}: write a duration such as 30s or 2m`);
    }
    if (ms > LONGEST_WAIT) this.fail(EXIT.usage, "cannot wait that long: --wait-timeout is at most 1h");
    return flags.wait ? ms : 0;
  }

  /** The evaluated configuration, with the values that were applied last where a secret was not looked up. */
  protected async evaluatedToApply(flags: EvaluationFlags): Promise<Evaluated> {
    const evaluated = await this.evaluated(flags);
    const { desired, unread } = evaluated;
    const envs = [...desired.servers, ...desired.actions];
    if (Object.keys(unread).length === 0 && !envs.some(({ env }) => hasUnknownSecret(env))) return evaluated;
    const { withKeptSecrets } = await import("../operation/kept-secrets.ts");
    return withKeptSecrets(evaluated, this.state);
  }

  /** Whether the configuration was applied or agreed to before: what it starts may then go without a question. */
  protected async isSeen({ origin }: Evaluated): Promise<boolean> {
    const { isSeen } = await import("../operation/consent.ts");
    return isSeen(this.state, origin);
  }

  /** Binds the project's name to its root, and keeps the ports that its servers were given. */
  protected async bind(
    { desired, autoPorts, settings, origin, here, host }: Evaluated,
    { plan, adopts = false }: { readonly plan: Plan; readonly adopts?: boolean | undefined },
  ): Promise<void> {
    const { bindProject } = await import("../operation/project.ts");
    const { rememberSeen } = await import("../operation/consent.ts");
    // Nobody has been asked about a plan without changes.
    rememberSeen(this.state, isEmpty(plan) ? undefined : origin);
    // Before anything is done: what is done has to be undone without the configuration.
    writeBackendSettings(this.state, desired.project, settings);
    // What is left out keeps the port that it has, and a wish for another one.
    const ports = Object.fromEntries(
      Object.entries(autoPorts).filter(([name]) => !plan.skipped.includes(name)),
    );
    bindProject(this.state, desired.project, here, { ports, host, now: Date.now(), adopts });
  }

  /** The plan that removes all that a project has, whatever is declared. Close the fleet after use. */
  protected async removalOf(project: string): Promise<Pick<Carry, "plan" | "fleet">> {
    const { nothingDesired } = await import("../operation/planning.ts");
    const fleet = this.fleet(project);
    const none = { desired: nothingDesired(project, ""), diagnostics: [], warnings: [] };
    const { rolledBack: _, ...plan } = await this.planFor(none, fleet, {});
    const changes = plan.changes.map((change) => ({ ...change, reasons: [] }));
    return { fleet, plan: { ...plan, changes } };
  }

  /** Carries that out, and forgets the project. Ends the command where something cannot be removed. */
  protected async remove({ plan, fleet }: Pick<Carry, "plan" | "fleet">): Promise<readonly FinalEvent[]> {
    const { forgetProject } = await import("../operation/project.ts");
    const nothing = { secrets: {}, actionSecrets: {}, waitMs: 0, rollback: false };
    const finals = await this.reaching(() => this.carryOut({ plan, fleet, ...nothing, verb: "Destroy" }));
    const isWhole = !plan.unreachable && finals.every(({ type }) => type === "done");
    if (isWhole) await this.#forgetTyped(plan.project, fleet);
    await fleet.close();
    if (isWhole) forgetProject(this.state, plan.project);
    const left = (plan.unreachable ?? []).flatMap(({ servers }) => servers);
    if (left.length > 0)
      this.fail(
        EXIT.unreachable,
        `not everything could be removed: ${left.join(", ")}; do it again once that can be reached`,
      );
    return finals;
  }

  async #forgetTyped(project: string, fleet: Fleet): Promise<void> {
    try {
      await this.reaching(async () => (await fleet.backend("agent")).actions?.forgetTyped?.(project));
    } catch (error) {
      if (error instanceof RpcError) this.fail(EXIT.failed, error.message);
      throw error;
    }
  }

  /** Shows the plan; false when there is nothing to do. Ends the command when a check failed. */
  protected async show(plan: Plan): Promise<boolean> {
    if (!this.json) this.print(planView(plan, await this.specScreen()));
    if (plan.unreachable) process.exitCode = EXIT.unreachable;
    const errors = plan.diagnostics.filter(({ severity }) => severity === "error");
    if (errors.length > 0) {
      this.fail(EXIT.failed, "nothing was applied: the plan has problems", this.json ? errors : []);
    }
    return !isEmpty(plan);
  }

  /** What runs may be an earlier generation on purpose: leaving it is a question of its own. */
  protected async confirmedApply(plan: Plan, yes: boolean): Promise<void> {
    await this.confirmed("Apply these changes?", yes);
    if (!plan.rolledBack) return;
    const { generation, of } = plan.rolledBack;
    await this.confirmed(
      `Generation ${generation}, a rollback to ${of}, is active. Return to the configuration?`,
      yes,
    );
  }

  /** Asks before anything is done; without a terminal only `--yes` is a yes. `way`: how to go ahead without one. */
  protected async confirmed(
    question: string,
    yes: boolean,
    way = "there is no terminal to ask on; say --yes to go ahead",
  ): Promise<void> {
    if (yes) return;
    if (!canAsk() || this.json) this.fail(EXIT.failed, `nothing was applied: ${way}`);
    if (!(await confirm(question, this.signal))) this.fail(EXIT.failed, "nothing was applied");
  }

  /** Binds the project, and carries the plan out as its next generation. */
  protected async applyAsGeneration(application: Application): Promise<readonly FinalEvent[]> {
    const { plan, evaluated, rollbackOf } = application;
    const { desired, files, folders } = evaluated;
    // A rollback leaves the project bound where it is, and its servers their ports.
    if (rollbackOf === undefined) {
      await this.bind(evaluated, { plan, adopts: application.adopts });
      await this.#rename(application);
    }
    // Nothing to do, and no change of what is active to remember either.
    if (isEmpty(plan) && plan.rolledBack?.of === rollbackOf) return [];
    await this.reaching(() => this.reachSome(plan, application.fleet));
    this.signal.throwIfAborted();
    const { beginGeneration, endGeneration } = await import("../operation/generations.ts");
    const begun = { plan, desired, files, folders, rollbackOf, now: Date.now() };
    const generation = beginGeneration(this.state, begun);
    const { secrets, actionSecrets } = evaluated;
    const finals = await this.reaching(() => this.carryOut({ ...application, secrets, actionSecrets }));
    const whole = isWhole(plan, finals);
    // One that was cut off did not fail: it stays as it was begun.
    if (whole || !this.signal.aborted) endGeneration(this.state, desired.project, generation, whole);
    return finals;
  }

  /** What could not be renamed, because who has it does not answer, is renamed by the next apply. */
  async #rename({ plan, evaluated, fleet }: Application): Promise<void> {
    const specs = plan.changes.flatMap(({ renamed }) => renamed ?? []);
    const actions = plan.actions.flatMap(({ renamed }) => renamed ?? []);
    if (specs.length === 0 && actions.length === 0) return;
    const known = evaluated.actionSecrets;
    const whole = actions.filter((spec) =>
      Object.entries(spec.env).every(
        ([name, value]) => typeof value === "string" || Object.hasOwn(known[actionKey(spec)] ?? {}, name),
      ),
    );
    const secrets = Object.fromEntries(whole.map((spec) => [actionKey(spec), known[actionKey(spec)] ?? {}]));
    try {
      for (const spec of specs) await (await fleet.backend(spec.backend)).rename?.(spec);
      if (whole.length === 0) return;
      const { actions: holder } = await fleet.backend("agent");
      await holder?.take(plan.project, { set: whole, secrets, remove: [] });
    } catch (error) {
      const isOthers = [BackendUnreachable, RpcError, ServiceError].some((kind) => error instanceof kind);
      if (!isOthers) throw error;
    }
  }

  /** Carries out the plan in view of the user. Sets the exit code by its outcome. */
  protected async carryOut({
    plan,
    secrets,
    actionSecrets,
    fleet,
    waitMs,
    rollback,
    verb,
  }: Carry): Promise<readonly FinalEvent[]> {
    await this.reachSome(plan, fleet);
    const options = { secrets, actionSecrets, waitMs, rollback, signal: this.signal, concurrency: AT_ONCE };
    const finals = await this.#render(
      plan,
      apply(plan, (kind) => fleet.backend(kind), options),
      verb,
    );
    const isDone = finals.every(({ type }) => type === "done");
    if (!isDone && !this.signal.aborted) process.exitCode = EXIT.failed;
    else if (plan.unreachable) process.exitCode = EXIT.unreachable;
    return finals;
  }

  /** Where not one server can be worked on, that is one failure, and has an exit code of its own. */
  protected async reachSome({ changes, actions }: Plan, fleet: Fleet): Promise<void> {
    const active = changes.filter(({ action }) => action !== "none");
    const kindOf = ({ desired, observed }: Change) => desired?.backend ?? observed?.backend ?? "agent";
    const kinds = new Set(active.map(kindOf));
    if (actions.some(({ change }) => change !== "none")) kinds.add("agent");
    const failures: BackendUnreachable[] = [];
    for (const kind of kinds) {
      const specs = active.flatMap((change) =>
        kindOf(change) === kind ? (change.desired ?? change.observed?.spec ?? []) : [],
      );
      try {
        await (await fleet.backend(kind)).reach(specs);
      } catch (error) {
        if (!(error instanceof BackendUnreachable)) throw error;
        failures.push(error);
      }
    }
    if (failures[0] && failures.length === kinds.size) throw failures[0];
  }

  async #render(
    plan: Plan,
    events: ReturnType<typeof apply>,
    verb: Carry["verb"],
  ): Promise<readonly FinalEvent[]> {
    const screen = { colour: this.colour, ...(verb ? { verb } : {}) };
    if (this.json) return renderApplyLines(events, () => {}, screen);
    if (process.stdout.isTTY && process.env.TERM !== "dumb") {
      const { renderApplyTasks } = await import("../views/apply-tasks.ts");
      return renderApplyTasks(plan, events, process.stdout, screen);
    }
    return renderApplyLines(events, (text) => this.print(text), screen);
  }

  protected printOutcome(plan: Plan, finals: readonly FinalEvent[]): void {
    if (this.json) this.printJson({ version: 1, plan: planDocument(plan), outcome: finals });
  }
}

/** All of the plan was done, and all that is declared was in the plan. */
function isWhole(plan: Plan, finals: readonly FinalEvent[]): boolean {
  return plan.unreachable === undefined && finals.every(({ type }) => type === "done");
}
