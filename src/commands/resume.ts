import { BaseCommand } from "./base.ts";
import { allFlag, namesArgument } from "./flags.ts";
import { operate } from "./operating.ts";

export default class Resume extends BaseCommand {
  static override summary = "Resume automatic restarts after a pause.";
  static override description =
    "A server that exited during the pause is started now if its restart policy says so. Liveness failures are counted " +
    "from zero again.";
  static override examples = ["<%= config.bin %> resume db", "<%= config.bin %> resume --all"];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...allFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Resume);
    await operate(
      this,
      "resume",
      { names: argv as string[], flags },
      { yes: "resumed", no: "was not paused" },
    );
  }
}
