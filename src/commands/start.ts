import { OperateCommand } from "./operate-command.ts";
import { allFlag, namesArgument } from "./server-command.ts";

export default class Start extends OperateCommand {
  static override summary = "Start servers, and lift a hold.";
  static override description = "A server that runs is left alone.";
  static override examples = [
    "<%= config.bin %> start web",
    "<%= config.bin %> start web api",
    "<%= config.bin %> start --all",
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...allFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Start);
    const addresses = await this.addresses(argv as string[], flags);
    await this.operate("start", addresses, { started: "started", already_running: "runs already" });
  }
}
