import { understood } from "../../model/expression.ts";
import type { StartProgress } from "../../model/start-progress.ts";
import { withTimeNames } from "../../model/time-names.ts";
import { why } from "../../model/why.ts";
import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";
import { discoverer } from "../../rpc/discover.ts";
import { listEntryOf, statusEntryOf, treeEntryOf } from "../../rpc/entries.ts";
import type { ListEntry, StatusEntry } from "../../rpc/entry-contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { logPath } from "../../system/paths.ts";
import { type LogSource, LogSubscription, type LogWish } from "../logs/log-stream.ts";
import { applyChange } from "../operations/applying.ts";
import { forgetServer, keepServer } from "../operations/keeping.ts";
import { type ObservedByAgent, observe, observeWhole, probeNow } from "../operations/observing.ts";
import { pause, resume } from "../operations/pausing.ts";
import { runReload } from "../operations/reload.ts";
import { Sessions } from "../operations/sessions.ts";
import { restart, start } from "../operations/starting.ts";
import { kill, stop } from "../operations/stopping.ts";
import { children, stats } from "../operations/usage.ts";
import type { Registry } from "../servers/registry.ts";
import type { Supervised } from "../servers/supervised.ts";
import type { Caller, Handlers } from "./rpc-server.ts";

export interface AgentFacts {
  readonly version: string;
  readonly stateDir: string;
  readonly startedAt: number;
  /** The socket may move: a vanished one is bound again. */
  socket(): string;
  /** Ends the agent. */
  shutdown(how: { keepServers: boolean; replaced: boolean }): Promise<{ stopped: string[]; left: string[] }>;
  /** Tries out another program and puts it down as the next agent; {@link exit} then hands over to it. */
  prepareUpgrade(program: ParsedParams<"agent_upgrade">): Promise<{ version: string }>;
  /** Ends the process; called once the answer is out. */
  exit(how?: "hand-over"): void;
}

async function matcherOf(pattern: string): Promise<(text: string) => boolean> {
  const read = await understood(pattern);
  if (!read.ok)
    throw new RpcError(RPC_ERRORS.invalidParams, `cannot search with this pattern: ${read.fault}`);
  return (text) => read.expression.test(text);
}

/** What the agent does for each method of the contract. */
export function createHandlers(registry: Registry, agent: AgentFacts): Handlers {
  const subscriptions = new Map<Caller["gone"], Map<number, LogSubscription>>();
  let nextSubscription = 1;
  const { jobs } = registry;
  const subscribe = async (
    find: () => LogSource | Promise<LogSource>,
    { grep, ...wish }: LogWish & { readonly grep?: string | undefined },
    caller: Caller,
  ) => {
    const matching = grep === undefined ? {} : { matches: await matcherOf(grep) };
    const source = await find();
    if (caller.gone.aborted) return { subscription_id: 0 };
    const id = nextSubscription++;
    const own = subscriptions.get(caller.gone) ?? new Map<number, LogSubscription>();
    subscriptions.set(caller.gone, own);
    const subscription = new LogSubscription(id, source, caller, { ...wish, ...matching }, () =>
      own.delete(id),
    );
    own.set(id, subscription);
    caller.gone.addEventListener("abort", () => subscriptions.delete(caller.gone), { once: true });
    caller.afterAnswer(() => subscription.begin());
    return { subscription_id: id };
  };
  const discovered = discoverer(agent.version);
  const sessions = new Sessions(registry);
  sessions.watch();
  return {
    list: async ({ project }) =>
      (await upToDate(registry.all(project))).map((server) => listEntry(registry, server)),
    status: async ({ name, project }) => {
      const server = registry.get(name, project);
      await upToDate([server]);
      return statusOf(registry, server, agent.stateDir);
    },
    why: async ({ name, project }) => {
      const server = registry.get(name, project);
      await upToDate([server]);
      const text = why(observedOf(registry, server, true), Date.now());
      return { project: server.spec.project, name: server.spec.name, why: text };
    },
    tree: async ({ project }) =>
      (await upToDate(registry.all(project))).map((server) =>
        treeEntryOf(seenOf(registry, server), Date.now()),
      ),
    start: (params, caller) => start(registry, params, caller.gone),
    stop: (params) => stop(registry, params),
    restart: (params, caller) => restart(registry, params, caller.gone),
    kill: (params) => kill(registry, params),
    pause: (params) => pause(registry, params),
    resume: (params) => resume(registry, params),
    reload: ({ project }) => runReload(agent.stateDir, project),
    observe: async ({ project, name }) => {
      const servers = name === undefined ? registry.all(project) : [registry.get(name, project)];
      await upToDate(servers);
      return servers.map((server) => withTimeNames(observedOf(registry, server, name !== undefined)));
    },
    // Watched at its end: what it starts is the session's by then, and until then the caller is the session.
    apply: (params, caller) =>
      applyChange(registry, withTeller(params, caller), caller.gone).finally(() => {
        if (params.session) sessions.watch();
      }),
    keep: (params, caller) => keepServer(registry, withTeller(params, caller), caller.gone),
    forget: (params) => forgetServer(registry, params),
    session_end: ({ session }) => sessions.end(session),
    logs: (params, caller) =>
      subscribe(() => sourceOf(registry.get(params.name, params.project)), params, caller),
    action_list: async (params) => jobs.list(params),
    action_apply: (params) => jobs.apply(params),
    action_run: async (params) => jobs.run(params),
    job_run: (params) => jobs.runInline(params),
    job_list: (params) => jobs.jobs(params),
    job_get: (params) => jobs.get(params),
    job_logs: (params, caller) => subscribe(() => jobs.logOf(params.id), params, caller),
    job_cancel: (params) => jobs.cancel(params),
    job_retry: (params) => jobs.retry(params),
    job_delete: (params) => jobs.delete(params),
    job_clear: (params) => jobs.clear(params),
    logs_cancel: async ({ subscription_id }, caller) => {
      const subscription = subscriptions.get(caller.gone)?.get(subscription_id);
      if (subscription) caller.afterAnswer(() => subscription.end());
      return { cancelled: subscription !== undefined };
    },
    children: (params) => children(registry, params),
    stats: (params) => stats(registry, params),
    probe: async ({ name, project, which }) => {
      const server = registry.get(name, project);
      const { type } = server.spec[which];
      const identity = { name: server.spec.name, project: server.spec.project, which, type };
      return { ...identity, ...(await probeNow(server, which)) };
    },
    "rpc.discover": async () => discovered(agent.socket()),
    agent_info: async () => ({
      pid: process.pid,
      version: agent.version,
      socket: agent.socket(),
      state_dir: agent.stateDir,
      started_at_unix_ms: agent.startedAt,
      servers: registry.all().length,
      bridges: true,
      ...troublesOf(registry),
    }),
    agent_upgrade: async (program, caller) => {
      const outcome = await agent.prepareUpgrade(program);
      caller.afterAnswer(() => agent.exit("hand-over"));
      return outcome;
    },
    agent_shutdown: async ({ keep_servers, replaced }, caller) => {
      const outcome = await agent.shutdown({ keepServers: keep_servers, replaced });
      caller.afterAnswer(() => agent.exit());
      return outcome;
    },
  };
}

