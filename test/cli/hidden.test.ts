import { expect, it } from "vitest";
import { newHome } from "./cli.ts";

const SERVER =
  'command "sh"\nargs "-c" "echo up; exec sleep 600"\nport "none"\nreadiness "log" pattern="^up$"\n';

it("a plan hides what every server is given, and nothing that only has its name", async () => {
  const home = newHome();
  home.write("servers.d/plain.kdl", `${SERVER}action "say" { command "true"; }\n`);
  const plan = await home.did("plan");
  expect(plan).not.toMatch(/env\.|working-dir/);
  await home.did("apply", "--yes");
  expect(await home.did("status", "plain")).not.toMatch(/env\.|working-dir/);

  home.write(
    "servers.d/odd.kdl",
    `${SERVER}env { PATH "/usr/bin:./bin:/bin"; HOME "/tmp"; SHELL "/bin/false"; }\nworking-dir "/tmp"\n` +
      'action "say" { script "#!/bin/sh\\necho one\\necho two\\n"; env { TMPDIR "/var/tmp"; }; }\n',
  );
  const odd = await home.did("plan");
  expect(odd).toContain('+ env.PATH: "/usr/bin:./bin:/bin"');
  expect(odd).toContain('+ env.HOME: "/tmp"');
  expect(odd).toContain('+ env.SHELL: "/bin/false"');
  expect(odd).toContain("+ working-dir: /tmp");
  expect(odd).toContain('+ env.TMPDIR: "/var/tmp"');
  expect(odd).toMatch(/script: 3 lines.*\n +\+ #!\/bin\/sh\n +\+ echo one\n +\+ echo two\n/);
  await home.did("apply", "--yes");
  expect(await home.did("status", "odd")).toContain("/usr/bin:./bin:/bin");
});

it("folders that the configuration puts on every PATH are shown as well", async () => {
  const home = newHome();
  home.write("xy.config.kdl", 'path "./bin"\n');
  home.declare("web");
  expect(await home.did("plan")).toMatch(/env\.PATH: "[^"]*\/tools\/bin:/);
});

it("a variable that a shell would fill in is said to stay as it is", async () => {
  const home = newHome();
  home.declare("web", `env {\n  PATH "/foo:$PATH"\n  DIR "\${HOME}/data"\n  PASSWORD "pa$$word$HOME"\n}`);
  home.declare("task", 'action "say" { command "true"; env { PATH "$HOME/bin"; }; }');
  const { code, stderr } = await home.xy("check");
  expect(code).toBe(0);
  expect(stderr.split("\n").sort()).toEqual([
    "",
    "warning: servers.d/task.kdl:5:43: nothing fills in $HOME in env.PATH, the program gets it as it is written: write {env.HOME}, or the value itself",
    "warning: servers.d/web.kdl:6:8: nothing fills in $PATH in env.PATH, the program gets it as it is written: add folders with the setting path, or write the whole value out",
    `warning: servers.d/web.kdl:7:7: nothing fills in \${HOME} in env.DIR, the program gets it as it is written: write {env.HOME}, or the value itself`,
  ]);
  expect(await home.did("plan")).toContain("nothing fills in $PATH in env.PATH");
});
