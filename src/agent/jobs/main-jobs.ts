import { withoutDefaults } from "../../model/canonical.ts";
import { isOver, type Job } from "../../model/job.ts";
import { type Exit, formatExit } from "../../model/observed.ts";
import type { ProcessId } from "../../model/process.ts";
import { earlyEnd } from "../../model/start.ts";
import { isSuccess } from "../../model/success.ts";
import type { MachineEvent } from "../../supervisor/machine.ts";
import { endsForFault, isEarly, mayLive, type ServerState } from "../../supervisor/state.ts";
import { bootId } from "../../system/processes.ts";
import type { Supervised } from "../servers/supervised.ts";
import type { JobBook } from "./book.ts";
import { type Owner, serverOwner } from "./folders.ts";
import type { JobEntry, JobPatch } from "./journal.ts";

/** Records each run of each server's own program as a job, from what the core decides. Supervision does not wait for it. */
export class MainJobs {
  readonly #book: JobBook;
  readonly #report: (message: string) => void;
  readonly #current = new Map<Supervised, JobEntry>();

  constructor(book: JobBook, report: (message: string) => void) {
    this.#book = book;
    this.#report = report;
  }

  /** The state machine of a server took a step. */
  stepped(server: Supervised, event: MachineEvent, before: ServerState): void {
    try {
      if (event.type === "exited" && event.inc === before.inc)
        this.#ended(server, event.exit, event.at, before);
      if (event.type === "spawn-failed" && event.inc === before.inc)
        this.#end(server, {
          phase: before.phase.tag === "ending" ? "cancelled" : "failed",
          error: event.reason,
          ended_at: Date.now(),
        });
      if (event.type === "spawned" && event.inc === before.inc) this.#runs(server, event.process, event.at);
      if (server.state.inc > before.inc) this.#begin(server);
      else if (!mayLive(server.state)) this.#endUnseen(server);
    } catch (error) {
      this.#report(`${server.spec.name}: cannot record its job: ${String(error)}`);
    }
  }

  /** An earlier agent may have begun a job that is not over, as far as it could tell: events of it follow. */
  takeUp(server: Supervised): void {
    try {
      const left = this.#book.newestOf(ownerOf(server));
      if (left === undefined || isOver(left)) return;
      this.#book.adopt(left);
      this.#current.set(server, left);
    } catch (error) {
      this.#report(`${server.spec.name}: cannot adopt its job: ${String(error)}`);
    }
  }

  /** The server is adopted: a job that is not its live run ended while no agent was watching. */
  tidy(server: Supervised): void {
    const left = this.#current.get(server);
    const { state } = server;
    if (left === undefined || (left.inc === state.inc && mayLive(state))) return;
    const { lastExit } = state;
    const isIts = left.inc === state.inc && lastExit !== undefined && lastExit.at >= left.created_at;
    if (isIts) this.#end(server, exitPatch(lastExit.exit, lastExit.at, server, lastExit));
    else this.#endUnseen(server);
  }

  forget(server: Supervised): void {
    this.#current.delete(server);
  }

  #begin(server: Supervised): void {
    this.#endUnseen(server);
    const { state, starter } = server;
    const spec = withoutDefaults(server.spec);
    const by = starter?.by === "operator" ? "person" : (starter?.by ?? "apply");
    const trigger: Job["trigger"] = state.restartCount > 0 ? "policy" : by;
    const { tags } = spec;
    const entry = this.#book.create({ ...ownerOf(server), trigger, tags, spec, inc: state.inc });
    this.#current.set(server, entry);
  }

  #runs(server: Supervised, process: ProcessId, at: number): void {
    const entry = this.#current.get(server);
    if (!entry || entry.pid !== null) return;
    const patch: JobPatch = { phase: "running", pid: process.pid, started_at: at };
    this.#current.set(server, this.#book.update(entry.id, patch));
  }

  #ended(server: Supervised, exit: Exit, at: number, before: ServerState): void {
    const { phase } = before;
    const requested = phase.tag === "ending" && !phase.own;
    // Stopped because it was unhealthy: nobody asked for that.
    const { reason } = before;
    const early = isEarly(before, server.spec) && isSuccess(exit, server.spec);
    if (early) this.#end(server, fault(exit, at, earlyEnd(exit, server.spec)));
    else if (endsForFault(before)) this.#end(server, fault(exit, at, reason));
    else this.#end(server, exitPatch(exit, at, server, { requested, reason }));
  }

  #endUnseen(server: Supervised): void {
    const entry = this.#current.get(server);
    if (entry) this.#end(server, { phase: "failed", error: unseenEnd(entry), ended_at: Date.now() });
  }

  #end(server: Supervised, patch: JobPatch): void {
    const entry = this.#current.get(server);
    if (!entry) return;
    this.#current.delete(server);
    this.#book.update(entry.id, { ...patch, pid: null });
  }
}

function ownerOf({ spec }: Pick<Supervised, "spec">): Owner {
  return serverOwner(spec.project, spec.name);
}

/**
 * What is said of a job that is over without anybody having seen its end. One whose start nobody has seen either, and of
 * which nothing was found, was accepted and never began.
 */
export function unseenEnd({ started_at, boot }: Pick<JobEntry, "started_at" | "boot">): string {
  const isOfToday = boot === bootId();
  if (started_at === null)
    return `it never began: the ${isOfToday ? "agent ended" : "machine went down"} before it was started`;
  return isOfToday ? UNSEEN : "the machine went down while it ran";
}

export const UNSEEN = "it ended while no agent was watching";

function fault(exit: Exit, at: number, reason: string | undefined): JobPatch {
  return { phase: "failed", error: reason ?? null, ended_at: at, ...exitFields(exit) };
}

function exitPatch(
  exit: Exit,
  at: number,
  server: Supervised,
  { requested, reason }: { readonly requested?: boolean; readonly reason?: string | undefined },
): JobPatch {
  const ended = { ended_at: at, ...exitFields(exit) };
  if (requested) return { ...ended, phase: "cancelled", error: reason ?? "it was told to stop" };
  if (isSuccess(exit, server.spec)) return { ...ended, phase: "succeeded" };
  return { ...ended, phase: "failed", ...(exit.kind === "unknown" ? { error: formatExit(exit) } : {}) };
}

export function exitFields(exit: Exit): Pick<Job, "exit_code" | "signal"> {
  return {
    exit_code: exit.kind === "code" ? exit.code : null,
    signal: exit.kind === "signal" ? exit.signal : null,
  };
}

/** The reverse; undefined when there is none. */
export function exitIn({ exit_code, signal }: Pick<Job, "exit_code" | "signal">): Exit | undefined {
  if (exit_code !== null) return { kind: "code", code: exit_code };
  return signal === null ? undefined : { kind: "signal", signal };
}
