import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { homesInTurn, QUICK } from "./cli.ts";

/** One configuration on several machines: what differs, what is of which, and what a machine is called. */

const newHome = homesInTurn();
const called = (name: string) => ({ env: { XY_HOST: name } });
const NOTHING = "No changes. 1 server matches the configuration.\n";

test("a server that left with its machine is declared for others, and says for which", async () => {
  const home = newHome();
  home.declare("web", 'when host="work"');
  home.declare("db");
  expect((await home.xyIn(called("work"), "apply", "--yes")).stdout).toContain("2 added");

  const plan = await home.xyIn(called("work-2"), "plan");
  expect(plan.stdout).toContain(
    "  - web will be stopped and removed\n      because it is declared for other machines (host work; this is work-2)\n",
  );
  const document = JSON.parse((await home.xyIn(called("work-2"), "plan", "--json")).stdout);
  expect(document.changes[1]).toMatchObject({
    server: "web",
    action: "remove",
    reasons: [{ kind: "not-declared", elsewhere: "host work; this is work-2" }],
  });
  const check = await home.xyIn(called("work-2"), "check");
  expect(check.stdout).toMatch(/ 1 server, 1 for other machines \(web\)\.\n$/);
  expect(check.stderr).toBe(
    "The name of this machine is work-2, from XY_HOST.\nweb is declared for other machines (host work; this is work-2)\n",
  );
  expect(JSON.parse((await home.xyIn(called("work-2"), "check", "--json")).stdout)).toMatchObject({
    host: { name: "work-2", from: "XY_HOST" },
    elsewhere: ["web"],
    elsewhereBecause: { web: "host work; this is work-2" },
  });

  // What nobody declares is told as before.
  home.write("servers.d/web.kdl", `${QUICK}when host="work"\n`);
  await home.shell("rm servers.d/web.kdl");
  expect((await home.xyIn(called("work"), "plan")).stdout).toContain("because it is no longer declared\n");
});

test("a field differs by machine, and `--for` shows the field of another one", async () => {
  const home = newHome();
  home.declare("web", 'umask "022"\non host="work" { umask "077"; }\non os="macos" { umask "002"; }');
  await home.xyIn(called("work"), "apply", "--yes");
  expect((await home.xyIn(called("work"), "plan")).stdout).toBe(NOTHING);
  expect((await home.xyIn(called("home"), "plan")).stdout).toContain("umask: 077 -> 022");

  const mac = "os=macos,home=/Users/ada,user=ada,host=work";
  expect(await home.did("plan", "--for", mac)).toContain("umask: 002");
  expect(await home.did("emit", "systemd", "--for", mac.replace("macos", "linux"))).toContain("UMask=0077\n");
  expect(await home.did("check", "--for", mac)).toContain("is valid for work (macos, arm64, ada)");
});

test("a name in the state folder does not follow the network, and the caller's own counts more", async () => {
  const home = newHome();
  home.declare("web", 'umask "022"\non host="work" { umask "077"; }');
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  home.write(join(home.state, "host"), "work\n");
  await home.did("apply", "--yes");
  expect(await home.did("status", "web", "--json")).toContain('"umask": 63');
  expect((await home.xyIn(called("home"), "plan")).stdout).toContain("umask: 077 -> 022");
  expect((await home.xyIn(called(""), "plan")).stdout).toBe(NOTHING);
  const check = await home.xy("check");
  expect(check.stderr).toBe("The name of this machine is work, from ~/.local/state/xy/host.\n");
  expect(await home.call("reload", {})).toMatchObject({ result: { unchanged: ["web"] } });
});

test("the agent reloads under the name that the last apply was given", async () => {
  const home = newHome();
  home.declare("web", 'umask "022"\non host="work" { umask "077"; }\non host="lab" { umask "007"; }');
  await home.xyIn(called("work"), "apply", "--yes");
  expect(await home.call("reload", {})).toMatchObject({ result: { changed: [], unchanged: ["web"] } });
  // The file is for callers that say nothing.
  home.write(join(home.state, "host"), "lab");
  expect(await home.call("reload", {})).toMatchObject({ result: { changed: [], unchanged: ["web"] } });
  // Whoever applies without a name leaves it to the file again.
  await home.did("apply", "--yes");
  expect(readFileSync(join(home.state, "projects/tools/project.json"), "utf8")).not.toContain('"host"');
  home.write(join(home.state, "host"), "work");
  expect(await home.call("reload", {})).toMatchObject({ result: { changed: ["web"] } });
});

test("a name that no configuration could say is refused where it is written, and nothing else needs one", async () => {
  const home = newHome();
  home.declare("web");
  await home.did("apply", "--yes");
  const file = home.write(join(home.state, "host"), "");
  const cases: [text: string, said: string][] = [
    ["Work.example.com\n", '"Work.example.com" as the name of this machine: write "work", the short name'],
    ["work\nhome\n", '"work\\nhome" as the name of this machine: write one line'],
    ["\n", '"" as the name of this machine: write one line'],
    [`${"w".repeat(65)}\n`, " as the name of this machine: write "],
    ["\u001b[2Jwork", " as the name of this machine: write "],
    ["w".repeat(4096), "it has more than "],
  ];
  for (const [text, said] of cases) {
    home.write(file, text);
    const { code, stdout, stderr } = await home.xy("plan");
    expect({ code, stdout }, text).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(/^~\/\.local\/state\/xy\/host:1:1: cannot (use|read) /);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain("\u001b");
  }
  const said = await home.xyIn(called("Work"), "check");
  expect(said).toMatchObject({ code: 3, stdout: "" });
  expect(said.stderr).toContain('cannot use XY_HOST="Work" as the name of this machine: write "work", ');
  expect((await home.xyIn(called("work"), "plan")).stdout).toBe(NOTHING);
  expect(await home.did("check", "--for", "os=linux,home=/home/a,user=a,host=b")).toContain(
    "is valid for b ",
  );
  expect(await home.did("list")).toContain("web");
  await home.did("restart", "web");
});

