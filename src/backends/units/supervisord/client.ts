import pLimit from "p-limit";
import { z } from "zod";
import { targetOf } from "../../../model/target.ts";
import { BackendUnreachable } from "../../../model/unreachable.ts";
import { callXmlRpc, type Endpoint, XmlRpcFault, XmlRpcUnreachable, type XmlValue } from "./xml-rpc.ts";

/** What supervisord answers with when it refuses: see its `xmlrpc.py`. */
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

/** One program, as supervisord tells of it. Times are in seconds since 1970, 0 for never. */
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

/** What its methods answer with: whatever else comes is no supervisord's. */
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

/** What a reading of its files would change. */
export interface Pending {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

const AT_ONCE = 4;
/** Longest wait for an answer that nothing stands behind, ms. */
const BOUND = 10_000;

/** A supervisord that is reached by XML-RPC. Every method throws {@link BackendUnreachable}, or an {@link XmlRpcFault}. */
export class SupervisordClient {
  readonly #endpoint: Endpoint;
  /** It does one thing at a time: whoever asks much at once would wait too long for each answer. */
  readonly #limit = pLimit(AT_ONCE);

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Its process, and its version. */
  async identify(): Promise<{ pid: number; version: string; state: string }> {
    const [pid, version, { statename }] = await Promise.all([
      this.#call("getPID"),
      this.#call("getSupervisorVersion"),
      this.#call("getState"),
    ]);
    return { pid, version, state: statename };
  }

  async list(): Promise<readonly ProcessInfo[]> {
    return this.#call("getAllProcessInfo");
  }

  /** Undefined for a program that it does not have. */
  async get(name: string): Promise<ProcessInfo | undefined> {
    return this.#unless([FAULTS.badName], "getProcessInfo", [name]);
  }

  /** Starts it, and does not wait for what comes of that; one that runs is left alone. */
  async start(name: string): Promise<void> {
    await this.#unless([FAULTS.alreadyStarted], "startProcess", [name, false]);
  }

  /** Stops it. Without `wait` it is only told to. */
  async stop(name: string, { wait, bound = BOUND }: { wait: boolean; bound?: number }): Promise<void> {
    await this.#unless([FAULTS.notRunning, FAULTS.badName], "stopProcess", [name, wait], bound);
  }

  /** Has it send a signal to the first process of a program. */
  async signal(name: string, signal: string): Promise<void> {
    await this.#unless([FAULTS.notRunning, FAULTS.badName], "signalProcess", [name, signal]);
  }

  /** Reads its files again, and changes nothing by that. */
  async reread(): Promise<Pending> {
    const [[added, changed, removed]] = await this.#call("reloadConfig");
    return { added, changed, removed };
  }

  /** Takes in a group that {@link reread} found; one that starts by itself is started. */
  async add(group: string): Promise<void> {
    await this.#unless([FAULTS.alreadyAdded], "addProcessGroup", [group]);
  }

  /** Forgets a group that is stopped. */
  async remove(group: string): Promise<void> {
    await this.#unless([FAULTS.badName], "removeProcessGroup", [group]);
  }

  /** What a program has printed since `offset`; undefined when there is no such place any more. */
  async read(name: string, stream: "stdout" | "stderr", offset: number): Promise<string | undefined> {
    const method = stream === "stdout" ? "readProcessStdoutLog" : "readProcessStderrLog";
    const nothing = [FAULTS.badArguments, FAULTS.badName, FAULTS.noFile, FAULTS.failed];
    return this.#unless(nothing, method, [name, offset, 0]);
  }

  /** What it has of a program's output from `offset` on, and where that ends. */
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

  /** As a call; undefined when it is refused for one of these reasons, which say that there is nothing to do. */
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
      // What waits for the end of a program is answered late, and keeps nobody.
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
