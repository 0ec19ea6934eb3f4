/**
 * Which processes belong to a server. Pure: takes the rows of a process table and says whose they are. All that need to
 * know (who listens, what is shown, what is stopped) ask here.
 */

/** A living process, as the system reports it. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Absent where the system does not report it: macOS's `ps`. */
  readonly session?: number | undefined;
  readonly start: string;
}

/** One process of one boot: sooner or later another process gets its pid. */
export interface Mark {
  readonly pid: number;
  readonly start: string;
}

export interface Ancestry {
  /**
   * The number of the group and session that the server was started in. `isProven`: its leader is known to live, so the
   * number means nothing else. Without that, one of its members has to be known.
   */
  readonly lead?: { readonly number: number; readonly isProven: boolean } | undefined;
  readonly main?: Mark | undefined;
  /** Known as the server's from earlier: descendants that were seen. */
  readonly seen: readonly Mark[];
  /** Already told to stop, whatever happened to their ancestors. */
  readonly ending?: readonly Mark[];
  /** The asking process. Neither it nor its ancestors belong to any server. */
  readonly self: number;
  /** The leader of a group or session is another server's keeper: everything below it is that server's. */
  readonly isAnothers: (row: ProcessRow) => boolean;
  /** Pids that are known to hold the server's port. */
  readonly holders: ReadonlySet<number>;
}

export interface Family {
  /** What is stopped with the server, including the leader of its session, the keeper, if that is alive. */
  readonly own: readonly ProcessRow[];
  /** Descendants that became daemons. They are shown and named, and left alone. */
  readonly left: readonly ProcessRow[];
}

/**
 * A server's own processes are its group and session, and of its descendants those with a living ancestor in it and
 * those that hold its port; with these all of their groups and sessions, and what they descend from, as far as that was
 * seen. Takes time in proportion to what is found.
 */
export function familyOf(table: ProcessTable, ancestry: Ancestry): Family {
  const { lead, main, ending = [], seen, self, isAnothers } = ancestry;
  const living = (marks: readonly Mark[]) =>
    marks.flatMap(({ pid, start }) => (table.byPid.get(pid)?.start === start ? [pid] : []));
  const made = living(seen).flatMap((pid) => numbersOf(table.byPid.get(pid)));
  const numbers = new Set([...(lead ? [lead.number] : []), ...seen.map(({ pid }) => pid), ...made]);
  const remembered = new Set(living([...seen, ...ending]));
  const limits = { barred: ancestorsOf(table, self), numbers, isAnothers };
  const closure = new Closure(table, { ...limits, remembered });
  closure.add([...living(ending), ...(main ? living([main]) : [])], true);
  if (lead) {
    // A session's number is not reused while anyone is in it: one known member proves the rest.
    const isOurs = lead.isProven || living(seen).some((pid) => isIn(table.byPid.get(pid), lead.number));
    if (isOurs) closure.add(table.membersOf(lead.number));
  }
  const lost = living(seen).filter((pid) => !closure.has(pid));
  if (lost.length === 0) return { own: closure.rows(), left: [] };
  const around = new Closure(table, { ...limits, remembered: new Set() });
  around.add(lost);
  const isOut = ({ pid }: ProcessRow) => !closure.has(pid);
  const candidates = around.rows().filter(isOut);
  closure.add(candidates.flatMap(({ pid }) => (ancestry.holders.has(pid) ? [pid] : [])));
  return { own: closure.rows(), left: candidates.filter(isOut) };
}

const isIn = (row: ProcessRow | undefined, number: number) =>
  row !== undefined && (row.session === number || row.group === number);

const numbersOf = (row: ProcessRow | undefined) =>
  row === undefined ? [] : row.session === undefined ? [row.group] : [row.group, row.session];

/** The process and its ancestors. */
function ancestorsOf(table: ProcessTable, pid: number): ReadonlySet<number> {
  const found = new Set<number>([0, 1]);
  for (let at: number | undefined = pid; at !== undefined && !found.has(at); )
    [, at] = [found.add(at), table.byPid.get(at)?.parent];
  return found;
}

