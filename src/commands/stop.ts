import { boolean } from "@oclif/core/flags";
import { OperateCommand } from "./operate-command.ts";
import { allFlag, namesArgument } from "./server-command.ts";

export default class Stop extends OperateCommand {
  static override summary = "Stop servers, and hold them stopped.";
  static override description =
    "Sends the stop signal to all of its processes, and SIGKILL when the grace period is over. A held server stays " +
    "stopped, even across applies and reboots, until you start it. Several servers stop in dependency order.";
  static override examples = [
    "<%= config.bin %> stop web",
    "<%= config.bin %> stop web api",
    { description: "Delete its jobs too", command: "<%= config.bin %> stop web --remove-jobs" },
    "<%= config.bin %> stop --all",
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = {
    ...allFlag,
    "remove-jobs": boolean({
      summary: "Also cancel jobs of their actions, and delete all their jobs.",
    }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Stop);
    const words = { stopped: "stopped", not_running: "did not run; it is held now" };
    await this.operate(
      "stop",
      { names: argv as string[], flags },
      words,
      flags["remove-jobs"] ? { remove_jobs: true } : {},
    );
  }
}
