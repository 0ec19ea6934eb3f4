import { SystemdManager } from "../../src/backends/units/systemd/manager.ts";
import { SystemdManagerHome, whyNoSystemd } from "../rig/systemd.ts";
import { backendContract } from "./backend.contract.ts";
import { unitSubject } from "./unit-subject.ts";

const ACCOUNT = { uid: process.getuid?.() ?? 0, username: "root" };

backendContract({
  name: "systemd",
  skip: whyNoSystemd(),
  remembers: false,
  async create() {
    const home = await SystemdManagerHome.open();
    return unitSubject(
      "systemd",
      home.path,
      (logFiles) => new SystemdManager(home.env, ACCOUNT, logFiles, home.ask),
      () => home.close(),
    );
  },
});
