import { accountHere } from "../system/account-here.ts";
import { typedFolder } from "../system/paths.ts";
import { readProject } from "../system/projects.ts";
import { clientFilesView } from "../views/client-files.ts";
import { BaseCommand } from "./base.ts";
import { projectHere } from "./configuration.ts";

export default class Clients extends BaseCommand {
  static override summary = "List the MCP clients on this machine, and the servers in their files.";
  static override description =
    "Shows each editor and assistant that was found, the file in which it keeps its MCP servers, whose each entry is, and what " +
    "makes the client read the file again. Changes nothing. Of entries that are not xy's, only what cannot be a secret is shown.";
  static override examples = ["<%= config.bin %> clients", "<%= config.bin %> clients --json"];
  static override doing = "looking at clients";
  static override enableJsonFlag = true;

  async run(): Promise<void> {
    const { flags } = await this.parse(Clients);
    const { clientsHere } = await import("../clients/overview.ts");
    const { os, home } = accountHere(process.env);
    const project = await projectHere(this, flags);
    const root = project === undefined ? undefined : readProject(this.state, project)?.root;
    const folder = root ?? typedFolder(process.env, process.cwd());
    const clients = await clientsHere(this.state, { os, home, env: process.env, folder });
    await this.show(clients, { text: (shown) => clientFilesView(shown, this.screen) });
  }
}
