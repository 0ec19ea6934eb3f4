import { describe, expect, it } from "vitest";
import type { Exit, Observed } from "../../../src/model/observed.ts";
import type { observed as observedSchema } from "../../../src/model/observed-schema.ts";
import {
  entryOfAgent,
  lastEndOf,
  listEntryOf,
  statusEntryOf,
  treeEntryOf,
} from "../../../src/rpc/entries.ts";
import { listEntry, statusEntry, treeEntry } from "../../../src/rpc/entry-contract.ts";
import { NOW, resting, running, spec } from "../reconciler/fixtures.ts";

const ENDS: readonly [Exit, object][] = [
  [
    { kind: "code", code: 7 },
    { last_exit: 7, last_end: { code: 7, at_unix_ms: NOW } },
  ],
  [{ kind: "signal", signal: "SIGKILL" }, { last_end: { signal: "SIGKILL", at_unix_ms: NOW } }],
  [{ kind: "unknown" }, { last_end: { at_unix_ms: NOW } }],
];

describe("the last end of a server", () => {
  it.each(ENDS)("%j: its code is a number, and there is none of a signal", (exit, expected) => {
    expect(lastEndOf({ exit, at: NOW })).toEqual(expected);
    expect(lastEndOf({ exit, at: NOW, requested: true }).last_end).toMatchObject({ requested: true });
  });

  it.each(ENDS)("%j of an agent of an earlier version is told as today", (exit, expected) => {
    const { is_running: _, ...entry } = listEntryOf(running(spec("web")), NOW);
    const said = { ...entry, last_exit: { exit, at_unix_ms: NOW } } as unknown as typeof entry & {
      is_running: boolean;
    };
    const told = entryOfAgent(said);
    expect(told).toEqual({ ...entry, is_running: true, ...expected });
    expect(listEntry.parse(told)).toEqual(told);
    expect(entryOfAgent(told)).toEqual(told);
  });
});

it("a server runs in the state `running` alone", () => {
  expect(listEntryOf(running(spec("web")), NOW)).toMatchObject({ state: "running", is_running: true });
  for (const state of ["stopped", "failed", "restarting", "stopping", "starting"] as const)
    expect(listEntryOf(resting(spec("web"), { state }), NOW)).toMatchObject({ state, is_running: false });
});

describe("an entry of a server has each field of its schema", () => {
  /** Of which there is something to say in every field. */
  const told = {
    ...running(spec("web")),
    lastExit: { exit: { kind: "code", code: 7 }, at: NOW },
    paused: { at: NOW, until: NOW + 1 },
    unwatched: { reason: "no file descriptors are left" },
    waitsFor: [{ server: "db", condition: "ready", state: "stopped", resting: true }],
    kept: true,
    troubles: ["its record cannot be written"],
    startedBy: { by: "apply" },
    reason: "exit 7",
    drift: "its unit was edited",
    mcp: { authorization: "none" },
    bridge: {
      ...{ share: "all", start: "on-demand", sleeping: true },
      ...{ sessions: [], session_count: 0, children: [], child_count: 0 },
    },
    lastLines: ["listening"],
  } as const satisfies Partial<Record<keyof typeof observedSchema.shape, unknown>> as unknown as Observed &
    Required<Pick<Observed, "spec">>;
  // Only `xy list` looks for folders.
  const fields = (shape: object) =>
    Object.keys(shape)
      .filter((key) => key !== "root_gone")
      .sort();

  it("in a list, in a tree and by itself", () => {
    const step = { from: "starting", to: "running", at: NOW, reason: "it was started" } as const;
    const status = statusEntryOf(told, "/log", NOW, [step]);
    expect(Object.keys(listEntryOf(told, NOW)).sort()).toEqual(fields(listEntry.shape));
    expect(Object.keys(treeEntryOf(told, NOW)).sort()).toEqual(fields(treeEntry.shape));
    expect(Object.keys(status).sort()).toEqual(fields(statusEntry.shape));
    expect(statusEntry.parse(status)).toMatchObject({
      paused: { at_unix_ms: NOW, until_unix_ms: NOW + 1 },
      recent_transitions: [{ from: "starting", to: "running", at_unix_ms: NOW, reason: "it was started" }],
    });
  });
});
