import { SupervisordManager } from "../../src/backends/units/supervisord/manager.ts";
import { SweptFolder } from "../rig/secret-scan.ts";
import { supervisordsInTurn, whyNoSupervisord } from "../rig/supervisord.ts";
import { backendContract } from "./backend.contract.ts";
import { unitSubject } from "./unit-subject.ts";

const nextHome = supervisordsInTurn();

backendContract({
  name: "supervisord",
  skip: whyNoSupervisord(),
  counts: false,
  remembers: false,
  // An end in its first second is a failure there.
  oneShot: "sleep 1.2; echo done",
  async create() {
    const [home, own] = [await nextHome(), new SweptFolder()];
    return unitSubject(
      "supervisord",
      own.path,
      () => new SupervisordManager(home.site),
      async () => own.remove(),
    );
  },
});
