import { string } from "@oclif/core/flags";
import { formatDuration, LONGEST_PAUSE, parseDuration } from "../model/units.ts";
import { EXIT } from "./exit-codes.ts";
import { OperateCommand } from "./operate-command.ts";
import { allFlag, namesArgument } from "./server-command.ts";

export default class Pause extends OperateCommand {
  static override summary = "Restart servers no more, for example during an upgrade by hand.";
  static override description =
    "What runs runs on. Until `resume`, or for the time given, nothing is restarted, whatever ends or fails its " +
    "probes; both are still looked at. Your own start, stop, restart and kill work meanwhile, an apply too, and the " +
    "pause goes on. It outlives the agent, and ends with a reboot.";
  static override examples = [
    "<%= config.bin %> pause db",
    "<%= config.bin %> pause db --for 10m",
    "<%= config.bin %> pause --all",
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = {
    ...allFlag,
    for: string({ helpValue: "DURATION", summary: "End the pause after that time, such as 10m." }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Pause);
    const ms = this.#duration(flags.for);
    const addresses = await this.addresses(argv as string[], flags);
    const how = ms === undefined ? "until `xy resume`" : `for ${formatDuration(ms)}`;
    const words = { paused: `paused ${how}`, already_paused: `was paused already; now ${how}` };
    await this.operate("pause", addresses, words, ms === undefined ? {} : { for_ms: ms });
  }

  #duration(text: string | undefined): number | undefined {
    if (text === undefined) return undefined;
    const ms = parseDuration(text);
    if (ms === undefined || ms === 0)
      this.fail(EXIT.usage, `cannot read --for ${text}: write a duration such as 10m or 1h30m`);
    if (ms > LONGEST_PAUSE)
      this.fail(
        EXIT.usage,
        "cannot pause that long: --for is at most 7d; leave it out to pause until `xy resume`",
      );
    return ms;
  }
}
