import { resolve } from "node:path";
import { string } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { trustView } from "../views/trust.ts";
import { BaseCommand } from "./base.ts";
import { shortenPath } from "./shorten.ts";

export default class Trust extends BaseCommand {
  static override summary = "List the configurations that you have agreed to.";
  static override description =
    "xy asks once before it uses a configuration that can run or send something: a program, a command for a secret or a " +
    "probe, a service manager with a password. Your answer is for the folder, even when its files change. This command lists " +
    "your answers and can revoke one. xy never asks about your own default configuration.";
  static override examples = [
    "<%= config.bin %> trust",
    { description: "Be asked again", command: "<%= config.bin %> trust --revoke ~/src/somebody/repository" },
  ];
  static override enableJsonFlag = true;
  static override flags = {
    revoke: string({ helpValue: "PATH", summary: "Revoke your agreement to this folder or file." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Trust);
    const { agreements, revoke } = await import("../operation/trust.ts");
    if (flags.revoke !== undefined) {
      const path = resolve(flags.revoke);
      if (!revoke(this.state, path))
        this.fail(
          EXIT.failed,
          `cannot revoke ${shortenPath(path)}: you have not agreed to it; see \`xy trust\``,
        );
      this.hint(`${shortenPath(path)} will be asked about again. Running servers keep running.`);
    }
    const all = agreements(this.state).map(({ path, to, at, isThere }) => ({
      path,
      to,
      at_unix_ms: at,
      is_there: isThere,
    }));
    const isList = flags.revoke === undefined;
    await this.show(all, { text: (shown) => (isList ? trustView(shown, this.screen) : undefined) });
  }
}
