import { boolean, integer } from "@oclif/core/flags";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { BaseCommand } from "../base.ts";
import { jobArgument } from "../flags.ts";
import { readJob } from "../job-output.ts";
import { formatterOf, grepOf, lookFlags, rawFlag, streamFlag, wireRaw, wireStream } from "../line-flags.ts";

export default class JobLogs extends BaseCommand {
  static override summary = "Show the output of a job.";
  static override description =
    "For a job that is a server's own program, shows the part of the server's log that belongs to this run.";
  static override examples = [
    "<%= config.bin %> job logs 12",
    "<%= config.bin %> job logs 12 --follow",
    "<%= config.bin %> job logs 12 --grep 'error|panic' --timestamps",
  ];
  static override enableJsonFlag = true;
  static override args = jobArgument;
  static override flags = {
    tail: integer({
      char: "n",
      min: 0,
      max: 1_000_000,
      helpValue: "LINES",
      summary: "Number of lines to show from the end (default: all).",
    }),
    follow: boolean({ char: "f", summary: "Keep showing new lines until the job ends." }),
    ...lookFlags,
    ...streamFlag,
    ...rawFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobLogs);
    const { tail, follow, stream } = flags;
    const format = await formatterOf(this, [], flags);
    const { wire, matches } = await grepOf(this, flags.grep);
    const wish = {
      follow,
      ...withoutUndefined({ tail }),
      ...wireStream(stream),
      ...wireRaw(flags.raw),
      ...wire,
    };
    await readJob(this, args.id, wish, (line) => {
      if (matches?.(line.line) !== false) this.showLine(line, format);
    });
  }
}
