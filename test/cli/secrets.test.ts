import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { homesInTurn, newHome as ownHome } from "./cli.ts";

const newHome = homesInTurn();

const SECRETS = { env: "s3cr3t-old", file: "s3cr3t-old2", command: "s3cr3t-three", envFile: "s3cr3t-four" };

it("a secret reaches the server, and is seen nowhere else", async () => {
  const home = newHome();
  home.trusts();
  home.write("two.txt", `${SECRETS.file}\n`);
  home.write("three.txt", `${SECRETS.command}\n`);
  home.write("more.env", `FOUR=${SECRETS.envFile}\n`);
  home.write(
    "servers.d/web.kdl",
    [
      'command "sh"',
      // The lengths: what a server prints is its own affair, and in its log.
      'args "-c" "for s in $ONE $TWO $THREE $FOUR; do printf %s $s | wc -c; done; echo up; exec sleep 600"',
      'port "none"',
      'env {\n  ONE (env)"XY_ONE"\n  TWO (file)"../two.txt"\n  THREE (command)"cat \'$HOME\'/tools/three.txt"\n}',
      'env-file "../more.env"',
      'readiness "log" pattern="^up$"',
    ]
      .join("\n")
      .replace("'$HOME'", home.path),
  );
  const env = { XY_ONE: SECRETS.env };
  let said = "";
  const xy = async (...words: string[]) => {
    const { code, stdout, stderr } = await home.xyIn({ env }, ...words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    said += stdout;
    return stdout;
  };
  await xy("check", "--json");
  expect(await xy("plan")).toContain("env.ONE: (secret from env XY_ONE)\n");
  await xy("plan", "--json");
  await xy("apply", "--yes");
  expect(await xy("logs", "web")).toBe("[out] 10\n[out] 11\n[out] 12\n[out] 11\n[out] up\n");
  for (const words of [
    ["status", "web"],
    ["status", "web", "--json"],
    ["list", "--json"],
    ["why", "web"],
  ])
    await xy(...words);
  expect(await xy("plan")).toBe("No changes. 1 server matches the configuration.\n");

  env.XY_ONE = "s3cr3t-new";
  home.write("two.txt", "s3cr3t-newer\n");
  const changed = await xy("plan");
  expect(changed).toContain("because env.ONE and env.TWO changed\n");
  expect(changed).toContain("~ env.ONE: (secret from env XY_ONE) (changed)\n");
  await xy("plan", "--json");
  await xy("apply", "--yes", "--json");
  expect(said).not.toContain("s3cr3t");

  const files = readdirSync(home.state, { recursive: true, encoding: "utf8" })
    .map((file) => join(home.state, file))
    .filter((file) => statSync(file).isFile());
  const holding = files.filter((file) => readFileSync(file, "latin1").includes("s3cr3t"));
  expect(holding).toEqual([join(home.state, "projects/tools/servers/web/spec.json")]);
  expect(statSync(holding[0] as string).mode & 0o777).toBe(0o600);
  expect(statSync(home.state).mode & 0o777).toBe(0o700);
  expect(readFileSync(holding[0] as string, "utf8")).toContain("s3cr3t-new");
  expect(readFileSync(holding[0] as string, "utf8")).not.toMatch(/s3cr3t-old/);
});

it("a secret's command runs once a plan, however many servers want it, and not at all with --no-secrets", async () => {
  const home = newHome();
  home.trusts();
  home.write("value", "s3cr3t-once");
  const secret = `env {\n  TOKEN (command)"echo run >>${home.path}/runs; cat ${home.path}/tools/value"\n}`;
  home.declare("web", secret);
  home.declare("db", secret);
  const runs = () => home.shell("cat ../runs 2>/dev/null | wc -l").then(({ stdout }) => Number(stdout));
  await home.did("plan", "--no-secrets");
  await home.did("check");
  expect(await runs()).toBe(0);
  await home.did("plan");
  expect(await runs()).toBe(1);
  await home.did("apply", "--yes");
  expect(await runs()).toBe(2);
  home.write("value", "s3cr3t-other");
  expect(await home.did("plan", "--no-secrets")).toContain("No changes. 2 servers match");
  expect(await home.did("plan")).toContain("because env.TOKEN changed");
  // Nothing that was not looked up is new: the plan is the same one with its secrets, while those are the same.
  home.declare("db", `${secret}\numask "077"`);
  await home.did("plan", "--no-secrets", "-o", "p");
  expect(await home.xy("apply", "p")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("stale: db, web"),
  });
  home.write("value", "s3cr3t-once");
  expect(await home.did("apply", "p")).toContain("0 added, 1 changed, 0 removed.");
  home.declare("more", secret);
  expect(await home.xy("plan", "--no-secrets", "-o", "p")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("cannot save a plan with unknown secrets: more would get a secret"),
  });
});

