import { describe, expect, it } from "vitest";
import { newHome } from "./cli.ts";

describe("xy check for hooks", () => {
  it("checks the configuration that files belong to, each once", async () => {
    const home = newHome();
    const server = "command: sleep\nport: none\n";
    home.write("one/servers.d/web.yaml", server);
    home.write("one/servers.d/data/notes.txt", "");
    home.write("one/README.md", "");
    home.write("two/xy.config.yaml", `servers: { db: { command: sleep, port: none } }\n`);
    home.write("alone.yaml", `servers: { a: { command: sleep, port: none } }\n`);
    const valid = (project: string) => `The configuration is valid: project ${project}, 1 server.\n`;
    const files = ["one/servers.d/web.yaml", "one/README.md", "one/servers.d/data/notes.txt"];
    expect(await home.did("check", ...files)).toBe(valid("one"));
    expect(await home.did("check", "two/xy.config.yaml", ...files, "one")).toBe(valid("two") + valid("one"));
    expect(await home.did("check", "alone.yaml")).toBe(valid("alone"));
    const { projects } = JSON.parse(await home.did("check", "--json", files[0] as string, "two"));
    expect(projects).toMatchObject([
      { valid: true, project: "one", servers: ["web"] },
      { valid: true, project: "two", servers: ["db"] },
    ]);

    // Everything that is wrong in any of them, at once.
    home.write("one/servers.d/web.yaml", `${server}comand: x\n`);
    home.write("two/xy.config.yaml", "servers: { db: { command: sleep, port: 0 } }\n");
    const wrong = await home.xy("check", "one/README.md", "two/xy.config.yaml");
    expect(wrong).toMatchObject({ code: 3, stdout: "" });
    expect(wrong.stderr).toMatch(
      /^one\/servers\.d\/web\.yaml:3:1: .*\ntwo\/xy\.config\.yaml:1:\d+: .*\nxy: /,
    );
  });

  it("says which files belong to nothing", async () => {
    const home = newHome();
    home.write("../.config/xy/servers.d/web.yaml", "command: sleep\nport: none\n");
    home.write("script.sh", "");
    const said = async (...words: string[]) => {
      const { code, stderr } = await home.xy("check", ...words);
      return { code, stderr: stderr.split("\n")[0] };
    };
    expect(await said("script.sh")).toEqual({
      code: 3,
      stderr:
        "script.sh: cannot check this: it belongs to no configuration, as no folder above has xy.config.* or servers.d",
    });
    expect(await said("none.yaml")).toEqual({
      code: 3,
      stderr: "none.yaml: cannot check this file: there is none; correct the path",
    });
    expect((await said("script.sh", "--config", ".")).code).toBe(64);
    expect(await home.did("check", `${home.path}/.config/xy/servers.d/web.yaml`)).toContain(
      "project default, 1",
    );
  });

  it("says what a file of servers.d is that was named as a configuration", async () => {
    const home = newHome();
    home.declare("web");
    for (const command of ["check", "plan", "emit systemd"]) {
      const { code, stderr } = await home.xy(...command.split(" "), "--config", "servers.d/web.kdl");
      expect({ code, stderr: stderr.replace("written", "done") }).toEqual({
        code: 3,
        stderr: `servers.d/web.kdl: cannot use this file as a configuration: it describes one server of the configuration in ${home.project}; name that folder, or run "xy check" with this file\nxy: the configuration is invalid, nothing was done\n`,
      });
    }
  });
});

describe("a merge that is not finished", () => {
  const conflict = (before: string, ours: string, theirs: string) =>
    `${before}\n<<<<<<< HEAD\n${ours}\n=======\n${theirs}\n>>>>>>> other branch\n`;
  const SAID =
    "cannot read this file: an unresolved merge conflict begins here; resolve it, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>";

  it.each([
    ["xy.config.kdl", conflict('project "a"', 'defaults { backend "agent"; }', "defaults { }")],
    ["xy.config.yaml", conflict("project: a", "path: [/a]", "path: [/b]").replaceAll("\n", "\r\n")],
    ["xy.config.json", conflict("{", '"project": "a"', '"project": "b"')],
    ["xy.config.ts", conflict("const a = 1;", "export default { servers: {} };", "export default {};")],
    ["servers.d/web.kdl", conflict('command "sleep"', 'port "none"', "port 1")],
    ["servers.d/web.yaml", conflict("command: sleep", "port: none", "port: 1")],
  ])("is one problem of %s, at its line", async (file, text) => {
    const home = newHome();
    home.trusts();
    home.write(file, text);
    const { code, stderr } = await home.xy("check", "--trust");
    expect({ code, stderr: stderr.replace("written", "done") }).toEqual({
      code: 3,
      stderr: `${file}:2:1: ${SAID}\nxy: the configuration is invalid, nothing was done\n`,
    });
  });

  it("is one problem of an env-file, and nothing of it is taken", async () => {
    const home = newHome();
    home.declare("web", 'env-file "../web.env"');
    home.write("web.env", conflict("A=1", "B=1", "B=2"));
    const { stdout, code } = await home.xy("plan");
    expect(code).toBe(1);
    const errors = stdout.split("\n").filter((line) => line.startsWith("error: "));
    expect(errors).toEqual([expect.stringContaining(`${SAID} (${home.project}/web.env:2)`)]);
  });

  it("is none where such lines are text", async () => {
    const home = newHome();
    const text = conflict("", "a", "b").replaceAll("\n", "\n    ");
    home.write("servers.d/web.yaml", `command: sleep\nport: none\ndescription: |\n    x${text}\n`);
    await home.did("check");
  });
});
