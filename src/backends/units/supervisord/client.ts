import pLimit from "p-limit";
import { z } from "zod";
import { targetOf } from "../../../model/target.ts";
import { BackendUnreachable } from "../../../model/unreachable.ts";
import { callXmlRpc, type Endpoint, XmlRpcFault, XmlRpcUnreachable, type XmlValue } from "./xml-rpc.ts";

/** Fault codes of supervisord: see its `xmlrpc.py`. */
export const FAULTS = {
  badArguments: 3,
  shutdownState: 6,
  badName: 10,
  noFile: 20,
  failed: 30,
  alreadyStarted: 60,
  notRunning: 70,
  alreadyAdded: 90,
} as const;

export const STATES = {
  stopped: 0,
  starting: 10,
  running: 20,
  backoff: 30,
  stopping: 40,
  exited: 100,
  fatal: 200,
} as const;

/** One program, as supervisord reports it. Times are in seconds since 1970, 0 for never. */
const processInfo = z.object({
  name: z.string(),
  group: z.string(),
  state: z.int(),
  start: z.number(),
  stop: z.number(),
  pid: z.int().min(0),
  /** -1: a signal ended it. */
  exitstatus: z.int(),
  spawnerr: z.string(),
  description: z.string().optional(),
  stdout_logfile: z.string().optional(),
  stderr_logfile: z.string().optional(),
});
export type ProcessInfo = z.infer<typeof processInfo>;

/** Results of its methods: any other answer does not come from a supervisord. */
const ANSWERS = {
  getPID: z.int().min(1),
  getSupervisorVersion: z.string(),
  getState: z.object({ statename: z.string() }),
  getAllProcessInfo: z.array(processInfo),
  getProcessInfo: processInfo,
  startProcess: z.boolean(),
  stopProcess: z.boolean(),
  signalProcess: z.boolean(),
  reloadConfig: z.tuple([z.tuple([z.array(z.string()), z.array(z.string()), z.array(z.string())])]),
  addProcessGroup: z.boolean(),
  removeProcessGroup: z.boolean(),
  readProcessStdoutLog: z.string(),
  readProcessStderrLog: z.string(),
  tailProcessStdoutLog: z.tuple([z.string(), z.int().min(0), z.boolean()]),
  tailProcessStderrLog: z.tuple([z.string(), z.int().min(0), z.boolean()]),
} as const;
type Method = keyof typeof ANSWERS;
type AnswerOf<M extends Method> = z.infer<(typeof ANSWERS)[M]>;

/** What reloading its files would change. */
export interface Pending {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

const AT_ONCE = 4;
/** Longest wait for the answer to a call that does not itself wait for anything, ms. */
const BOUND = 10_000;

/** For how long it counts as unreachable once it was, ms: a command asks more than once, and need not wait each time. */
const STAYS_UNREACHABLE = 2000;

/** A supervisord, reached by XML-RPC. Every method may throw {@link BackendUnreachable} or an {@link XmlRpcFault}. */
export class SupervisordClient {
  readonly #endpoint: Endpoint;
  /** It does one thing at a time: with many calls at once, each answer would take too long. */
  readonly #limit = pLimit(AT_ONCE);
  #failure: { readonly error: BackendUnreachable; readonly at: number } | undefined;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Its pid and version. */
  async identify(): Promise<{ pid: number; version: string; state: string }> {
    const failure = this.#failure;
    if (failure && performance.now() - failure.at < STAYS_UNREACHABLE) throw failure.error;
    try {
      const [pid, version, { statename }] = await Promise.all([
        this.#call("getPID"),
        this.#call("getSupervisorVersion"),
        this.#call("getState"),
      ]);
      return { pid, version, state: statename };
    } catch (error) {
      if (error instanceof BackendUnreachable) this.#failure = { error, at: performance.now() };
      throw error;
    }
  }

  async list(): Promise<readonly ProcessInfo[]> {
    return this.#call("getAllProcessInfo");
  }

  /** Undefined if it does not have the program. */
  async get(name: string): Promise<ProcessInfo | undefined> {
    return this.#unless([FAULTS.badName], "getProcessInfo", [name]);
  }

  /** Starts it, without waiting for the result; a running program is left alone. */
  async start(name: string): Promise<void> {
    await this.#unless([FAULTS.alreadyStarted], "startProcess", [name, false]);
  }