it("with --no-secrets nothing of env-files and secret files is read, and what was applied stays", async () => {
  const home = newHome();
  home.trusts();
  home.write("web.env", "LEVEL=1\nTOKEN=s3cr3t-old\n");
  home.write("key", "s3cr3t-key");
  for (const name of ["web.env", "key"]) home.allow(join(home.project, name));
  home.declare("web", 'env-file "../web.env"\nenv { KEY (file)"../key"; }');
  const plan = await home.xy("plan", "--no-secrets");
  expect(plan).toMatchObject({ code: 0 });
  expect(plan.stdout).toContain("web.env is not read, because secrets are left out");
  expect(await home.xy("plan", "--no-secrets", "-o", "p")).toMatchObject({ code: 1 });
  expect((await home.xy("apply", "--yes", "--no-secrets")).stdout).toMatch(
    /cannot apply web without secrets: no value of KEY was .* before, and nothing of \S+web\.env was applied before/,
  );
  await home.did("apply", "--yes");
  const { pid } = (await home.servers()).web ?? {};

  home.write("web.env", "LEVEL=2\nMORE=s3cr3t-more\n");
  home.write("key", "s3cr3t-other");
  const none = expect.stringContaining("No changes.");
  expect(await home.xy("plan", "--no-secrets")).toMatchObject({ code: 0, stdout: none, stderr: "" });
  await home.did("apply", "--yes", "--no-secrets");
  expect((await home.servers()).web?.pid).toBe(pid);
  home.declare("web", 'env-file "../web.env"\nenv { KEY (file)"../key"; }\numask "077"');
  await home.did("apply", "--yes", "--no-secrets");
  const given = await home.did("status", "web", "--json");
  expect(JSON.parse(given)).toMatchObject({ name: "web", state: "running" });
  const running = (await home.servers()).web?.pid as number;
  const environ = readFileSync(`/proc/${running}/environ`, "latin1").split("\0");
  expect(environ).toEqual(expect.arrayContaining(["LEVEL=1", "TOKEN=s3cr3t-old", "KEY=s3cr3t-key"]));
  const told = await home.did("plan");
  for (const name of ["LEVEL", "TOKEN", "MORE", "KEY"]) expect(told).toContain(`env.${name}`);
  await home.did("apply", "--yes");
});

