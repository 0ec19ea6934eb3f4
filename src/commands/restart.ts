import { OperateCommand, startOptions } from "./operate-command.ts";
import { allFlag, depsFlag, keepJobsFlag, namesArgument } from "./server-command.ts";

export default class Restart extends OperateCommand {
  static override summary = "Stop and start servers again.";
  static override description =
    "A server that does not run is started. Several at once stop and start in the order of their dependencies. The jobs of their actions are cancelled first, and all that are over deleted.";
  static override examples = [
    "<%= config.bin %> restart web",
    "<%= config.bin %> restart web api",
    "<%= config.bin %> restart --all",
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...allFlag, ...depsFlag, ...keepJobsFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Restart);
    const addresses = await this.addresses(argv as string[], flags);
    const words = { restarted: "restarted", started: "started" };
    await this.operate("restart", addresses, words, startOptions(flags));
  }
}