test("a path has the machine in it, and what only looks so is remarked on", async () => {
  const home = newHome();
  home.write("env/work.env", "GREETING=hello\n");
  home.write("env/home.env", "GREETING=hi\n");
  mkdirSync(home.pathOf("data-work"));
  mkdirSync(home.pathOf("data-home"));
  const declare = (more = "") =>
    home.write(
      "xy.config.kdl",
      `server "web" {\n${QUICK}env-file "env/{host}.env"\nworking-dir "data-{host}"\n${more}}\n`,
    );
  declare();
  expect((await home.xyIn(called("work"), "apply", "--yes")).stdout).toContain("1 added");
  expect((await home.xyIn(called("work"), "plan")).stdout).toBe(NOTHING);
  const plan = (await home.xyIn(called("home"), "plan")).stdout;
  expect(plan).toContain(`- ${home.project}/data-work\n        + ${home.project}/data-home\n`);
  expect(plan).toContain("env/home.env");

  declare(`env { CACHE "~/.cache"; URL "http://\${HOST}/"; }\non host="nowhere" { working-dir "{hots}"; }\n`);
  const check = await home.xyIn(called("work"), "check");
  expect(check).toMatchObject({ code: 3, stdout: "" });
  expect(check.stderr).toContain(
    "xy.config.kdl:9:33: cannot fill in {hots} in on[0].working-dir: did you mean {host}? ",
  );
  declare(`env { CACHE "~/.cache"; URL "http://\${HOST}/"; }\n`);
  const warned = await home.xyIn(called("work"), "check");
  expect(warned.code).toBe(0);
  expect(warned.stderr).toContain("warning: xy.config.kdl:8:13: nothing fills in ~ in env.CACHE");
  expect(warned.stderr).toContain(`xy.config.kdl:8:29: nothing fills in \${HOST} in env.URL`);
  expect((await home.xyIn(called("work"), "plan")).stdout).toContain("nothing fills in ~ in env.CACHE");
  expect(await home.did("emit", "systemd", "--for", "os=linux,home=/home/a,user=a,host=lab")).toContain(
    "data-lab",
  );
});

test("work and private are files of their own, for every command", async () => {
  const home = newHome();
  home.trusts();
  home.write(
    "xy.config.kdl",
    'project "tools"\ndefaults { umask "077"; }\ninclude "work/*.kdl" "../private/me.yaml"\n',
  );
  const web = (more = "") => `server "web" {\n${QUICK}env { TOKEN (command)"cat token"; }\n${more}}\n`;
  home.write("work/web.kdl", web());
  home.write("work/token", "s3cr3t-x\n");
  home.allow(home.pathOf("work/token"));
  home.write(
    "../private/me.yaml",
    "servers: { me: { command: sleep, args: ['600'], port: none } }\nactions: { act: { command: 'true' } }\n",
  );
  const plan = await home.did("plan", "-o", "one.plan");
  expect(plan).toContain("Plan: 3 to add");
  expect(await home.did("apply", "one.plan")).toContain("Apply complete: 3 added");
  expect(await home.did("plan")).toBe("No changes. 2 servers match the configuration.\n");
  const { files } = (await home.json("check")) as { files: string[] };
  expect(files).toEqual(
    ["tools/xy.config.kdl", "tools/work/web.kdl", "private/me.yaml"].map((file) => join(home.path, file)),
  );
  expect(await home.did("emit", "systemd", "--only", "me")).toContain("UMask=0077\n");

  // A saved plan is made again from all of the files.
  home.write("work/web.kdl", web('tags "new"\n'));
  await home.did("plan", "-o", "two.plan");
  home.write("work/web.kdl", web('tags "newer"\n'));
  expect((await home.xy("apply", "two.plan")).code).not.toBe(0);
  expect(await home.call("reload", {})).toMatchObject({ result: { changed: ["web"], unchanged: ["me"] } });

  // Commands for secrets run where the file stands that says them, also when they are brought back.
  home.write("xy.config.kdl", 'project "tools"\n');
  expect(await home.did("apply", "--yes")).toContain("3 removed");
  expect(await home.did("rollback", "--yes")).toContain("3 added");
  expect((await home.servers()).web).toMatchObject({ state: "running" });
});

test("a file of another folder is asked about, with what it can run", async () => {
  const home = newHome();
  home.write("xy.config.yaml", "include: ~/other/x.kdl\n");
  home.write("../other/x.kdl", `server "web" {\n${QUICK}env { TOKEN (command)"touch ran"; }\n}\n`);
  const refused = await home.xy("plan");
  expect(refused).toMatchObject({ code: 3, stdout: "" });
  expect(refused.stderr).toContain(
    `xy.config.yaml:1:10: cannot take a part of it from another folder unasked: ${home.path}/other/x.kdl\n`,
  );
  expect(refused.stderr).toContain("~/other/x.kdl:6:");
  expect(refused.stderr).toContain("cannot run this command for a secret unasked: touch ran\n");
  const asked = home.terminal("xy plan");
  await asked.prints("Trust this configuration?");
  expect(asked.stdout).toContain("include a file from another folder:");
  asked.types("n\r");
  await asked.ended;
  await home.shell("chmod 666 ../other/x.kdl");
  expect((await home.xy("plan", "--trust")).stderr).toContain(
    `xy.config.yaml:1:10: cannot include ${home.path}/other/x.kdl: others can write to ${home.path}/other/x.kdl; run: chmod go-w`,
  );
});
