import type { Backend, PerformResult } from "../backends/backend.ts";
import { type ActionSecrets, type ActionSpec, actionKey } from "../model/action.ts";
import type { WriteClient } from "../model/client-plan.ts";
import type { ApplyEvent } from "../model/event.ts";
import type { Missing } from "../model/observed.ts";
import { own } from "../model/own.ts";
import type { Change, Plan } from "../model/plan.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { SecretValues } from "../model/spec-parts.ts";
import type { StartProgress } from "../model/start-progress.ts";
import { actionLabel } from "../model/summary.ts";
import { applyClients } from "./apply-clients.ts";
import { Channel } from "./channel.ts";
import { awaitedCondition, restingDependency } from "./dependencies.ts";
import { phases, runInOrder, type Task } from "./schedule.ts";

export interface ApplyOptions {
  /** Values of the secret references, by server. A server without any may be missing. */
  readonly secrets: Readonly<Record<string, SecretValues>>;
  /** The same for actions. */
  readonly actionSecrets?: ActionSecrets;
  /** Writes the files of clients. Absent: they stay as they are. */
  readonly writeClient?: WriteClient | undefined;
  /**
   * Longest wait for one server to become what its dependents ask for, ms; 0: do not wait, only keep the order;
   * undefined: while its start makes progress.
   */
  readonly waitMs: number | undefined;
  /** Restore the previous version of a changed server that does not become ready. Default true. */
  readonly rollback?: boolean;
  /** Once aborted, nothing new begins; what has not begun is reported as skipped. */
  readonly signal: AbortSignal;
  /** How many servers are changed at once, at least 1. */
  readonly concurrency: number;
}

export type BackendOf = (kind: ServerSpec["backend"]) => Backend | Promise<Backend>;

/**
 * Carries out a plan and yields what happens, in order. What stops comes first, dependents before their dependencies; the
 * rest follows in dependency order; both in parallel where possible. Each change yields `started`, then `done`, `failed`,
 * `waiting` or `skipped`; or `skipped` alone; with action `none` it yields nothing. A failure, thrown or not, affects no
 * other server, with one exception: a server whose dependency failed in this apply, or does not meet its condition, waits
 * for it under its backend; if it runs, it is skipped and keeps running. Ending the iteration early starts nothing new.
 * Ignores the plan's diagnostics.
 */
export async function* apply(
  plan: Plan,
  backendOf: BackendOf,
  options: ApplyOptions,
): AsyncGenerator<ApplyEvent, void, void> {
  const events = new Channel<ApplyEvent>();
  const reader = new AbortController();
  const walk = new Walk(
    backendOf,
    { ...options, signal: AbortSignal.any([options.signal, reader.signal]) },
    events,
    plan,
  );
  void walk.run();
  try {
    yield* events;
  } finally {
    reader.abort();
  }
}

const OUTCOME = { failed: "failed", waiting: "waits", skipped: "was skipped" } as const;

class Walk {
  readonly #backendOf: BackendOf;
  readonly #options: ApplyOptions;
  readonly #events: Channel<ApplyEvent>;
  readonly #changes: readonly Change[];
  readonly #plan: Plan;
  readonly #unfinished = new Map<Change, "failed" | "waiting" | "skipped">();

  constructor(backendOf: BackendOf, options: ApplyOptions, events: Channel<ApplyEvent>, plan: Plan) {
    this.#backendOf = backendOf;
    this.#options = options;
    this.#events = events;
    this.#plan = plan;
    this.#changes = plan.changes;
  }

