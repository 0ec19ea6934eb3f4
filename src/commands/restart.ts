import { BaseCommand } from "./base.ts";
import { allFlag, depsFlag, keepJobsFlag, namesArgument, readyFlags } from "./flags.ts";
import { operate, startOptions } from "./operating.ts";

export default class Restart extends BaseCommand {
  static override summary = "Stop servers, and start them again.";
  static override description =
    "Starts servers that are not running. Several servers stop and start in dependency order. Jobs of their actions are " +
    "cancelled first, and all their finished jobs are deleted.";
  static override examples = [
    "<%= config.bin %> restart web",
    "<%= config.bin %> restart web api",
    {
      description: "Leave the jobs of its actions alone",
      command: "<%= config.bin %> restart web --keep-jobs",
    },
    { description: "Wait until it is ready", command: "<%= config.bin %> restart web --wait" },
    "<%= config.bin %> restart --all",
  ];
  static override doing = "restarting";
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...allFlag, ...depsFlag, ...keepJobsFlag, ...readyFlags };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Restart);
    const words = { yes: "restarted", no: "started" };
    await operate(
      this,
      "restart",
      { names: argv as string[], flags, ready: flags },
      words,
      startOptions(flags),
    );
  }
}
