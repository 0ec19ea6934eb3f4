import { SystemdManager } from "../../src/backends/units/systemd/manager.ts";
import { SweptFolder } from "../rig/secret-scan.ts";
import { systemdManagersInTurn, whyNoSystemd } from "../rig/systemd.ts";
import { backendContract } from "./backend.contract.ts";
import { unitSubject } from "./unit-subject.ts";

const ACCOUNT = { uid: process.getuid?.() ?? 0, username: "root" };

const nextHome = systemdManagersInTurn();

backendContract({
  name: "systemd",
  skip: whyNoSystemd(),
  remembers: false,
  async create() {
    const [home, own] = [await nextHome(), new SweptFolder()];
    return unitSubject(
      "systemd",
      own.path,
      (logFiles) => new SystemdManager(home.env, ACCOUNT, logFiles, home.ask),
      async () => {
        await home.clear();
        own.remove();
      },
    );
  },
});
