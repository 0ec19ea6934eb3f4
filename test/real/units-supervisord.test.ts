import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { supervisordUnits } from "../../src/backends/render/supervisord.ts";
import { eventually } from "../rig/eventually.ts";
import { type SpecChanges, shellSpec } from "../rig/spec.ts";
import { SupervisordHome, whyNoSupervisord } from "../rig/supervisord.ts";
import { factsOf } from "../rig/units.ts";

describe.skipIf(whyNoSupervisord() !== undefined)("units under a real supervisord", () => {
  let home: SupervisordHome;
  beforeEach(() => {
    home = new SupervisordHome();
  });
  afterEach(() => home.close());

  it("stop by the declared signal, start only what is wanted, and restart what fails", async () => {
    const { path } = home;
    const server = (name: string, script: string, over: SpecChanges = {}) => {
      const spec = shellSpec(name, script, over);
      return supervisordUnits.render(factsOf(spec)).then((text) => home.write(`${name}.conf`, text));
    };
    const waits = `trap 'echo asked >${path}/asked; exit 0' USR1; echo up >${path}/up; while :; do sleep 0.1; done`;
    await server("web", waits, { stop: { signal: "SIGUSR1" } });
    await server("off", "sleep 600", { wanted: "stop" });
    await server(
      "flaky",
      `echo run >>${path}/runs; sleep 1.2; [ $(wc -l <${path}/runs) -gt 1 ] && exit 4; kill $$`,
      {
        restart: { successExitCodes: [4] },
      },
    );
    home.start();
    await eventually(() => expect(existsSync(join(path, "up"))).toBe(true));
    expect(home.ctl("status", "xy.p.off")).toMatch(/^xy\.p\.off +STOPPED +Not started/);
    expect(home.ctl("stop", "xy.p.web")).toBe("xy.p.web: stopped\n");
    expect(existsSync(join(path, "asked"))).toBe(true);
    await eventually(() => expect(home.ctl("status", "xy.p.flaky")).toMatch(/^xy\.p\.flaky +EXITED/));
    expect(readFileSync(join(path, "runs"), "utf8")).toBe("run\nrun\n");
  });
});
