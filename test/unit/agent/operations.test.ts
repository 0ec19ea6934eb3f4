import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { awaitStart } from "../../../src/agent/operations/operations.ts";
import { Driven } from "../../../src/agent/runs/driven.ts";
import type { Incarnation, IncarnationEvents } from "../../../src/agent/runs/incarnation.ts";
import { stopBound } from "../../../src/agent/servers/supervised.ts";
import { serverSpec } from "../../rig/spec.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server whose process survives every signal. */
class Unkillable extends Driven {
  readonly isInRow = false;
  readonly spec = serverSpec("web", "/bin/true", []);
  protected override get machineSpec() {
    return this.spec;
  }
  protected override runPath(): string {
    return "/nonexistent/run";
  }
  protected override async launch(_inc: number, events: IncarnationEvents): Promise<Incarnation> {
    queueMicrotask(() => events.spawned({ pid: 1 << 22, start: "1", boot: "b" }, Date.now()));
    return { signal: () => {}, release: () => {} } as unknown as Incarnation;
  }
  protected override record(): void {}
  protected override report(): void {}
}

test("a restart of what cannot be killed is refused, and so is a start after it", async () => {
  const server = new Unkillable();
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
