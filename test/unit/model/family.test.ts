import { describe, expect, test } from "vitest";
import { type Ancestry, familyOf, type ProcessRow, ProcessTable } from "../../../src/model/family.ts";

/**
 * Who is a server's. The agent is 10, in a session of its own; it has started the keeper 20, which leads the session
 * and the group of the server, and that the main process 21.
 */

const AGENT = row(10, 1);
const KEEPER = row(20, 10);
const MAIN = row(21, 20, { group: 20, session: 20 });

/** Leads a group and a session, unless said otherwise. Started in the order of the numbers. */
function row(pid: number, parent: number, more: Partial<ProcessRow> = {}): ProcessRow {
  return { pid, parent, group: pid, session: pid, start: `t${pid}`, ...more };
}

const mark = (pid: number) => ({ pid, start: `t${pid}` });

function family(rows: readonly ProcessRow[], more: Partial<Ancestry> = {}) {
  const { own, left } = familyOf(new ProcessTable([row(1, 0), AGENT, ...rows]), {
    lead: { number: 20, isProven: rows.includes(KEEPER) },
    main: mark(21),
    seen: [],
    self: 10,
    isAnothers: () => false,
    holders: new Set(),
    ...more,
  });
  const pids = (all: readonly ProcessRow[]) => all.map(({ pid }) => pid).sort((a, b) => a - b);
  return { own: pids(own), left: pids(left) };
}

describe("a server's processes are", () => {
  test("its session, whatever group they are in and whoever is their parent", () => {
    const inGroup = row(22, 21, { session: 20 });
    const orphan = row(23, 1, { group: 20, session: 20 });
    expect(family([KEEPER, MAIN, inGroup, orphan])).toEqual({ own: [20, 21, 22, 23], left: [] });
  });

  test("whatever descends from it, with the groups and sessions that these have made", () => {
    const child = row(22, 21);
    const grandchild = row(23, 22);
    const sibling = row(24, 1, { group: 24, session: 23 });
    expect(family([KEEPER, MAIN, child, grandchild, sibling]).own).toEqual([20, 21, 22, 23, 24]);
  });

  test("its session also without keeper, as long as one of it is known", () => {
    const other = row(22, 1, { session: 20 });
    const seen = row(23, 1, { session: 20 });
    expect(family([MAIN, other]).own).toEqual([21, 22]);
    expect(family([other, seen], { seen: [mark(23)] }).own).toEqual([22, 23]);
    // The number alone may be anybody's by now.
    expect(family([other])).toEqual({ own: [], left: [] });
  });

  test("its group and the descendants that were seen, where the system tells no session", () => {
    const bare = [KEEPER, MAIN, row(22, 21), row(23, 1)].map(({ session: _, ...rest }) => rest);
    const rows = bare.map((one) => (one.pid === 21 ? { ...one, group: 20 } : one));
    const lead = { number: 20, isProven: true };
    expect(family(rows, { lead, seen: [mark(23)] })).toEqual({ own: [20, 21, 22], left: [23] });
  });
});

describe("a descendant that was seen, and that nothing living leads to,", () => {
  const lost = row(30, 1);
  const below = row(31, 30);

  test("is left, with what descends from it", () => {
    const rows = [KEEPER, MAIN, lost, below];
    expect(family(rows, { seen: [mark(30)] })).toEqual({ own: [20, 21], left: [30, 31] });
    expect(family(rows)).toEqual({ own: [20, 21], left: [] });
  });

  test("is the server's when it holds its port, with the shell above it that would start it again", () => {
    const rows = [lost, below, row(40, 1)];
    const seen = [mark(30), mark(31), mark(40)];
    expect(family(rows, { seen, holders: new Set([31]) })).toEqual({ own: [30, 31], left: [40] });
    expect(family(rows, { seen: [mark(30), mark(40)], holders: new Set([31]) }).own).toContain(31);
  });

  test("is nobody's when its number is another process's", () => {
    const seen = [{ pid: 30, start: "earlier" }];
    expect(family([KEEPER, MAIN, lost], { seen, holders: new Set([30]) })).toEqual({
      own: [20, 21],
      left: [],
    });
    expect(family([row(21, 1)], { main: { pid: 21, start: "earlier" } }).own).toEqual([]);
  });

  test("is meant as long as it was told to end", () => {
    expect(family([lost, below], { ending: [mark(30)] }).own).toEqual([30, 31]);
    expect(family([lost], { ending: [{ pid: 30, start: "earlier" }] }).own).toEqual([]);
  });
});

describe("never taken are", () => {
  test("the servers of an agent that is a server itself", () => {
    const keeper = row(50, 21);
    const theirs = row(51, 50, { group: 50, session: 50 });
    const isAnothers = ({ pid }: ProcessRow) => pid === 50;
    expect(family([KEEPER, MAIN, keeper, theirs, row(52, 51)], { isAnothers }).own).toEqual([20, 21]);
  });

  test("whoever asks, and what that descends from and has started", () => {
    const shell = row(22, 21);
    const agent = { ...row(60, 22), group: 22, session: 22 };
    const other = row(61, 60);
    expect(family([KEEPER, MAIN, shell, agent, other], { self: 60 }).own).toEqual([21]);
  });

  test("the other programs of a service manager, in whose session a server is", () => {
    const manager = row(70, 1);
    const program = row(71, 70, { session: 70 });
    const child = row(72, 71, { group: 71, session: 70 });
    const other = row(73, 70, { session: 70 });
    const kin = { lead: undefined, main: mark(71) };
    expect(family([manager, program, child, other], kin).own).toEqual([71, 72]);
    // Also when what led the session of the manager has ended.
    const orphaned = [program, child, other].map((one) => ({ ...one, session: 69 }));
    expect(family([manager, ...orphaned], kin).own).toEqual([71, 72]);
  });
});

test("a process table with a loop in it is gone through once", () => {
  expect(family([KEEPER, { ...MAIN, parent: 22 }, row(22, 21)]).own).toEqual([20, 21, 22]);
});
