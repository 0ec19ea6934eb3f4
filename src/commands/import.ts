import { string as argument } from "@oclif/core/args";
import { boolean, option, string } from "@oclif/core/flags";
import { SERVER_FORMATS } from "../config/write/server-text.ts";
import { KINDS } from "../importing/detect.ts";
import { CLIENT_NAMES } from "../model/clients.ts";
import { EXIT } from "../model/exit-codes.ts";
import { typedFolder } from "../system/paths.ts";
import { importText } from "../views/imported.ts";
import { BaseCommand } from "./base.ts";
import { canAsk, confirm } from "./prompt.ts";
import { shortenPath } from "./shorten.ts";

const TOOLS = KINDS.map(({ id }) => id);

export default class Import extends BaseCommand {
  static override summary = "Write servers from the files of other tools.";
  static override description =
    "Reads MCP clients' lists of servers, pm2 files, Procfiles, process-compose and docker compose files, supervisord " +
    "configurations, systemd units and launchd property lists, and writes one file per server. Overwrites nothing, " +
    "changes no source, starts and stops nothing. Values that may be secret are kept outside of the configuration, in " +
    "files that only you can read. What cannot be carried over is listed with its line.";
  static override examples = [
    "<%= config.bin %> import ~/.cursor/mcp.json",
    {
      description: "What two clients have",
      command: "<%= config.bin %> import --from claude-code --from cursor",
    },
    { description: "Look first", command: "<%= config.bin %> import ecosystem.config.js --dry-run" },
    {
      description: "Everything that a supervisord runs, as YAML",
      command: "<%= config.bin %> import /etc/supervisor/conf.d/*.conf --format yaml",
    },
  ];
  static override doing = "reading";
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    file: argument({ description: "File to read; several may be given." }),
  };
  static override flags = {
    from: option({
      options: CLIENT_NAMES,
      multiple: true,
      multipleNonGreedy: true,
      summary: "Client whose own files are read: the account's, and those of the project in this folder.",
    })(),
    as: string({ options: TOOLS, summary: "Tool that the files are of, if xy takes them for another's." }),
    format: option({
      options: SERVER_FORMATS,
      default: "kdl" as const,
      summary: "Language of the files that are written.",
    })(),
    root: boolean({
      exclusive: ["format"],
      summary: "Add the servers to xy.config.* (KDL, YAML or JSON), instead of files in servers.d.",
    }),
    "dry-run": boolean({ summary: "Show what would be written, and write nothing." }),
    trust: boolean({
      summary: "Run sources that are programs, such as ecosystem.config.js, without asking.",
    }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Import);
    const clients = [...new Set(flags.from ?? [])];
    if (argv.length + clients.length === 0)
      this.fail(EXIT.usage, "cannot import nothing: name a file, or a client with --from");
    const { importFiles } = await import("../operation/importing.ts");
    const mayRun = async (file: string): Promise<boolean> => {
      if (flags.trust) return true;
      if (!canAsk()) return false;
      return confirm(`${shortenPath(file)} is a program. Run it to read what it says?`, this.signal);
    };
    const outcome = await importFiles({
      files: argv as string[],
      clients,
      tool: flags.as,
      format: flags.format,
      folder: flags.config,
      cwd: typedFolder(process.env, process.cwd()),
      env: process.env,
      dryRun: flags["dry-run"],
      intoRoot: flags.root,
      mayRun,
      state: this.state,
    });
    if (!outcome.ok) this.fail(EXIT.failed, "nothing was written", outcome.problems);
    const { report } = outcome;
    const isInTheWay = report.sources.some(({ servers }) =>
      servers.some(({ state }) => state === "in-the-way"),
    );
    if (isInTheWay || report.problems.length > 0) process.exitCode = EXIT.failed;
    await this.show(report, {
      text: (all) => importText(all, shortenPath, this.screen.width),
      json: (all) => ({ version: 1, ...all }),
    });
  }
}
