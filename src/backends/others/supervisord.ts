import { type OtherProgram, type ProgramAddress, SUPERVISORD_PREFIX } from "../../model/other-program.ts";
import { ServiceError } from "../ask.ts";
import type { LogLine, LogRequest } from "../log-lines.ts";
import { type ProcessInfo, STATES, SupervisordClient } from "../units/supervisord/client.ts";
import { tail } from "../units/supervisord/output.ts";
import { processState } from "../units/supervisord/state.ts";
import { type Endpoint, XmlRpcFault } from "../units/supervisord/xml-rpc.ts";

/** Programs of a supervisord that are not xy's: listed, started and stopped by name, but not part of any plan. */

/** Pause between two looks at a program that is starting or stopping, ms. */
const GAP = 100;
/** Longest wait for a program to start or stop, ms: supervisord does not say how long that may take. */
const BOUND = 120_000;

export class SupervisordPrograms {
  readonly #client: SupervisordClient;

  constructor(endpoint: Endpoint) {
    this.#client = new SupervisordClient(endpoint);
  }

  async list(): Promise<OtherProgram[]> {
    return (await this.#client.list()).map(programOf);
  }

  /** The programs that an address names: none, one, or all of a group. */
  async find({ group, program }: ProgramAddress): Promise<OtherProgram[]> {
    const all = await this.#client.list();
    return all.filter((info) => info.group === group && (program ?? info.name) === info.name).map(programOf);
  }

  /** Starts it, and waits until it runs; false if it already did. Throws {@link ServiceError} with what prevents it. */
  async start(program: OtherProgram): Promise<boolean> {
    const name = callName(program);
    const before = await this.#settled(name, [STATES.stopping]);
    if (before.state === STATES.running) return false;
    await this.#saying("start", program, () => this.#client.start(name));
    const info = await this.#settled(name, [STATES.starting]);
    // A program that exits at once with success was started too.
    if (info.state === STATES.running || (info.state === STATES.exited && info.exitstatus === 0)) return true;
    throw new ServiceError(`cannot start ${program.name}: ${info.spawnerr || wordOf(info)}`);
  }

  /** Stops it; false if it did not run. supervisord kills it when its time is up. `wait` false: do not wait for that. */
  async stop(program: OtherProgram, { wait = true } = {}): Promise<boolean> {
    const name = callName(program);
    const before = await this.#client.get(name);
    await this.#saying("stop", program, () => this.#client.stop(name, { wait: false }));
    if (wait) await this.#settled(name, [STATES.stopping]);
    const atRest: number[] = [STATES.stopped, STATES.exited, STATES.fatal];
    return before !== undefined && !atRest.includes(before.state);
  }

  logs(program: OtherProgram, request: LogRequest, signal: AbortSignal): AsyncGenerator<LogLine, void, void> {
    return tail(this.#client, callName(program), request, signal);
  }

  /** Its state, once it is none of these transient ones. */
  async #settled(name: string, passing: readonly number[]): Promise<ProcessInfo> {
    for (const until = Date.now() + BOUND; ; ) {
      const info = await this.#client.get(name);
      if (info === undefined) throw new ServiceError(`cannot find ${name}: supervisord no longer has it`);
      if (!passing.includes(info.state)) return info;
      if (Date.now() > until)
        throw new ServiceError(`cannot wait any longer for ${name}: supervisord says ${wordOf(info)}`);
      await new Promise((resolve) => setTimeout(resolve, GAP));
    }
  }

  async #saying(verb: string, program: OtherProgram, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof XmlRpcFault)) throw error;
      const why = await this.#client.whyRefused(callName(program), error);
      throw new ServiceError(`cannot ${verb} ${program.name}: ${why}`);
    }
  }
}

const callName = ({ name }: OtherProgram) => name.slice(SUPERVISORD_PREFIX.length);

function programOf(info: ProcessInfo): OtherProgram {
  const { group, name, pid, start, stop, exitstatus, description = "", spawnerr } = info;
  const isOver = pid === 0 && stop > 0;
  const [out, err] = [info.stdout_logfile, info.stderr_logfile];
  return {
    manager: "supervisord",
    name: `${SUPERVISORD_PREFIX}${group}:${name}`,
    group,
    state: processState(info.state),
    word: wordOf(info),
    ...(pid > 0 ? { pid } : {}),
    ...(start > 0 ? { startedAt: start * 1000 } : {}),
    ...(isOver ? { stoppedAt: stop * 1000 } : {}),
    ...(isOver && info.state === STATES.exited && exitstatus >= 0 ? { exitCode: exitstatus } : {}),
    description: spawnerr || description,
    ...(out || err ? { logs: { ...(out ? { out } : {}), ...(err ? { err } : {}) } } : {}),
  };
}

const wordOf = ({ state }: ProcessInfo) =>
  Object.entries(STATES).find(([, number]) => number === state)?.[0] ?? `state ${state}`;
