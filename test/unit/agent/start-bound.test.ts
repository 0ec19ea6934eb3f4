import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { awaitStart } from "../../../src/agent/operations/start-bound.ts";
import { Driven } from "../../../src/agent/runs/driven.ts";
import type { Incarnation } from "../../../src/agent/runs/incarnation.ts";
import { stopBound } from "../../../src/agent/servers/rest.ts";
import type { MachineEvent } from "../../../src/supervisor/machine.ts";
import { serverSpec } from "../../rig/spec.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server whose process survives every signal. */
function unkillable() {
  const spec = serverSpec("web", "/bin/true", []);
  const program = new Driven({
    spec: () => spec,
    runPath: () => "/nonexistent/run",
    launch: async (_inc, events) => {
      queueMicrotask(() => events.spawned({ pid: 1 << 22, start: "1", boot: "b" }, Date.now()));
      return { signal: () => {}, release: () => {} } as unknown as Incarnation;
    },
    report: () => {},
  });
  return {
    spec,
    isQueued: false,
    get state() {
      return program.state;
    },
    get spawnError() {
      return program.spawnError;
    },
    until: (condition: () => boolean, ms: number) => program.changes.until(condition, ms),
    dispatch: (event: MachineEvent) => program.dispatch(event),
  };
}

test("a restart of what cannot be killed is refused, and so is a start after it", async () => {
  const server = unkillable();
  server.dispatch({ type: "start" });
  await awaitStart(server);
  server.dispatch({ type: "restart" });
  const restarted = expect(awaitStart(server, "restart")).rejects.toThrow(
    "cannot restart web: its last process cannot be killed",
  );
  await vi.advanceTimersByTimeAsync(stopBound(server.spec));
  await restarted;
  expect(server.state.phase).toEqual({ tag: "failed", stuck: true });
  server.dispatch({ type: "start" });
  await expect(awaitStart(server)).rejects.toThrow("cannot start web: its last process cannot be killed");
});
