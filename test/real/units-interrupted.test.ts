import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { UnitManager } from "../../src/backends/units/manager.ts";
import { UnitStore } from "../../src/backends/units/record.ts";
import { SupervisordManager } from "../../src/backends/units/supervisord/manager.ts";
import { SystemdManager } from "../../src/backends/units/systemd/manager.ts";
import { UnitBackend } from "../../src/backends/units/unit-backend.ts";
import type { Plan } from "../../src/model/plan.ts";
import type { ServerSpec } from "../../src/model/spec.ts";
import { buildPlan } from "../../src/reconciler/plan.ts";
import { SECRET_WORD } from "../rig/secret-scan.ts";
import { PROJECT, readyOn, shellSpec } from "../rig/spec.ts";
import { SupervisordHome, whyNoSupervisord } from "../rig/supervisord.ts";
import { SystemdManagerHome, whyNoSystemd } from "../rig/systemd.ts";

const ACCOUNT = { uid: process.getuid?.() ?? 0, username: "root" };

/** The end of an apply by SIGKILL: nothing is done after it. */
class Killed extends Error {}

/** Steps at which a change may be cut off: before the manager is asked the n-th time to do, or to write, something. */
const STEPS = ["logFiles", "takeBack", "load", "start", "stop", "forget"] as const;

function dyingAt(manager: UnitManager, step: number): UnitManager {
  let count = 0;
  return new Proxy(manager, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if ((STEPS as readonly string[]).includes(String(name)) && count++ >= step) throw new Killed();
        return Reflect.apply(value, target, args);
      };
    },
  });
}

interface World {
  readonly path: string;
  manager(logFiles: UnitStore["logPaths"]): UnitManager;
  /** Units of xy that the manager has. */
  left(): Promise<string>;
  close(): Promise<void>;
}

async function systemdWorld(): Promise<World> {
  const home = await SystemdManagerHome.open();
  const list = ["--user", "list-units", "--all", "--plain", "--no-legend", "xy.*"];
  return {
    path: home.path,
    manager: (logFiles) => new SystemdManager(home.env, ACCOUNT, logFiles, home.ask),
    left: async () => (await home.ask("systemctl", list)).stdout,
    close: () => home.close(),
  };
}

async function supervisordWorld(): Promise<World> {
  const home = await new SupervisordHome().open();
  return {
    path: home.path,
    manager: () => new SupervisordManager(home.site),
    left: async () => home.ctl("status"),
    close: () => home.close(),
  };
}

/** A secret which is replaced or removed before the home is. */
const tokenOf = (value: string) => `${SECRET_WORD}-old-${value}`;

describe.each([
  ["systemd", systemdWorld, whyNoSystemd()],
  ["supervisord", supervisordWorld, whyNoSupervisord()],
] as const)("an apply under %s that is killed", (kind, open, why) => {
  let home: World;
  let store: UnitStore;
  beforeEach(async (context) => {
    context.skip(why !== undefined);
    home = await open();
    onTestFinished(() => home.close());
    store = new UnitStore(join(home.path, "state/xy"), PROJECT, kind);
  });

  const backendDyingAt = (step: number) =>
    new UnitBackend({
      manager: dyingAt(
        home.manager((name) => store.logPaths(name)),
        step,
      ),
      store,
      project: PROJECT,
      account: { home: home.path, user: "root" },
      adopt: false,
    });

  async function planned(spec: ServerSpec | undefined): Promise<Plan> {
    const observed = await backendDyingAt(Infinity).observe(PROJECT);
    const plan = buildPlan(
      { project: PROJECT, root: "/", servers: spec ? [spec] : [], actions: [] },
      observed,
    );
    if (!plan.ok) throw new Error("no plan");
    return plan.value;
  }

  /** Carries a plan out, up to a step; false: it was cut off there. */
  async function apply(plan: Plan, value: string, step: number): Promise<boolean> {
    const { signal } = new AbortController();
    const options = { secrets: { TOKEN: tokenOf(value) }, waitMs: 20_000, signal };
    try {
      for (const change of plan.changes) {
        const result = await backendDyingAt(step).perform(change, options);
        expect(result).toMatchObject({ ok: true });
      }
      return true;
    } catch (error) {
      if (error instanceof Killed) return false;
      throw error;
    }
  }

  /** A server whose process says what it was started with. */
  const server = (value: string) =>
    shellSpec("a", `echo up; exec sleep 600`, {
      backend: kind,
      restart: { policy: "never" },
      env: { PATH: "/usr/bin:/bin", VALUE: value, TOKEN: { secret: { env: "TOKEN" }, hmac: value } },
      readiness: readyOn("up"),
    });

  const running = async () => {
    const [observed] = await backendDyingAt(Infinity).observe(PROJECT);
    const environment = readFileSync(`/proc/${observed?.pid}/environ`, "utf8").split("\0");
    return ["VALUE", "TOKEN"].map((name) => environment.find((entry) => entry.startsWith(`${name}=`)));
  };

  it("at any step leaves a state from which the next plan is right", async () => {
    const cut: string[] = [];
    for (const change of ["add", "restart", "remove"]) {
      for (let step = 0, whole = false; !whole; step++) {
        const value = `${change}${step}`;
        const spec = change === "remove" ? undefined : server(value);
        if (change === "add") await apply(await planned(undefined), "", Infinity);
        if (change === "remove") await apply(await planned(server("before")), "before", Infinity);
        whole = await apply(await planned(spec), value, step);
        if (!whole) cut.push(`${change} ${step}`);
        await apply(await planned(spec), value, Infinity);
        const after = await planned(spec);
        expect(
          after.changes.map(({ action }) => action),
          value,
        ).toEqual(spec ? ["none"] : []);
        if (spec) expect(await running(), value).toEqual([`VALUE=${value}`, `TOKEN=${tokenOf(value)}`]);
      }
    }
    expect(cut).toEqual(
      expect.arrayContaining(["add 0", "add 3", "restart 0", "restart 3", "remove 0", "remove 1"]),
    );
    expect(await home.left()).toBe("");
  });
});
