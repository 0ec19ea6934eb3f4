import { OperateCommand, startOptions } from "./operate-command.ts";
import { allFlag, depsFlag, keepJobsFlag, namesArgument } from "./server-command.ts";

export default class Start extends OperateCommand {
  static override summary = "Start servers, and lift a hold.";
  static override description =
    "A server that runs is left alone. What a server depends on is started first, unless it is held or wanted stopped: then the server waits for it under the agent, and starts by itself once it can. Of one that did not run, the jobs of its actions are cancelled first, and all that are over deleted.";
  static override examples = [
    "<%= config.bin %> start web",
    "<%= config.bin %> start web api",
    "<%= config.bin %> start --all",
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...allFlag, ...depsFlag, ...keepJobsFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Start);
    const addresses = await this.addresses(argv as string[], flags);
    const words = { started: "started", already_running: "runs already" };
    await this.operate("start", addresses, words, startOptions(flags));
  }
}
