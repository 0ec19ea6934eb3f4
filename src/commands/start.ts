import { OperateCommand } from "./operate-command.ts";
import { allFlag, depsFlag, namesArgument } from "./server-command.ts";

export default class Start extends OperateCommand {
  static override summary = "Start servers, and lift a hold.";
  static override description =
    "A server that runs is left alone. What a server depends on is started first, unless it is held or wanted stopped: then the server waits for it under the agent, and starts by itself once it can.";
  static override examples = [
    "<%= config.bin %> start web",
    "<%= config.bin %> start web api",
    "<%= config.bin %> start --all",
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...allFlag, ...depsFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Start);
    const addresses = await this.addresses(argv as string[], flags);
    const words = { started: "started", already_running: "runs already" };
    await this.operate("start", addresses, words, flags.deps ? {} : { no_deps: true });
  }
}
