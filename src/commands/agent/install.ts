import { installAgent } from "../../backends/agent/install.ts";
import { UpgradeFailed } from "../../backends/agent/upgrade.ts";
import { EXIT } from "../../model/exit-codes.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { BaseCommand } from "../base.ts";
import { loginService, managing } from "../login-service.ts";
import { shortenPath } from "../shorten.ts";

export default class AgentInstall extends BaseCommand {
  static override summary = "Start the agent at login, and let the system keep it running.";
  static override description =
    "Writes a unit for your account's service manager (systemd on Linux, launchd on macOS) and hands the running agent " +
    "over to it. No server restarts, and no server stops when the agent dies.";
  static override examples = ["<%= config.bin %> agent install"];
  static override doing = "installing";
  static override enableJsonFlag = true;

  async run(): Promise<void> {
    await this.parse(AgentInstall);

    const service = loginService();
    const { changed, upgraded } = await managing(this, () =>
      installAgent(this.state, service).catch((error) => {
        if (!(error instanceof UpgradeFailed)) throw error;
        return this.fail(
          EXIT.failed,
          `cannot install this version: ${error.message}. The old one serves again.`,
        );
      }),
    );
    const boot = service.startsAtBoot();
    const { kind: manager, file } = service;
    const document = { installed: true, changed, manager, file, at_boot: boot ?? false };
    await this.show(
      { ...document, ...withoutUndefined({ upgraded }) },
      {
        text: () =>
          [
            ...(upgraded ? [`Upgraded the agent from ${upgraded.from} to ${upgraded.to}.`] : []),
            changed
              ? `Installed: ${manager} runs the agent and starts it at login (${shortenPath(file)}).`
              : `It is installed already (${shortenPath(file)}).`,
          ].join("\n"),
        notes: () =>
          boot === false
            ? [
                "The agent stops when you log out. `loginctl enable-linger` starts it at boot and keeps it running.",
              ]
            : [],
      },
    );
  }
}
