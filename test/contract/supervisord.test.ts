import { SupervisordManager } from "../../src/backends/units/supervisord/manager.ts";
import { SupervisordHome, whyNoSupervisord } from "../rig/supervisord.ts";
import { backendContract } from "./backend.contract.ts";
import { unitSubject } from "./unit-subject.ts";

backendContract({
  name: "supervisord",
  skip: whyNoSupervisord(),
  counts: false,
  remembers: false,
  // An end in its first second is a failure there.
  oneShot: "sleep 1.2; echo done",
  async create() {
    const home = await new SupervisordHome().open();
    return unitSubject(
      "supervisord",
      home.path,
      () => new SupervisordManager(home.site),
      () => home.close(),
    );
  },
});
