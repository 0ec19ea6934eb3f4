import { expect, test } from "vitest";
import { homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

test("names that every object of JavaScript answers to are names as good as others", async () => {
  const home = newHome();
  home.write("token", "s3cr3t-x\n");
  const secrets = ["constructor", "toString", "valueOf", "hasOwnProperty"];
  const env = [
    ...secrets.map((name) => `  ${name} (file)"../token"`),
    '  PORT "{port}"',
    '  isPrototypeOf "{env.PORT}"',
  ];
  home.write(
    "servers.d/constructor.kdl",
    [
      'command "sh"',
      // The shell itself has a word for each of them.
      'args "-c" "echo $constructor $toString | wc -c; echo $isPrototypeOf $PORT; exec sleep 600"',
      'port "auto"',
      'readiness "log" pattern="^[0-9]+ [0-9]+$"',
      `env {\n${env.join("\n")}\n}`,
      'action "constructor" { script "#!/bin/sh\\necho $valueOf | wc -c"; schedule "0 3 * * *"; }',
    ].join("\n"),
  );
  home.write("xy.config.kdl", 'action "constructor" { command "true"; }\n');
  expect(await home.did("apply", "--yes")).toContain("Apply complete: 3 added");
  expect(await home.did("plan")).toBe("No changes. 1 server matches the configuration.\n");
  const found = async () => new Map(Object.entries(await home.servers())).get("constructor");
  const server = await found();
  expect(server?.port).toBeGreaterThan(0);
  expect(await home.did("logs", "constructor")).toContain(
    `[out] 18\n[out] ${server?.port} ${server?.port}\n`,
  );
  expect(await home.did("run", "constructor:constructor")).toBe("9\n");
  await home.did("agent", "stop", "--keep-servers");
  expect(await home.did("plan")).toBe("No changes. 1 server matches the configuration.\n");
  expect(await found()).toMatchObject({ state: "running", pid: server?.pid });
  await home.did("stop", "constructor");
  await home.did("start", "constructor");
  expect(await home.did("destroy", "--yes")).toContain("3 removed");
});

test("a variable that no record can keep is refused where it is declared", async () => {
  const home = newHome();
  home.write("more.env", "A=1\n__proto__=x\n");
  home.write("servers.d/web.kdl", 'command "sleep"\nargs "600"\nport "none"\nenv-file "../more.env"\n');
  const { code, stdout } = await home.xy("plan");
  expect(code).toBe(1);
  expect(stdout).toContain("error: servers.d/web.kdl:4:10: cannot take __proto__ from");
});
