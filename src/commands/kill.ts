import { BaseCommand } from "./base.ts";
import { allFlag, endFlag, namesArgument } from "./flags.ts";
import { endedWords, operate } from "./operating.ts";

export default class Kill extends BaseCommand {
  static override summary = "Kill servers with SIGKILL, and hold them stopped.";
  static override description =
    "Like `xy stop`, for servers that do not react to it. With --no-wait the command exits at once.";
  static override examples = [
    "<%= config.bin %> kill web",
    "<%= config.bin %> kill web api",
    "<%= config.bin %> kill --all",
  ];
  static override doing = "killing";
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...allFlag, ...endFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Kill);
    const options = flags.wait ? {} : { wait: false };
    await operate(this, "kill", { names: argv as string[], flags }, endedWords(flags, "killed"), options);
  }
}