  async run(): Promise<void> {
    for (const tasks of phases(this.#changes)) {
      await runInOrder(tasks, Math.max(1, this.#options.concurrency), (task) => this.#carryOut(task));
    }
    await applyClients(this.#plan, {
      write: this.#options.writeClient,
      signal: this.#options.signal,
      fateOf: (change) => {
        const end = this.#unfinished.get(change);
        return end && OUTCOME[end];
      },
      push: (event) => this.#events.push(event),
    });
    await this.#takeActions();
    this.#events.close();
  }

  /** All actions at once, and last: none runs on schedule while its server is still being changed. */
  async #takeActions(): Promise<void> {
    const { actionSecrets = {}, signal } = this.#options;
    const { project } = this.#plan;
    const tasks = this.#plan.actions.flatMap(({ key, change, desired }) =>
      change === "none" ? [] : [{ server: actionLabel(key), action: change, key, desired }],
    );
    if (tasks.length === 0) return;
    if (signal.aborted) {
      const message = "interrupted before it began";
      for (const { server, action } of tasks)
        this.#events.push({ type: "skipped", server, action, message, interrupted: true });
      return;
    }
    for (const { server, action } of tasks) this.#events.push({ type: "started", server, action });
    const set = tasks.flatMap(({ desired }) => desired ?? []);
    const remove = tasks.flatMap(({ key, desired }) => (desired ? [] : [key]));
    try {
      const backend = await this.#backendOf("agent");
      const keys = new Set(set.map(actionKey));
      const secrets = Object.fromEntries(Object.entries(actionSecrets).filter(([key]) => keys.has(key)));
      await backend.actions?.take(project, { set, secrets, remove });
      for (const { server, action, desired } of tasks)
        this.#events.push({ type: "done", server, action, detail: actionDetail(desired) });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      for (const { server, action } of tasks)
        this.#events.push({ type: "failed", server, action, message, lastLines: [] });
    }
  }

  async #carryOut({ change, needs }: Task): Promise<void> {
    const { server, action } = change;
    const broken = needs.find((needed) => this.#unfinished.has(needed));
    const waits = hasDependencies(change) ? await this.#waits(change) : true;
    const obstacle = this.#obstacle(change, broken, waits);
    if (obstacle !== undefined) {
      this.#skip(change, obstacle);
      if (broken === undefined || broken.server !== server) await this.#moveBack(change, needs);
      return;
    }
    this.#events.push({ type: "started", server, action });
    // Its dependencies were already waited for: from now on it waits for them by itself, without this apply.
    const outcome = await this.#perform(change, broken === undefined ? this.#options.waitMs : 0);
    const moves = needs.some(({ server: other }) => other === server);
    const result = outcome.ok || !moves ? outcome : await this.#orMovedBack(change, needs, outcome);
    const { waitsFor } = result;
    if (waitsFor !== undefined && this.#options.waitMs !== 0) this.#wait(change, result, waitsFor);
    else if (result.ok) this.#events.push({ type: "done", server, action, detail: result.detail });
    else this.#fail(change, result);
  }

  #fail(
    change: Change,
    { message, lastLines, help, portConflict, interrupted }: Extract<PerformResult, { ok: false }>,
  ): void {
    const { server, action } = change;
    this.#unfinished.set(change, "failed");
    const broken = interrupted ? { interrupted: true } : {};
    const helped = help === undefined || help.length === 0 ? {} : { help };
    const port = portConflict ? { portConflict } : {};
    this.#events.push({ type: "failed", server, action, message, lastLines, ...helped, ...port, ...broken });
  }

