import { string } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { formatDuration, LONGEST_PAUSE, parseDuration } from "../model/units.ts";
import { BaseCommand } from "./base.ts";
import { allFlag, namesArgument } from "./flags.ts";
import { operate } from "./operating.ts";

export default class Pause extends BaseCommand {
  static override summary = "Suspend automatic restarts, for example for a manual upgrade.";
  static override description =
    "Running servers keep running, and probes keep checking them. But nothing is restarted, even if it exits or fails its " +
    "probes, until `xy resume` or until the time given with --for is over. You can still start, stop, restart and kill " +
    "servers, and apply; none of that ends the pause. It survives the agent, and ends with a reboot.";
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
    for: string({ helpValue: "DURATION", summary: "End the pause after this time, such as 10m." }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Pause);
    const ms = this.#duration(flags.for);
    const how = ms === undefined ? "until `xy resume`" : `for ${formatDuration(ms)}`;
    const words = { yes: `paused ${how}`, no: `was already paused; now ${how}` };
    await operate(
      this,
      "pause",
      { names: argv as string[], flags },
      words,
      ms === undefined ? {} : { for_ms: ms },
    );
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
