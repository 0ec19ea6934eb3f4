import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { expectScreen, type Typed } from "../rig/kept-screen.ts";
import { rowsOf, textOfRows } from "../rig/terminal-rows.ts";
import { type Home, homesInTurn } from "./cli.ts";

const ROOT = join(import.meta.dirname, "../..");

const newHome = homesInTurn();

const WIDTHS = [80, 120];
const linux = process.platform === "linux";

/** A server that is long in coming up: it listens when `index-ready` is there. */
const SEARCH = `import { existsSync, watch } from "node:fs";
import { createServer } from "node:http";

const { PORT, PAGES } = process.env;
console.log(\`reading \${PAGES} pages\`);
const serve = () => {
  if (!existsSync("index-ready")) return;
  watcher.close();
  console.log("the index is complete");
  createServer((_, answer) => answer.end("ok")).listen(Number(PORT), "127.0.0.1");
};
const watcher = watch(".", serve);
if (existsSync("index-ready")) serve();
else console.log("indexed 812 pages");
`;

const searchServer = (pages: number) => `description "Full-text search in my notes"
command "node"
args "search.mjs"
working-dir ".."
port "auto"
readiness "http"
env {
  PORT "{port}"
  PAGES "${pages}"
}
`;

/** A server that fails once `mail-fails` is there. */
const MAIL = `import { existsSync, watch } from "node:fs";

console.log("polling imap.example.org");
const look = () => {
  if (!existsSync("mail-fails")) return;
  console.error("cannot log in to imap.example.org: AUTHENTICATIONFAILED");
  process.exit(1);
};
watch(".", look);
look();
`;

const WEBSITE = `import { createServer } from "node:http";

createServer((_, answer) => answer.end("hello")).listen(process.env.PORT, "127.0.0.1");
`;

function describeServers(home: Home): void {
  home.write(join(home.path, ".npmrc"), "offline=true\nupdate-notifier=false\nfund=false\n");
  home.write("search.mjs", SEARCH);
  home.write("mail.mjs", MAIL);
  home.write("website.mjs", WEBSITE);
  home.write("index-ready", "");
  home.write("servers.d/notes-search.kdl", searchServer(1204));
  home.write(
    "servers.d/everything.kdl",
    'command "npx"\nargs "-y" "@modelcontextprotocol/server-everything" "streamableHttp"\nworking-dir ".."\nport "auto"\nmcp\nenv { PORT "{port}"; }\n',
  );
  home.write(
    "servers.d/mail.kdl",
    'command "node"\nargs "mail.mjs"\nworking-dir ".."\nport "none"\nreadiness "log" pattern="^polling"\nrestart { max-retries-per-minute 1; backoff-initial "100ms"; }\n',
  );
}

/** What somebody does next: a setting is changed, two servers are new. */
function changeServers(home: Home): void {
  home.write("servers.d/notes-search.kdl", searchServer(2400));
  home.write(
    "servers.d/memory.kdl",
    'description "What my assistants remember"\ncommand "npx"\nargs "-y" "@modelcontextprotocol/server-memory"\nworking-dir ".."\nport "auto"\nmcp { transport "stdio"; share "all"; }\n',
  );
  home.write(
    "servers.d/website.kdl",
    'command "node"\nargs "website.mjs"\nworking-dir ".."\nport "auto"\ndepends-on "notes-search"\nenv { PORT "{port}"; }\n',
  );
}

function screensIn(home: Home) {
  const type = async (columns: number, command: string): Promise<Typed> => ({
    command,
    output: await home.typed(command, { columns }),
  });
  const keeps = (name: string, description: string, columns: number, typed: readonly Typed[]) =>
    expectScreen({ name, description, columns, home: home.path, typed });
  /** The same commands, typed on both. */
  const shows = (name: string, description: string, ...commands: readonly string[]) =>
    Promise.all(
      WIDTHS.map(async (columns) => {
        const typed: Typed[] = [];
        for (const command of commands) typed.push(await type(columns, command));
        await keeps(`${name}-${columns}`, description, columns, typed);
        return typed;
      }),
    );
  return { keeps, shows };
}

it.runIf(linux)(
  "shows a session on terminals of 80 and 120 columns",
  async () => {
    const home = newHome();
    const { keeps, shows } = screensIn(home);
    /** Applies what has changed, and keeps how that looks while one server is not ready yet. */
    const applies = async (columns: number) => {
      rmSync(home.pathOf("index-ready"));
      const apply = home.terminal("xy apply --yes", { columns });
      const midway = await eventually(async () => {
        const text = textOfRows(await rowsOf(apply.stdout, columns));
        for (const part of ["nothing listens", "indexed 812 pages", "✔ memory: added"])
          expect(text).toContain(part);
        return apply.stdout;
      });
      const description = "An apply while it works: one server is ready, one is starting, one waits for it.";
      await keeps(`apply-${columns}`, description, columns, [{ command: "xy apply --yes", output: midway }]);
      home.write("index-ready", "");
      expect((await apply.ended).code).toBe(0);
    };

    await home.shell(`ln -s '${ROOT}/node_modules' node_modules`);
    describeServers(home);
    await home.did("apply", "--yes");
    changeServers(home);
    const plan = "A plan: two servers will be added, one will be changed and restarted.";
    const [planned = []] = await shows("plan", plan, "xy plan");
    await applies(80);
    for (const file of ["memory", "website"]) rmSync(home.pathOf(`servers.d/${file}.kdl`));
    home.write("servers.d/notes-search.kdl", searchServer(1204));
    await home.did("apply", "--yes");
    changeServers(home);
    await applies(120);

    home.write("mail-fails", "");
    await eventually(async () => expect(await home.servers()).toMatchObject({ mail: { state: "failed" } }));
    await home.did("stop", "website");
    const list = "The list of servers: three run, one has failed, one was stopped by hand.";
    const [listed = []] = await shows("list", list, "xy list");
    const both = "A plan, and the list of servers once it was applied.";
    await keeps("readme", both, 80, [...planned, ...listed]);
    await shows("status", "The status of one server in detail.", "xy status notes-search");
    await shows("why", "Why two servers do not run.", "xy why mail", "xy why website");
    const logs = "The latest output of three servers, in one stream.";
    await shows("logs", logs, "xy logs mail memory notes-search --tail 3");
  },
  300_000,
);

it.runIf(linux)("shows a configuration with mistakes", async () => {
  const home = newHome();
  const { shows } = screensIn(home);
  home.write("servers.d/notes-search.kdl", searchServer(2400).replace("command", "comand"));
  home.write(
    "servers.d/website.kdl",
    'command "node" "website.mjs"\nport 80800\ndepends-on "notes-serach"\n',
  );
  await shows("error", "A configuration with mistakes: each is shown with its place.", "xy plan");
});