it("a store that is locked stands in the way only of a reference that is new, and nobody asks it for others", async () => {
  const home = newHome();
  home.trusts();
  // The store itself, and who asked it.
  for (const file of ["store", "store.asked"]) home.allow(join(home.project, "servers.d", file));
  home.write("servers.d/store", 'echo "$1" >>"$0.asked"; test -e "$0.locked" && exit 3; echo "s3cr3t-$1"');
  // Where the file that says it is: as a secret's file is.
  const secret = (name: string) => `env { TOKEN (command)"sh ./store ${name}"; }`;
  for (const name of ["a", "b"]) home.declare(name, secret(name));
  const pids = async () => {
    const servers = await home.servers();
    return { a: servers.a?.pid as number, b: servers.b?.pid as number };
  };
  const asked = async () =>
    (await home.shell("cat servers.d/store.asked; rm servers.d/store.asked")).stdout.split("\n");
  await home.did("apply", "--yes");
  expect(await asked()).toEqual(["a", "b", ""]);
  const first = await pids();

  await home.did("plan", "--only", "a");
  await home.did("apply", "--yes", "--except", "a");
  expect(await asked()).toEqual(["a", "b", ""]);

  home.write("servers.d/store.locked", "");
  const same = await home.xy("plan", "--detailed-exitcode");
  expect(same).toMatchObject({ code: 0, stdout: expect.stringContaining("No changes.") });
  home.declare("a", `${secret("a")}\ndescription "other"`);
  home.declare("b", `${secret("b")}\numask "077"`);
  const locked = (await home.did("plan")).replace(/\s+/g, " ");
  for (const name of ["a", "b"])
    expect(locked).toContain(
      `servers.d/${name}.kdl:5:13: the secret for TOKEN keeps the value that was applied last: its command ended with 3`,
    );
  expect(await home.did("apply", "--yes")).toContain("0 added, 2 changed, 0 removed.");
  // The one that had to be started anew has its secret all the same.
  const now = await pids();
  expect([now.a, now.b === first.b]).toEqual([first.a, false]);
  expect(readFileSync(`/proc/${now.b}/environ`, "latin1").split("\0")).toContain("TOKEN=s3cr3t-b");
  expect((await home.did("reload")).length).toBeGreaterThan(0);

  home.declare("b", secret("other"));
  const refused = await home.xy("apply", "--yes");
  expect(refused.code).toBe(1);
  expect(refused.stdout).toMatch(/cannot get the secret for TOKEN: its command\s+ended with 3/);
  expect((await home.xy("plan", "--only", "a")).code).toBe(0);
  expect(await pids()).toEqual(now);
});

it("a secret that a server prints is not repeated by xy, neither the new value nor the one before", async () => {
  const home = newHome();
  const server = (ready: string) =>
    [
      'command "sh"',
      'args "-c" "echo token=$TOKEN; sleep 0.1; echo up $TOKEN; exec sleep 600"',
      'port "none"',
      'env { TOKEN (file)"../../token" }',
      `readiness "log" pattern="${ready}"`,
      "",
    ].join("\n");
  home.write("../token", "s3cr3t-old-token");
  home.write("servers.d/web.kdl", server("^up"));
  expect(await home.did("apply", "--yes")).toContain("ready: printed: up (secret TOKEN)");
  home.write("../token", "s3cr3t-after");
  home.write("servers.d/web.kdl", server("never"));
  const outcome = await home.xy("apply", "--yes", "--wait-timeout", "2s", "--no-rollback");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).toContain("  | token=(secret TOKEN)");
  await home.did("status", "web");
  await home.did("why", "web");
  // The log is the server's own word, and goes with it.
  await home.did("destroy", "--yes");
});

it("a value that was replaced is on disk no more, also when its record was torn in between", async () => {
  const home = ownHome();
  home.declare(
    "web",
    'env { TOKEN (file)"../token"; }\naction "use" { command "true"; env { OWN (file)"../token"; }; }',
  );
  home.write("token", "s3cr3t-old-token");
  await home.did("apply", "--yes");
  const records = ["servers/web/spec.json", "actions.json"].map((file) =>
    join(home.state, "projects/tools", file),
  );
  for (const record of records) {
    await home.did("agent", "stop", "--keep-servers");
    const text = readFileSync(record, "utf8");
    writeFileSync(record, text.slice(0, text.lastIndexOf("s3cr3t-old-token") + "s3cr3t-old-token".length));
    await home.xy("plan");
    await home.xy("run");
  }
  const holding = () =>
    readdirSync(home.state, { recursive: true, encoding: "utf8" }).filter((file) => {
      const path = join(home.state, file);
      return statSync(path).isFile() && readFileSync(path, "latin1").includes("s3cr3t-old-token");
    });
  expect(holding()).toEqual(expect.arrayContaining([expect.stringContaining("spec.json.set-aside-")]));
  home.write("token", "s3cr3t-of-new");
  await home.did("apply", "--yes");
  expect(holding()).toEqual([]);
});

