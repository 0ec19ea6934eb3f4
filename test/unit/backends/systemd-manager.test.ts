import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Answer } from "../../../src/backends/ask.ts";
import type { Unit } from "../../../src/backends/units/manager.ts";
import { SystemdManager } from "../../../src/backends/units/systemd/manager.ts";
import { BackendUnreachable } from "../../../src/model/unreachable.ts";
import { shellSpec } from "../../rig/spec.ts";

const OK: Answer = { code: 0, stdout: "", stderr: "" };

/** A manager that is answered by a function, and what it was asked. */
function asked(answer: (words: string) => Partial<Answer>) {
  const calls: string[] = [];
  const manager = new SystemdManager(
    { HOME: "/home/ann" },
    { uid: 1000, username: "ann" },
    (name) => ({ out: `/state/${name}.out`, err: `/state/${name}.err` }),
    async (program, args) => {
      const words = [program, ...args.filter((word) => !word.startsWith("--property"))].join(" ");
      calls.push(words.replace(" --no-pager --no-ask-password", ""));
      return { ...OK, ...answer(words) };
    },
  );
  return { manager, calls };
}

const unit = (name: string, over: Parameters<typeof shellSpec>[2] = {}, more: Partial<Unit> = {}): Unit => {
  const spec = shellSpec(name, "true", { backend: "systemd", ...over });
  return {
    spec,
    file: `/units/xy.p.${name}.service`,
    enabled: true,
    isEdited: false,
    isTouched: false,
    ...more,
  };
};

