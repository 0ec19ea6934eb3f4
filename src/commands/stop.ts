import { boolean } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { BaseCommand } from "./base.ts";
import { allFlag, endFlag, namesArgument } from "./flags.ts";
import { endedWords, operate } from "./operating.ts";

export default class Stop extends BaseCommand {
  static override summary = "Stop servers, and hold them stopped.";
  static override description =
    "Sends the stop signal to all processes of a server, and SIGKILL when the grace period is over. A held server stays " +
    "stopped, even across applies and reboots, until you start it. Several servers stop in dependency order. With --no-wait " +
    "the command exits at once, while they are still stopping, and none of them waits for another.";
  static override examples = [
    "<%= config.bin %> stop web",
    "<%= config.bin %> stop web api",
    { description: "Do not wait until it has stopped", command: "<%= config.bin %> stop web --no-wait" },
    { description: "Delete its jobs too", command: "<%= config.bin %> stop web --remove-jobs" },
    {
      description: "Stop all servers whose names fit a pattern, or with a tag",
      command: "<%= config.bin %> stop 'web-*' tag:mcp",
    },
    "<%= config.bin %> stop --all",
  ];
  static override doing = "stopping";
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = {
    ...allFlag,
    ...endFlag,
    "remove-jobs": boolean({
      summary: "Also cancel jobs of their actions, and delete all their jobs.",
    }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Stop);
    const { wait, "remove-jobs": removes } = flags;
    if (removes && !wait)
      this.fail(EXIT.usage, "cannot remove jobs with --no-wait: that is done once their server has stopped");
    const options = { ...(removes ? { remove_jobs: true } : {}), ...(wait ? {} : { wait }) };
    await operate(this, "stop", { names: argv as string[], flags }, endedWords(flags, "stopped"), options);
  }
}
