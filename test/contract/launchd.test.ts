import { LaunchdManager } from "../../src/backends/units/launchd/manager.ts";
import { SimulatedLaunchd, whyNoPlistutil } from "../rig/launchd.ts";
import { SweptFolder } from "../rig/secret-scan.ts";
import { backendContract } from "./backend.contract.ts";
import { unitSubject } from "./unit-subject.ts";

const UID = process.getuid?.() ?? 501;

backendContract({
  name: "launchd (simulated)",
  skip: whyNoPlistutil(),
  async create() {
    const folder = new SweptFolder();
    const root = folder.path;
    const launchd = new SimulatedLaunchd(`gui/${UID}`);
    return unitSubject(
      "launchd",
      root,
      (logFiles) => LaunchdManager.open({ HOME: root }, { uid: UID }, logFiles, launchd.ask),
      async () => {
        await launchd.close();
        folder.remove();
      },
    );
  },
});
