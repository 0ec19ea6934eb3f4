import { BaseCommand } from "./base.ts";
import { allFlag, depsFlag, keepJobsFlag, namesArgument, readyFlags } from "./flags.ts";
import { operate, startOptions } from "./operating.ts";

export default class Start extends BaseCommand {
  static override summary = "Start servers, and release them if they are held.";
  static override description =
    "Running servers are left alone. Dependencies are started first, unless they are held or the configuration wants " +
    "them stopped: then the server waits, and the agent starts it once they are ready. If a server was not running, " +
    "jobs of its actions are cancelled first, and all its finished jobs are deleted.";
  static override examples = [
    "<%= config.bin %> start web",
    "<%= config.bin %> start web api",
    { description: "Do not wait for dependencies", command: "<%= config.bin %> start web --no-deps" },
    { description: "Wait until it is ready", command: "<%= config.bin %> start web --wait" },
    "<%= config.bin %> start --all",
  ];
  static override doing = "starting";
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...allFlag, ...depsFlag, ...keepJobsFlag, ...readyFlags };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Start);
    const words = { yes: "started", no: "is already running" };
    await operate(
      this,
      "start",
      { names: argv as string[], flags, ready: flags },
      words,
      startOptions(flags),
    );
  }
}
