import { boolean } from "@oclif/core/flags";
import { OperateCommand } from "./operate-command.ts";
import { allFlag, namesArgument } from "./server-command.ts";

export default class Stop extends OperateCommand {
  static override summary = "Stop servers, and hold them stopped.";
  static override description =
    "The whole process group gets its stop signal, and SIGKILL once its grace is over. A held server stays stopped, also over reboots and applies, until it is started. Of several, each stops before what it depends on.";
  static override examples = [
    "<%= config.bin %> stop web",
    "<%= config.bin %> stop web api",
    "<%= config.bin %> stop --all",
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = {
    ...allFlag,
    "remove-jobs": boolean({
      summary: "Also cancel the jobs of their actions, and delete all their jobs.",
    }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Stop);
    const addresses = await this.addresses(argv as string[], flags);
    const words = { stopped: "stopped", not_running: "did not run; it is held now" };
    await this.operate("stop", addresses, words, flags["remove-jobs"] ? { remove_jobs: true } : {});
  }
}