  #skip(change: Change, message: string): void {
    const { server, action } = change;
    this.#unfinished.set(change, "skipped");
    const interrupted = this.#options.signal.aborted ? { interrupted: true } : {};
    this.#events.push({ type: "skipped", server, action, message, ...interrupted });
  }

  #wait(change: Change, result: PerformResult, waitsFor: readonly Missing[]): void {
    const { server, action } = change;
    const message = result.ok ? result.detail : result.message;
    if (action === "restart") this.#skip(change, message);
    else {
      this.#unfinished.set(change, "waiting");
      this.#events.push({ type: "waiting", server, action, message, waitsFor });
    }
  }

  /** Whether its backend starts it by itself as soon as its dependencies allow. */
  async #waits({ desired, observed }: Change): Promise<boolean> {
    try {
      return (await this.#backendOf(desired?.backend ?? observed?.backend ?? "agent")).waits;
    } catch {
      // Its problem is reported when it is asked to do something.
      return true;
    }
  }

  #obstacle(change: Change, broken: Change | undefined, waits: boolean): string | undefined {
    const { server, action } = change;
    if (this.#options.signal.aborted) return "interrupted before it began";
    // Without waiting, dependencies only have to come first.
    if (broken === undefined)
      return this.#options.waitMs === 0 ? undefined : restingDependency(change, this.#changes, waits);
    const how = OUTCOME[this.#unfinished.get(broken) ?? "failed"];
    if (broken.server === server)
      return `its removal from ${broken.observed?.backend ?? "the other backend"} ${how}`;
    return waits && (action === "add" || action === "start")
      ? undefined
      : `${broken.server} ${how}, and ${server} depends on it`;
  }

  /** A server that does not start on its new backend is put back on its old one, once. */
  async #orMovedBack(
    change: Change,
    needs: readonly Change[],
    failure: Extract<PerformResult, { ok: false }>,
  ): Promise<Extract<PerformResult, { ok: false }>> {
    const { rollback = true, signal, waitMs } = this.#options;
    if (!rollback || waitMs === 0 || signal.aborted || failure.interrupted) return failure;
    const told = await this.#moveBack(change, needs);
    return told === undefined ? failure : { ...failure, message: `${failure.message}; ${told}` };
  }

  /** What was done, as a clause; undefined if it did not move. */
  async #moveBack(change: Change, needs: readonly Change[]): Promise<string | undefined> {
    const { server, desired } = change;
    const removal = needs.find((needed) => needed.server === server && needed.action === "remove");
    const before = removal?.observed;
    if (removal === undefined || before === undefined || desired === undefined) return undefined;
    if (this.#unfinished.has(removal)) return undefined;
    const there = `under ${before.backend}`;
    if (before.spec === undefined) return `what it was ${there} is unknown`;
    const { spec } = before;
    const secrets = keptSecrets(spec, desired, own(this.#options.secrets, server) ?? {});
    if (typeof secrets === "string")
      return `it cannot be put back ${there}: the value of ${secrets} has changed`;
    const here: Change = { ...change, action: "remove", desired, held: false };
    const { desired: _, ...gone } = here;
    const emptied = await this.#perform({ ...gone, observed: { ...before, backend: desired.backend } }, 0);
    if (!emptied.ok) return `it cannot be put back ${there}: ${emptied.message}`;
    const kept = before.kept ? { kept: before.kept } : {};
    const back: Change = {
      ...change,
      action: "add",
      desired: spec,
      held: before.operator === "stop",
      ...kept,
    };
    const again = await this.#perform(back, this.#options.waitMs, secrets);
    return again.ok
      ? `it is put back ${there}`
      : `it was put back ${there}, but does not start there either: ${again.message}`;
  }

  async #perform(change: Change, waitMs: number | undefined, known?: SecretValues): Promise<PerformResult> {
    const { secrets, rollback = true, signal } = this.#options;
    const kind = change.desired?.backend ?? change.observed?.backend ?? "agent";
    const values = known ?? own(secrets, change.server);
    const until = awaitedCondition(change.server, this.#changes);
    let isOver = false;
    const progress = (now: StartProgress) => {
      if (!isOver) this.#events.push({ type: "progress", server: change.server, progress: now });
    };
    const wanted = { secrets: values ?? {}, waitMs, until, rollback, signal, progress };
    try {
      return await (await this.#backendOf(kind)).perform(change, wanted);
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : String(error), lastLines: [] };
    } finally {
      // Nothing is reported once it is over.
      isOver = true;
    }
  }
}

function actionDetail(desired: ActionSpec | undefined): string {
  if (desired === undefined) return "";
  return desired.schedule
    ? `runs at ${desired.schedule.cron} (${desired.schedule.timeZone})`
    : "ready to run";
}

const hasDependencies = ({ desired }: Change) => desired !== undefined && desired.dependsOn.length > 0;

/** The secret values of an earlier spec, taken from those of the later one; or the name of one that is missing there. */
function keptSecrets(before: ServerSpec, after: ServerSpec, values: SecretValues): SecretValues | string {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(before.env)) {
    if (typeof value === "string") continue;
    const now = own(after.env, name);
    const known =
      now === undefined || typeof now === "string" || now.hmac !== value.hmac ? undefined : own(values, name);
    if (known === undefined) return name;
    kept[name] = known;
  }
  return kept;
}
