import { OperateCommand } from "./operate-command.ts";
import { allFlag, namesArgument } from "./server-command.ts";

export default class Kill extends OperateCommand {
  static override summary = "Kill servers with SIGKILL, and hold them stopped.";
  static override description = "Like `xy stop`, for servers that do not react to it.";
  static override examples = [
    "<%= config.bin %> kill web",
    "<%= config.bin %> kill web api",
    "<%= config.bin %> kill --all",
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...allFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Kill);
    await this.operate(
      "kill",
      { names: argv as string[], flags },
      { killed: "killed", not_running: "did not run; it is held now" },
    );
  }
}