  /**
   * What prevented a start or a stop that it refused. It says SPAWN_ERROR also of a program that ended before it had
   * answered: its own record of the program knows more.
   */
  async whyRefused(name: string, fault: XmlRpcFault): Promise<string> {
    return (await this.get(name))?.spawnerr || told(fault);
  }

  /** Stops it. Without `wait`, does not wait for its exit. */
  async stop(name: string, { wait, bound = BOUND }: { wait: boolean; bound?: number }): Promise<void> {
    await this.#unless([FAULTS.notRunning, FAULTS.badName], "stopProcess", [name, wait], bound);
  }

  /** Makes it signal the first process of a program. */
  async signal(name: string, signal: string): Promise<void> {
    await this.#unless([FAULTS.notRunning, FAULTS.badName], "signalProcess", [name, signal]);
  }

  /** Makes it reread its files, which changes nothing yet. */
  async reread(): Promise<Pending> {
    const [[added, changed, removed]] = await this.#call("reloadConfig");
    return { added, changed, removed };
  }

  /** Loads a group that {@link reread} found, which starts it if it is to start by itself. */
  async add(group: string): Promise<void> {
    await this.#unless([FAULTS.alreadyAdded], "addProcessGroup", [group]);
  }

  /** Unloads a stopped group. */
  async remove(group: string): Promise<void> {
    await this.#unless([FAULTS.badName], "removeProcessGroup", [group]);
  }

  /** A program's output since `offset`; undefined if that position no longer exists. */
  async read(name: string, stream: "stdout" | "stderr", offset: number): Promise<string | undefined> {
    const method = stream === "stdout" ? "readProcessStdoutLog" : "readProcessStderrLog";
    const nothing = [FAULTS.badArguments, FAULTS.badName, FAULTS.noFile, FAULTS.failed];
    return this.#unless(nothing, method, [name, offset, 0]);
  }

  /** A program's output from `offset` on, and where it ends. */
  async tail(
    name: string,
    stream: "stdout" | "stderr",
    offset: number,
    length: number,
  ): Promise<{ text: string; offset: number; overflow: boolean }> {
    const method = stream === "stdout" ? "tailProcessStdoutLog" : "tailProcessStderrLog";
    const nothing = [FAULTS.badName, FAULTS.noFile, FAULTS.failed];
    const answer = await this.#unless(nothing, method, [name, offset, length]);
    const [text, end, overflow] = answer ?? ["", 0, false];
    return { text, offset: end, overflow };
  }

  /** Calls a method; undefined if it is refused for one of these reasons, which mean that there is nothing to do. */
  async #unless<M extends Method>(
    codes: readonly number[],
    method: M,
    params: XmlValue[],
    bound?: number,
  ): Promise<AnswerOf<M> | undefined> {
    try {
      return await this.#call(method, params, bound);
    } catch (error) {
      if (error instanceof XmlRpcFault && codes.includes(error.code)) return undefined;
      throw error;
    }
  }

  async #call<M extends Method>(
    method: M,
    params: readonly XmlValue[] = [],
    bound = BOUND,
  ): Promise<AnswerOf<M>> {
    const answer = ANSWERS[method].safeParse(await this.#asked(method, params, bound));
    if (answer.success) return answer.data as AnswerOf<M>;
    throw this.unreachable(`its answer to ${method} is not one of supervisord's`);
  }

  async #asked(method: Method, params: readonly XmlValue[], bound: number): Promise<XmlValue> {
    const call = () => callXmlRpc(this.#endpoint, `supervisor.${method}`, params, bound);
    try {
      // A call that waits for a program's exit is answered late, and must not delay others.
      return await (bound > BOUND ? call() : this.#limit(call));
    } catch (error) {
      if (error instanceof XmlRpcUnreachable) throw this.unreachable(error.message);
      if (error instanceof XmlRpcFault && error.code === FAULTS.shutdownState)
        throw this.unreachable("it is shutting down");
      throw error;
    }
  }

  unreachable(why: string): BackendUnreachable {
    return new BackendUnreachable(
      `cannot reach supervisord at ${targetOf(this.#endpoint.url)}: ${why}; start it, or correct the url, user and password under supervisord in xy.config`,
    );
  }
}

/** The message of a fault, without the list of all variables that supervisord knows. */
export const told = ({ message }: XmlRpcFault) =>
  message.replace(/ ?Available names: [\s\S]*?(?= in section|$)/, "").replace(/^[A-Z_]+: /, "");
