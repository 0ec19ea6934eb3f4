import { formatDiagnostic } from "../model/diagnostic.ts";
import { ProjectCommand, trustFlags } from "./project-command.ts";
import { shortenPath } from "./shorten.ts";

export default class Check extends ProjectCommand {
  static override summary = "Load and validate the configuration, and show every problem at once.";
  static override examples = ["<%= config.bin %> check", "<%= config.bin %> check --config ~/dotfiles/xy"];
  static override enableJsonFlag = true;
  static override flags = { ...trustFlags };

  async run(): Promise<void> {
    const { flags } = await this.parse(Check);
    const { desired, files, warnings, elsewhere } = await this.evaluated({ ...flags, "no-secrets": true });
    const { project, servers } = desired;
    if (this.json) {
      return this.printJson({
        valid: true,
        project,
        servers: servers.map(({ name }) => name),
        files,
        elsewhere,
        warnings,
      });
    }
    for (const warning of warnings) this.note(`warning: ${formatDiagnostic(warning, shortenPath)}`);
    const count = `${servers.length} ${servers.length === 1 ? "server" : "servers"}`;
    const others =
      elsewhere.length > 0 ? `, ${elsewhere.length} for other machines (${elsewhere.join(", ")})` : "";
    this.print(`The configuration is valid: project ${project}, ${count}${others}.`);
  }
}
