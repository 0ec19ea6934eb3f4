import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADDED } from "../../src/backends/render/capabilities.ts";
import { supervisordUnits } from "../../src/backends/render/supervisord.ts";
import { SupervisordHome, whyNoSupervisord } from "../rig/supervisord.ts";
import { compareReports, factsOf, generatedServers, prepare, seedOf } from "../rig/units.ts";

describe.skipIf(whyNoSupervisord() !== undefined)("units under a real supervisord", () => {
  let home: SupervisordHome;
  beforeEach(() => {
    home = new SupervisordHome();
  });
  afterEach(() => home.close());

  it("give each process exactly what is declared", async () => {
    const seed = seedOf("servers for supervisord");
    const specs = generatedServers("supervisord", home.path, 300, seed);
    prepare(home.path, specs);
    for (const spec of specs)
      home.write(supervisordUnits.fileName(spec), await supervisordUnits.render(factsOf(spec)));
    home.start();
    const added = await compareReports(specs, { openFiles: false }).catch((error) => {
      throw new Error(`XY_TEST_SEED=${seed}: ${error.message}\n${home.said.slice(-2000)}`);
    });
    const own = Object.keys(home.env);
    expect([...added].filter((name) => !own.includes(name)).sort()).toEqual(ADDED.supervisord);
  });
});