const told = (fields: Record<string, string | number>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

describe("servers of class system", () => {
  const machine = unit("m", { class: "system" });

  it("lie with the machine's units, and are told to the machine's systemd alone", async () => {
    const { manager, calls } = asked(() => ({}));
    expect(manager.fileOf(machine.spec)).toBe("/etc/systemd/system/xy.p.m.service");
    await manager.reach([machine.spec]);
    await manager.load(machine);
    await manager.start(machine);
    await manager.stop(machine);
    expect(calls).toEqual([
      "systemctl show",
      "systemctl --no-reload --quiet enable xy.p.m.service",
      "systemctl daemon-reload",
      "systemctl start xy.p.m.service",
      "systemctl stop xy.p.m.service",
      "systemctl reset-failed xy.p.m.service",
    ]);
    expect(manager.hint(machine.spec)).toBeUndefined();
  });

  it("are looked at beside those of the account, each where they are", async () => {
    const block = (pid: number) =>
      told({ Id: "xy.p.a.service", ActiveState: "active", SubState: "running", MainPID: pid });
    const { manager, calls } = asked((words) => ({ stdout: block(words.includes("--user") ? 11 : 22) }));
    const here = await manager.look([unit("a")]);
    const there = await manager.look([unit("a", { class: "system" })]);
    expect([here.get("a")?.pid, there.get("a")?.pid]).toEqual([11, 22]);
    expect(calls).toEqual(["systemctl --user show xy.p.a.service", "systemctl show xy.p.a.service"]);
  });

  it("say which systemd does not answer", async () => {
    const { manager } = asked(() => ({ code: 1, stderr: "System has not been booted with systemd" }));
    await expect(manager.reach([machine.spec])).rejects.toThrow(BackendUnreachable);
    await expect(manager.reach([machine.spec])).rejects.toThrow(
      "the systemd of this machine: System has not",
    );
    await expect(manager.look([unit("a")])).rejects.toThrow("the systemd of this account");
    await manager.reach([]);
  });
});

describe("a start that systemctl calls failed", () => {
  const now = Date.UTC(2026, 10, 26, 1, 15, 54, 300);
  beforeEach(() => vi.useFakeTimers({ now, shouldAdvanceTime: true }));
  afterEach(() => vi.useRealTimers());

  const text = (at: number) => `Thu ${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const ended = (status: number, at = now) => ({
    Result: "exit-code",
    ExecMainCode: 1,
    ExecMainStatus: status,
    ExecMainExitTimestamp: text(at),
  });
  const failed = { ActiveState: "failed", SubState: "failed" };
  const waits = { ActiveState: "activating", SubState: "auto-restart" };
  const onItsWay = { ActiveState: "activating", SubState: "start", MainPID: 12, Result: "success" };
  const runs = { ActiveState: "active", MainPID: 12, ExecMainStartTimestamp: text(now) };

  /** What a start comes to, by what the unit shows in one look after the other; the last is repeated. */
  async function started(...looks: Record<string, string | number>[]) {
    const { manager, calls } = asked((words) => {
      if (words.includes(" start ")) return { code: 1, stderr: "Job failed. See ..." };
      if (!words.includes(" show ")) return {};
      const [fields] = looks.length > 1 ? looks.splice(0, 1) : looks;
      return { stdout: told({ Id: "xy.p.a.service", ...fields }) };
    });
    const outcome = await manager.start(unit("a")).then(
      () => "started",
      (error) => error.message,
    );
    return { outcome, starts: calls.filter((words) => words.includes(" start ")).length };
  }

  it.each([
    ["it has failed since", [{ ...failed, ...ended(7) }]],
    ["it is about to be started again", [{ ...waits, ...ended(7) }]],
    ["it runs again", [runs]],
    ["it was being started again, and has ended", [onItsWay, onItsWay, { ...failed, ...ended(7) }]],
    ["it was being started again, and runs", [onItsWay, runs]],
  ])("is one when %s", async (_, looks) => {
    expect(await started(...looks)).toEqual({ outcome: "started", starts: 1 });
  });

  it.each([
    [
      "its program cannot be run",
      [{ ...failed, ...ended(203) }],
      "cannot start a: exit 203: its program cannot be run: /bin/sh",
    ],
    [
      "that is tried again",
      [onItsWay, { ...waits, ...ended(203) }],
      "cannot start a: exit 203: its program cannot be run: /bin/sh",
    ],
    [
      "it is masked, and ran before",
      [{ LoadState: "masked", ActiveState: "inactive", ...ended(0, now - 5000) }],
      "cannot start a with systemctl: Job failed. See ...",
    ],
    [
      "another process of it runs",
      [{ ...runs, ExecMainStartTimestamp: text(now - 5000) }],
      "cannot start a with systemctl: Job failed. See ...",
    ],
    ["it does not come to run in time", [onItsWay], "cannot start a with systemctl: Job failed. See ..."],
  ])("is none when %s", async (_, looks, outcome) => {
    expect(await started(...looks)).toEqual({ outcome, starts: 1 });
  });

  it("is made once more when it was refused for the starts before it", async () => {
    const tooOften = { ...failed, Result: "start-limit-hit" };
    expect(await started(tooOften, runs)).toEqual({ outcome: "started", starts: 2 });
    expect(await started({ ...failed, ...ended(7, now - 5000) }, runs)).toEqual({
      outcome: "started",
      starts: 2,
    });
    expect(await started(tooOften)).toEqual({
      outcome: "cannot start a: it was started too often",
      starts: 2,
    });
  });
});

describe("what systemd says of a unit", () => {
  const look = async (fields: Record<string, string | number>, of: Unit = unit("a")) => {
    const { manager } = asked(() => ({ stdout: told({ Id: "xy.p.a.service", ...fields }) }));
    return (await manager.look([of])).get("a");
  };
  const ended = {
    ActiveState: "inactive",
    ExecMainCode: 1,
    ExecMainStatus: 0,
    ExecMainExitTimestamp: "Thu 2026-11-26 01:15:54 UTC",
  };
  const at = Date.UTC(2026, 10, 26, 1, 15, 54);

  it.each([
    // Told to stop: it left its active state before its process ended.
    [{ ...ended, ActiveExitTimestampMonotonic: 10, ExecMainExitTimestampMonotonic: 20 }, { requested: true }],
    [{ ...ended, ActiveExitTimestampMonotonic: 20, ExecMainExitTimestampMonotonic: 10 }, {}],
  ])("%j is an end by itself, or by request", async (fields, how) => {
    expect((await look(fields))?.lastExit).toEqual({ exit: { kind: "code", code: 0 }, at, ...how });
  });

  it.each([
    [{ ActiveState: "activating", SubState: "auto-restart", ...{ ExecMainCode: 1 } }, "restarting"],
    [{ ActiveState: "activating", SubState: "start" }, "starting"],
    [{ ActiveState: "deactivating", SubState: "stop-sigterm" }, "stopping"],
    [{ ActiveState: "reloading", SubState: "reload" }, "running"],
    [{ ActiveState: "inactive", SubState: "dead" }, "stopped"],
    [{ ActiveState: "failed", Result: "exit-code", ExecMainStatus: 7 }, "failed"],
    [{ LoadState: "not-found", ActiveState: "inactive" }, "stopped"],
  ])("%j is a state", async (fields, state) => {
    expect((await look(fields as Record<string, string | number>))?.state).toBe(state);
  });

  it("what is never started again has ended, unless it never began", async () => {
    const never = unit("a", { restart: { policy: "never" } });
    const failed = { ActiveState: "failed", Result: "exit-code", ExecMainCode: 1 };
    const when = { ExecMainExitTimestamp: ended.ExecMainExitTimestamp };
    expect((await look({ ...failed, ...when, ExecMainStatus: 7 }, never))?.state).toBe("stopped");
    expect(await look({ ...failed, ...when, ExecMainStatus: 203 }, never)).toMatchObject({
      state: "failed",
      reason: "exit 203: its program cannot be run: /bin/sh",
    });
  });

  it.each([
    [{ UnitFileState: "enabled", DropInPaths: "/usr/lib/systemd/user/service.d/10-all.conf" }, []],
    [{ UnitFileState: "disabled" }, ["its unit is disabled"]],
    [{ UnitFileState: "enabled", NeedDaemonReload: "yes" }, ["systemd has not read its unit again"]],
    [
      { UnitFileState: "enabled", FragmentPath: "/run/x/xy.p.a.service" },
      ["another unit of its name comes first: /run/x/xy.p.a.service"],
    ],
    [
      { UnitFileState: "enabled", DropInPaths: "/units/xy.p.a.service.d/o.conf" },
      ["settings were laid over its unit: /units/xy.p.a.service.d/o.conf"],
    ],
  ])("%j is drift, or not", async (fields, drift) => {
    expect((await look(fields as Record<string, string>))?.drift).toEqual(drift);
  });
});
