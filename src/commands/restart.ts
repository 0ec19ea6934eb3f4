import { OperateCommand } from "./operate-command.ts";
import { allFlag, namesArgument } from "./server-command.ts";

export default class Restart extends OperateCommand {
  static override summary = "Stop and start servers again.";
  static override description = "A server that does not run is started.";
  static override examples = [
    "<%= config.bin %> restart web",
    "<%= config.bin %> restart web api",
    "<%= config.bin %> restart --all",
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...allFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Restart);
    const addresses = await this.addresses(argv as string[], flags);
    await this.operate("restart", addresses, { restarted: "restarted", started: "started" });
  }
}
