import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LaunchdManager } from "../../src/backends/units/launchd.ts";
import { SimulatedLaunchd, whyNoPlistutil } from "../rig/launchd.ts";
import { backendContract } from "./backend.contract.ts";
import { unitSubject } from "./unit-subject.ts";

const UID = process.getuid?.() ?? 501;

backendContract({
  name: "launchd (simulated)",
  skip: whyNoPlistutil(),
  async create() {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "h-")));
    const launchd = new SimulatedLaunchd(`gui/${UID}`);
    return unitSubject(
      "launchd",
      root,
      (logFiles) => LaunchdManager.open({ HOME: root }, { uid: UID }, logFiles, launchd.ask),
      async () => {
        await launchd.close();
        rmSync(root, { recursive: true, force: true, maxRetries: 5 });
      },
    );
  },
});