/** All processes alive at one moment, indexed by pid, parent, group and session. */
export class ProcessTable {
  readonly rows: readonly ProcessRow[];
  readonly byPid = new Map<number, ProcessRow>();
  readonly #children = new Map<number, number[]>();
  readonly #sessions = new Map<number, number[]>();
  readonly #groups = new Map<number, number[]>();

  constructor(rows: readonly ProcessRow[]) {
    this.rows = rows;
    for (const row of rows) {
      this.byPid.set(row.pid, row);
      put(this.#children, row.parent, row.pid);
      put(this.#groups, row.group, row.pid);
      if (row.session !== undefined) put(this.#sessions, row.session, row.pid);
    }
  }

  childrenOf(pid: number): readonly number[] {
    return this.#children.get(pid) ?? [];
  }

  /** Those in the session or group of that number. */
  membersOf(number: number): readonly number[] {
    return [...(this.#sessions.get(number) ?? []), ...(this.#groups.get(number) ?? [])];
  }
}

function put(map: Map<number, number[]>, key: number, value: number): void {
  const all = map.get(key);
  if (all) all.push(value);
  else map.set(key, [value]);
}

interface Limits {
  /** Never included, nor anything reached through them. */
  readonly barred: ReadonlySet<number>;
  readonly remembered: ReadonlySet<number>;
  /** Sessions and groups made by the server or a seen descendant, even if their leader is gone. */
  readonly numbers: ReadonlySet<number>;
  readonly isAnothers: (row: ProcessRow) => boolean;
}

/** Grows by everything that belongs to what is already in it. */
class Closure {
  readonly #table: ProcessTable;
  readonly #limits: Limits;
  readonly #taken = new Map<number, ProcessRow>();
  readonly #whole = new Set<number>();
  /** Sessions and groups of the asking process: sharing them proves nothing. */
  readonly #shared: ReadonlySet<number>;

  constructor(table: ProcessTable, limits: Limits) {
    this.#table = table;
    this.#limits = limits;
    const askers = [...limits.barred].flatMap((pid) => table.byPid.get(pid) ?? []);
    this.#shared = new Set([0, 1, ...askers.flatMap(numbersOf)]);
  }

  has(pid: number): boolean {
    return this.#taken.has(pid);
  }

  rows(): ProcessRow[] {
    return [...this.#taken.values()];
  }

  /** `asked`: these processes themselves, whoever they belong to. */
  add(pids: readonly number[], asked = false): void {
    const { byPid } = this.#table;
    const meant = new Set(asked ? pids : []);
    const open = [...pids];
    for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
      const row = byPid.get(pid);
      if (row === undefined || this.#taken.has(pid)) continue;
      if (!meant.has(pid) && this.#isOthers(row)) continue;
      this.#taken.set(pid, row);
      open.push(...this.#table.childrenOf(pid));
      // A shell that holds no port itself would restart its child.
      if (this.#limits.remembered.has(row.parent)) open.push(row.parent);
      for (const number of numbersOf(row)) {
        if (this.#whole.has(number) || !this.#isOfItsOwn(number)) continue;
        this.#whole.add(number);
        open.push(...this.#table.membersOf(number));
      }
    }
  }

  #isOthers(row: ProcessRow): boolean {
    if (this.#limits.barred.has(row.pid)) return true;
    return (row.pid === row.session || row.pid === row.group) && this.#limits.isAnothers(row);
  }

  /** What a service manager starts may share the manager's session with all its other servers. */
  #isOfItsOwn(number: number): boolean {
    if (this.#shared.has(number)) return false;
    const { numbers, remembered } = this.#limits;
    if (this.#table.byPid.has(number)) return this.#taken.has(number) || remembered.has(number);
    return numbers.has(number);
  }
}
