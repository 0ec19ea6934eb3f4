import { setMaxListeners } from "node:events";
import type { ActionSpec } from "../../model/action.ts";
import { withoutDefaults } from "../../model/canonical.ts";
import { isBridged } from "../../model/launch.ts";
import type { Observed } from "../../model/observed.ts";
import { LONGEST_PATIENCE, SLACK } from "../../model/patience.ts";
import type { Action, Change } from "../../model/plan.ts";
import type { ProcessId } from "../../model/process.ts";
import { type ServerSpec, serverSpec } from "../../model/spec.ts";
import { startTimeoutOf } from "../../model/start.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { ConnectionLost, type RpcClient } from "../../rpc/client.ts";
import type { Method, Params, ResultOf } from "../../rpc/contract.ts";
import { explained, isUnknownParam, RpcError } from "../../rpc/errors.ts";
import type { Notifications } from "../../rpc/notifications.ts";
import { hasActions, hasTypedJobs, recordedNames } from "../../system/projects.ts";
import type { ActionsChange, Backend, PerformOptions, PerformResult, Remark } from "../backend.ts";
import { isAgentExpected } from "./find.ts";
import { reachAgent } from "./reach.ts";

const INTERRUPTED: PerformResult = {
  ok: false,
  message: "interrupted; the agent continues what it started",
  lastLines: [],
  interrupted: true,
};

/** How long an agent waits that only understands a fixed time, ms. */
const UNKNOWING_PATIENCE = 60_000;

const keyOf = (project: string, server: string) => `${project}/${server}`;

type ActiveAction = Exclude<Action, "none">;

/** xy's own agent as a backend. It keeps one connection; close it after use. */
export class AgentBackend implements Backend {
  readonly kind = "agent";
  readonly waits = true;
  readonly #state: string;
  readonly #session: ProcessId | undefined;
  #client: Promise<RpcClient> | undefined;
  /** Who is told how a server's start is progressing. */
  readonly #listeners = new Map<string, NonNullable<PerformOptions["progress"]>>();

  /** `session`: what this object starts is stopped when that process exits. */
  constructor(state: string, session?: ProcessId) {
    this.#state = state;
    this.#session = session;
  }

  /** The agent can run every spec, but only as the account, never as the machine's. */
  check(spec: ServerSpec): readonly Remark[] {
    if (spec.class !== "system") return [];
    const message = "the agent cannot express class: it runs servers as the account, from login on";
    return [{ severity: "warning", path: ["class"], message }];
  }