it("what a server prints of its secrets is left out of its logs, however it writes them, unless all is asked for", async () => {
  const home = newHome();
  const value = "hush-of-the-logs-1234";
  home.write("token", value);
  const program = `
    const token = process.env.TOKEN;
    const base64 = Buffer.from("user:" + token).toString("base64");
    process.stdout.write("plain " + token + "\\nbase64 " + base64 + "\\n");
    process.stderr.write("hex " + Buffer.from(token).toString("hex") + "\\nin two ");
    process.stderr.write(token.slice(0, 9));
    setTimeout(() => {
      process.stderr.write(token.slice(9) + "\\n");
      process.stdout.write("x".repeat(65526) + token + "y\\n");
      console.log("printed");
    }, 300);
    setInterval(() => {}, 1e6);`;
  const server = {
    command: "node",
    args: ["-e", program],
    port: "none",
    readiness: { type: "log", pattern: "^printed$" },
  };
  home.write(
    "servers.d/web.json",
    JSON.stringify({ ...server, env: { TOKEN: { secret: { file: "../token" } } } }),
  );
  await home.did("apply", "--yes");
  const hidden = "(secret TOKEN)";
  for (const flags of [[], ["--json"], ["--tail", "100"]]) {
    const said = await home.did("logs", "web", ...flags);
    expect(said).not.toContain(value);
    expect(said).not.toMatch(/hush-of|logs-1234|aHVzaC1vZi10aGU|68757368/);
    for (const line of [`plain ${hidden}`, `hex ${hidden}`, `in two ${hidden}`]) expect(said).toContain(line);
    expect(said).toMatch(/x\(secret TOKEN\)y("|$)/m);
  }
  const raw = await home.did("logs", "web", "--raw");
  expect(raw).toContain(`plain ${value}`);
  expect(raw).toContain(`in two ${value}`);
  const follower = home.xyRunning("logs", "web", "--follow");
  await follower.prints("printed");
  follower.child.kill("SIGINT");
  expect((await follower.ended).stdout).not.toContain("hush-of");
});

it("what a job prints of its secrets is left out of its output too, former values included", async () => {
  const home = ownHome();
  const [before, after] = ["hush-of-a-job-1234", "whist-of-a-job-5678"];
  home.write("token", before);
  const program = `
    const token = process.env.TOKEN;
    console.log("plain " + token);
    console.error("hex " + Buffer.from(token).toString("hex"));
    process.stdout.write("in two " + token.slice(0, 9));
    setTimeout(() => {
      process.stdout.write(token.slice(9) + "\\n" + "x".repeat(65526) + token + "y\\n");
      process.stdout.write("z".repeat(65530) + token.slice(0, 12));
    }, 100);`;
  const action = { command: "node", args: ["-e", program], env: { TOKEN: { secret: { file: "../token" } } } };
  const server = { command: "sh", args: ["-c", "echo main $TOKEN; exec sleep 600"], port: "none" };
  home.write(
    "servers.d/web.json",
    JSON.stringify({ ...server, env: { TOKEN: action.env.TOKEN }, actions: { tell: action } }),
  );
  await home.did("apply", "--yes");
  const hidden = "(secret TOKEN)";
  const looked = (said: string, value: string) => {
    expect(said).not.toContain(value);
    expect(said).not.toMatch(/(hush|whist)-of|job-1234|job-5678|68757368/);
    for (const line of [`plain ${hidden}`, `hex ${hidden}`, `in two ${hidden}`]) expect(said).toContain(line);
    expect(said).toMatch(/x\(secret TOKEN\)y("|$)/m);
  };
  const { code, stdout, stderr } = await home.xy("run", "web:tell");
  expect(code).toBe(0);
  looked(`${stdout}${stderr}`.replace(/z{9}.*/, ""), before);
  // The end of a line that breaks off is not kept back.
  expect(stdout).toContain(`${"z".repeat(65530)}${before.slice(0, 12)}`);
  const whole = await home.did("run", "web:tell", "--raw");
  expect(whole).toContain(`plain ${before}`);

  home.write("token", after);
  await home.did("apply", "--yes");
  looked((await home.did("job", "logs", "2", "--json")).replace(/z{9}.*/s, ""), before);
  looked((await home.did("job", "logs", "2")).replace(/z{9}.*/s, ""), before);
  expect(await home.did("job", "logs", "2", "--raw")).toContain(`in two ${before}`);
  const newer = await home.xy("run", "web:tell");
  looked(`${newer.stdout}${newer.stderr}`.replace(/z{9}.*/, ""), after);
  expect(await home.did("job", "logs", "1")).toBe(`[out] main ${hidden}\n`);
});