function troublesOf(registry: Registry): Pick<ResultOf<"agent_info">, "troubles"> {
  const troubles = registry
    .all()
    .flatMap(({ spec: { project, name }, troubles: own }) =>
      own.map((trouble) => ({ project, name, trouble })),
    );
  return troubles.length === 0 ? {} : { troubles };
}

/** Reports how a start is going, to a caller that asked for that. */
function withTeller<Asked extends ParsedParams<"apply"> | ParsedParams<"keep">>(
  params: Asked,
  caller: Caller,
): Asked & { readonly tell?: (progress: StartProgress) => void } {
  if (!params.progress) return params;
  const { project, server: name } = params;
  const tell = (progress: StartProgress) => caller.notify("apply_progress", { project, name, ...progress });
  return { ...params, tell };
}

/** Whoever follows a server and cannot keep up is better served by what is new. */
const MOST_BEHIND = 10_000;

function sourceOf(server: Supervised): LogSource {
  return {
    name: server.spec.name,
    log: server.log,
    onTransition: (callback) => server.changes.onTransition(callback),
    onEnd: (callback) => server.changes.onRemoved(callback),
    isOver: false,
    mostBehind: MOST_BEHIND,
    redactor: server.redactor,
  };
}

/** What their bridges tell of clients is asked for when somebody wants to know it. */
async function upToDate(servers: Supervised[]): Promise<Supervised[]> {
  await Promise.all(servers.map(({ probing }) => probing.askBridge()));
  return servers;
}

function observedOf(registry: Registry, server: Supervised, withLines: boolean): ObservedByAgent {
  return { ...observe(server, { withLines }), ...waitsFor(registry, server) };
}

function waitsFor(registry: Registry, server: Supervised): Pick<ObservedByAgent, "waitsFor"> {
  const missing = registry.waiting.of(server);
  return missing.length === 0 ? {} : { waitsFor: [...missing] };
}

function listEntry(registry: Registry, server: Supervised): ListEntry {
  return listEntryOf(seenOf(registry, server), Date.now());
}

/** In a list, what was lost of its output before is no trouble of now. */
function seenOf(registry: Registry, server: Supervised) {
  const { troubles: _, ...seen } = observeWhole(server);
  const { faults } = server;
  return {
    ...seen,
    ...waitsFor(registry, server),
    ...(faults.length === 0 ? {} : { troubles: [...faults] }),
  };
}

function statusOf(registry: Registry, server: Supervised, stateDir: string): StatusEntry {
  const seen = { ...observeWhole(server, { withLines: true }), ...waitsFor(registry, server) };
  const { project, name } = server.spec;
  return statusEntryOf(seen, logPath(stateDir, project, name), Date.now(), server.transitions);
}
