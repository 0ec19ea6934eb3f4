import type { Family, Mark, ProcessRow } from "../../model/family.ts";
import type { ProcessId } from "../../model/process.ts";
import { familyNow, isKeeper } from "../../system/family.ts";
import { childrenOf, rowOf } from "../../system/processes.ts";
import { isAnothers } from "./keepers.ts";
import { Seen } from "./seen.ts";

/** How many processes are asked for their children between two reads of the process table. */
const MOST_ASKED = 64;

/** What is known about the run when its processes are looked up. */
export interface RunLead {
  readonly main: ProcessId | undefined;
  /** The session that it began in. */
  readonly number: number | undefined;
  /** Its keeper is alive or has just exited: no other process can have its pid. */
  readonly isProven: boolean;
}

/** The processes of one run: those that exist, and those that were seen. */
export class RunFamily {
  readonly #port: number | null;
  readonly #seen: Seen;
  /** What is being stopped: it counts as a member even if its ancestors have exited. */
  readonly #ending = new Map<number, string>();
  #left: readonly ProcessRow[] = [];
  #closed = false;

  constructor(dir: string, port: number | null, seen: readonly Mark[], report: (message: string) => void) {
    this.#port = port;
    this.#seen = new Seen(dir, report);
    // The file in the folder may be a copy.
    this.#seen.keep((mark) => !isAnothers(mark.pid, dir));
    this.#seen.add(seen);
  }

  /** The daemons, as last seen. */
  get left(): readonly ProcessRow[] {
    return this.#left;
  }

  /** These count as members from now on, whatever happens to their parents. */
  end(members: readonly Mark[]): void {
    for (const { pid, start } of members) this.#ending.set(pid, start);
  }

  /** Stops remembering. */
  close(): void {
    this.#closed = true;
  }

  /** Its living processes, without the keeper. They are remembered. */
  async look({ main, number, isProven }: RunLead): Promise<Family> {
    const { own, left } = await familyNow({
      lead: number === undefined ? undefined : { number, isProven },
      main,
      seen: this.#seen.marks,
      ending: [...this.#ending].map(([pid, start]) => ({ pid, start })),
      port: this.#port,
    });
    const isMember = ({ pid }: ProcessRow) => pid !== number && pid !== process.pid;
    const family = { own: own.filter(isMember), left: left.filter(isMember) };
    const isNew = ({ pid }: ProcessRow) => pid !== main?.pid;
    if (!this.#closed) this.#seen.replace([...family.own, ...family.left].filter(isNew), number);
    this.#left = family.left;
    return family;
  }

  /**
   * Remembers the descendants that exist now, without reading the whole process table: each process is asked for its
   * children, where the system supports that.
   */
  notice(main: ProcessId): void {
    if (this.#closed) return;
    const known = new Set(this.#seen.marks.map(({ pid }) => pid));
    const asked = new Set<number>();
    const found: Mark[] = [];
    const open = [main.pid, ...known];
    for (let pid = open.shift(); pid !== undefined && asked.size < MOST_ASKED; pid = open.shift()) {
      if (asked.has(pid)) continue;
      asked.add(pid);
      for (const child of childrenOf(pid) ?? []) {
        if (known.has(child)) continue;
        const row = rowOf(child);
        if (row === undefined || (row.pid === row.group && isKeeper(child))) continue;
        found.push(row);
        open.push(child);
      }
    }
    this.#seen.add(found);
  }
}
