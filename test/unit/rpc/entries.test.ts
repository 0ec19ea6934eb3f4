import { describe, expect, it } from "vitest";
import type { Exit } from "../../../src/model/observed.ts";
import { entryOfAgent, lastEndOf, listEntryOf } from "../../../src/rpc/entries.ts";
import { listEntry } from "../../../src/rpc/entry-contract.ts";
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