  async observe(project: string): Promise<readonly Observed[]> {
    if (recordedNames(this.#state, project).length === 0) {
      const { anySurvives } = await import("../../system/survivors.ts");
      if (!(await anySurvives(this.#state, project))) return [];
    }
    const observed = await this.#call("observe", { project });
    return observed.map((server) => (server.spec ? { ...server, spec: completed(server.spec) } : server));
  }

  /** Connects, and starts the agent if none runs, so that a failure shows before the first change. */
  async reach(): Promise<void> {
    await this.#connect();
  }

  readonly actions = {
    recorded: async (project: string): Promise<readonly ActionSpec[]> => {
      if (!hasActions(this.#state, project)) return [];
      const actions = await this.#call("action_list", { project });
      return actions.map(({ spec }) => spec);
    },
    forgetTyped: async (project: string): Promise<void> => {
      if (hasTypedJobs(this.#state, project)) await this.#call("job_clear", { project });
    },
    take: async (project: string, { set, secrets, remove }: ActionsChange): Promise<void> => {
      await this.#call("action_apply", { project, set: [...set], secrets, remove: [...remove] });
    },
  };

  /** An agent of an earlier version keeps the names that it has. */
  async rename(spec: ServerSpec): Promise<void> {
    const { project, name: server } = spec;
    const request = { project, server, action: "update", wait_ms: 0, renamed: true } as const;
    try {
      await this.#call("apply", { ...request, spec: withoutDefaults(spec) });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
    }
  }

  async perform(change: Change, options: PerformOptions): Promise<PerformResult> {
    if (change.action === "none") return { ok: true, detail: "unchanged" };
    try {
      return await this.#apply(change, change.action, options);
    } catch (error) {
      // An agent that was told to exit has removed its record; one that crashed has not.
      if (!(error instanceof ConnectionLost) || !isAgentExpected(this.#state)) throw error;
      // The agent died meanwhile, and is being restarted. Its successor continues what it had begun.
      return this.#apply(change, remaining(change.action), options);
    }
  }

  async #apply(change: Change, action: ActiveAction, options: PerformOptions): Promise<PerformResult> {
    await this.#connect();
    if (options.signal.aborted) return INTERRUPTED;
    const { desired, observed, server } = change;
    const fault = desired && isBridged(desired) ? await this.#noBridges(server) : undefined;
    if (fault !== undefined) return { ok: false, message: fault, lastLines: [] };
    const project = desired?.project ?? observed?.project;
    if (project === undefined) throw new Error(`change of ${server} names no project`);
    if (change.kept && desired) return performed(await this.#call("keep", keeping(change, desired, options)));
    const request: Params<"apply"> = {
      project,
      server,
      action,
      wait_ms: options.waitMs ?? UNKNOWING_PATIENCE,
      // Omitted if it is the default: an agent of an earlier version does not know it.
      ...(options.until === undefined || options.until === "ready" ? {} : { until: options.until }),
      rollback: options.rollback ?? true,
      secrets: options.secrets,
      ...(this.#session ? { session: this.#session } : {}),
      // Sent only if needed: an agent of an earlier version does not know these.
      ...(desired ? { spec: withoutDefaults(desired) } : {}),
      ...(change.held && action === "add" ? { held: true } : {}),
    };
    const call = this.#listening(project, server, options, () => this.#waited(request, options));
    const result = await unlessAborted(call, options.signal);
    if (result === undefined) return INTERRUPTED;
    return performed(result);
  }

  /** An agent of an earlier version would run the server's program as if that spoke HTTP. */
  async #noBridges(server: string): Promise<string | undefined> {
    const { bridges, version } = await this.#call("agent_info", {});
    if (bridges) return undefined;
    return `cannot start ${server}: the agent that runs, of xy ${version}, serves no servers over stdin and stdout; \`xy agent upgrade\` replaces it`;
  }

  /** An agent of an earlier version refuses params that it does not know before it does anything: then it is asked without. */
  async #waited(request: Params<"apply">, { waitMs, progress }: PerformOptions): Promise<ResultOf<"apply">> {
    const { spec } = request;
    if (waitMs === 0 || spec === undefined) return this.#call("apply", request);
    const wait =
      waitMs === undefined
        ? { wait_ms: Math.min(startTimeoutOf(spec) + SLACK, LONGEST_PATIENCE), while_progress: true }
        : {};
    const more = { ...wait, ...(progress ? { progress: true } : {}) };
    try {
      return await this.#call("apply", { ...request, ...more });
    } catch (error) {
      if (!(error instanceof RpcError) || !isUnknownParam(error, Object.keys(more))) throw error;
      return this.#call("apply", request);
    }
  }

  /** Listens meanwhile for the progress of the server's start. */
  async #listening<T>(
    project: string,
    server: string,
    { progress }: PerformOptions,
    work: () => Promise<T>,
  ): Promise<T> {
    if (progress === undefined) return work();
    const key = keyOf(project, server);
    this.#listeners.set(key, progress);
    return work().finally(() => {
      if (this.#listeners.get(key) === progress) this.#listeners.delete(key);
    });
  }

  async close(): Promise<void> {
    (await this.#client?.catch(() => undefined))?.close();
  }

  #connect(): Promise<RpcClient> {
    if (this.#client) return this.#client;
    const connection = reachAgent(this.#state);
    this.#client = connection;
    void connection.then(
      (client) => {
        client.onNotification = (method, params) => {
          if (method === "apply_progress") this.#hear(params as Notifications["apply_progress"]);
        };
      },
      () => {},
    );
    const forget = () => {
      if (this.#client === connection) this.#client = undefined;
    };
    connection.then((client) => client.closed.then(forget), forget);
    return connection;
  }

  #hear(told: Notifications["apply_progress"]): void {
    const { project, name, ...progress } = told;
    this.#listeners.get(keyOf(project, name))?.(progress);
  }

  /** Calls a method. If the agent's version does not know it, the error says what to do. */
  async #call<M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>> {
    const client = await this.#connect();
    return client.call(method, params).catch((error) => {
      throw error instanceof RpcError ? explained(error) : error;
    });
  }
}

function performed(result: ResultOf<"apply">): PerformResult {
  const waits = withoutUndefined({ waitsFor: result.waits_for });
  return result.ok
    ? { ok: true, detail: result.detail, ...waits }
    : {
        ok: false,
        message: result.message,
        lastLines: result.last_lines,
        ...withoutUndefined({ help: result.help }),
        ...(result.port_conflict ? { portConflict: true } : {}),
        ...waits,
      };
}

function keeping({ held }: Change, spec: ServerSpec, { waitMs, secrets }: PerformOptions): Params<"keep"> {
  const { project, name: server } = spec;
  const wait = withoutUndefined({ wait_ms: waitMs });
  return { project, server, spec: withoutDefaults(spec), secrets, held, ...wait };
}

/** An agent of an earlier version knows fewer fields; one of a later version may have values that are invalid here. */
function completed(spec: ServerSpec): ServerSpec {
  const read = serverSpec.safeParse(spec);
  return read.success ? read.data : spec;
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    // Every server that is being changed listens for the interruption.
    setMaxListeners(0, signal);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/**
 * A restart that was already carried out is not repeated: it would cut off the clients of the new process. A start
 * restarts what still runs as it was declared before, and the agent decides that when it is about to do it.
 */
const remaining = (action: ActiveAction): ActiveAction => (action === "restart" ? "start" : action);
