import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { string as argument } from "@oclif/core/args";
import { EXIT } from "../model/exit-codes.ts";
import { templatePath } from "../system/package.ts";
import { BaseCommand } from "./base.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** How the script is kept for every new shell. */
const INSTALLING: Readonly<Record<Shell, string>> = {
  bash: "echo 'eval \"$(xy completion bash)\"' >> ~/.bashrc",
  zsh: "echo 'eval \"$(xy completion zsh)\"' >> ~/.zshrc",
  fish: "xy completion fish > ~/.config/fish/completions/xy.fish",
};

/** The script asks the hidden `xy __complete` at each press of Tab: see `src/completion/main.ts`. */
export default class Completion extends BaseCommand {
  static override summary = "Print a script that completes xy's commands and names in your shell.";
  static override description =
    "The shell then completes commands, flags and their values, and the names of servers, actions, projects, jobs and generations. " +
    "They come from what is recorded: the agent is neither asked nor started, and no configuration is evaluated. " +
    "Without a shell it is the one that $SHELL names.";
  static override examples = [
    { description: "In bash, for good", command: INSTALLING.bash },
    { description: "In zsh, for good: after the line with compinit", command: INSTALLING.zsh },
    { description: "In fish, for good", command: INSTALLING.fish },
  ];
  static override args = {
    shell: argument({ options: [...SHELLS], description: "Shell to complete in." }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(Completion);
    const shell = SHELLS.find((one) => one === (args.shell ?? basename(process.env.SHELL ?? "")));
    if (shell === undefined)
      return this.fail(
        EXIT.usage,
        "cannot tell which shell you use: write `xy completion bash`, zsh or fish",
      );
    this.printAsIs(readFileSync(templatePath(`completion.${shell}`), "utf8"));
    if (process.stdout.isTTY) this.note("", "To install this script, run:", `  ${INSTALLING[shell]}`);
  }
}
