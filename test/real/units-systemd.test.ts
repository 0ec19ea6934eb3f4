import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADDED } from "../../src/backends/render/capabilities.ts";
import { systemdUnits } from "../../src/backends/render/systemd.ts";
import { SystemdHome, whyNoSystemd } from "../rig/systemd.ts";
import { compareReports, factsOf, generatedServers, prepare, seedOf } from "../rig/units.ts";

const UNITS = ".config/systemd/user";

describe.skipIf(whyNoSystemd() !== undefined)("units under a real systemd --user", () => {
  let home: SystemdHome;
  beforeEach(async () => {
    home = await SystemdHome.open();
  });
  afterEach(() => home.close());

  it("give each process exactly what is declared", async () => {
    const seed = seedOf("servers for systemd");
    const specs = generatedServers("systemd", join(home.path, "g"), 300, seed);
    prepare(join(home.path, "g"), specs);
    for (const spec of specs)
      home.write(join(UNITS, systemdUnits.fileName(spec)), await systemdUnits.render(factsOf(spec)));
    expect(await home.shell(`cd ~/${UNITS}; systemd-analyze --user verify *.service`)).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    await home.did("systemctl --user daemon-reload");
    const names = specs.map((spec) => systemdUnits.fileName(spec)).join(" ");
    await home.did(`systemctl --user start ${names}`);
    const added = await compareReports(specs, { openFiles: true }).catch((error) => {
      throw new Error(`XY_TEST_SEED=${seed}: ${error.message}`);
    });
    const manager = (await home.did("systemctl --user show-environment")).split("\n");
    const own = manager.map((line) => line.slice(0, line.indexOf("=")));
    const set = [...added].filter((name) => !own.includes(name));
    // There is no journal in the tests' namespace.
    expect([...set, "JOURNAL_STREAM"].sort()).toEqual(ADDED.systemd);
  });
});
