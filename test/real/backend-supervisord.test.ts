import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { SupervisordManager } from "../../src/backends/units/supervisord/manager.ts";
import { type Home, newHome } from "../cli/cli.ts";
import { eventually } from "../rig/eventually.ts";
import { freePort } from "../rig/port.ts";
import { programsWith } from "../rig/processes.ts";
import { SECRET_WORD } from "../rig/secret-scan.ts";
import { shellSpec } from "../rig/spec.ts";
import { SupervisordHome, supervisordsInTurn, whyNoSupervisord } from "../rig/supervisord.ts";

type Options = ConstructorParameters<typeof SupervisordHome>[0];

const nextSupervisord = supervisordsInTurn();

/** A supervisord, of its own if it is to be a special one, and a home of which it runs the servers. */
async function supervised(options?: Options): Promise<{ home: Home; supervisord: SupervisordHome }> {
  const supervisord = options === undefined ? await nextSupervisord() : new SupervisordHome(options);
  if (options !== undefined) {
    onTestFinished(() => supervisord.close());
    await supervisord.open();
  }
  const home = newHome();
  configure(home, supervisord.site.url, supervisord.site.includeDir);
  return { home, supervisord };
}

function configure(home: Home, url: string, includeDir: string, more = ""): void {
  home.trusts();
  home.write(
    "xy.config.kdl",
    `backend "supervisord"\nsupervisord { url ${JSON.stringify(url)}; include-dir ${JSON.stringify(includeDir)}; ${more}}\n`,
  );
}

const pids = async (home: Home) =>
  Object.fromEntries(Object.values(await home.servers()).map(({ name, pid }) => [name, pid]));

describe.skipIf(whyNoSupervisord() !== undefined)(
  "servers under a real supervisord, from the command line",
  () => {
    it("live their whole life, and nobody else's program is touched", async () => {
      const { home, supervisord } = await supervised();
      supervisord.write("mine.conf", "[program:mine]\ncommand=sleep 600\n");
      supervisord.ctl("update");
      await eventually(async () => expect(await supervisord.states()).toEqual({ mine: "RUNNING" }));
      const others = async () => [
        readFileSync(join(supervisord.path, "units/mine.conf"), "utf8"),
        statSync(join(supervisord.path, "units/mine.conf")).mtimeMs,
        await supervisord.pidOf("mine"),
      ];
      const before = await others();
      home.declare("a");
      home.declare("b");
      home.declare("off", 'wanted "stop"');

      expect(await home.did("apply", "--yes")).toContain("Apply complete: 3 added, 0 changed, 0 removed.");
      expect((await home.xy("plan", "--detailed-exitcode")).code).toBe(0);
      expect(await supervisord.states()).toMatchObject({ "xy.tools.off": "STOPPED" });
      const first = await pids(home);
      expect(first).toEqual({ a: expect.any(Number), b: expect.any(Number), off: undefined });

      // By hand: noticed before supervisord has taken it in, and after.
      const file = join(supervisord.path, "units/xy.tools.a.conf");
      const edit = () => writeFileSync(file, readFileSync(file, "utf8").replace(/^umask=.*$/m, "umask=077"));
      edit();
      expect(await home.did("plan")).toMatch(
        /~ a will be changed in place[\s\S]*its unit file was edited[\s\S]*- umask=077\n/,
      );
      expect(await home.did("apply", "--yes")).toContain("a: changed in place");
      expect(await pids(home)).toEqual(first);
      edit();
      supervisord.ctl("update");
      expect(await home.did("plan")).toContain("-/+ a will be restarted");
      await home.did("apply", "--yes");
      expect((await home.xy("plan", "--detailed-exitcode")).code).toBe(0);
      expect(readFileSync(file, "utf8")).toContain("umask=022");

      // Only what changed is restarted; supervisord takes in nothing of it before.
      const second = await pids(home);
      home.declare("b", 'stop { grace "3s"; }');
      expect(await home.did("plan")).toContain("-/+ b will be changed and restarted");
      expect(await home.did("apply", "--yes")).toContain("b: restarted, ready: printed: up");
      const third = await pids(home);
      expect(third).toEqual({ ...second, b: expect.any(Number) });
      expect(third.b).not.toBe(second.b);
      home.declare("b", 'stop { grace "3s"; }\ndescription "waits"');
      expect(await home.did("apply", "--yes")).toContain("b: changed in place");
      expect(await pids(home)).toEqual(third);

      await home.shell("rm servers.d/b.kdl");
      expect(await home.did("reload")).toContain("b: stopped and removed");
      expect(await home.did("destroy", "--yes")).toContain(
        "Destroy complete: 0 added, 0 changed, 2 removed.",
      );
      expect(readdirSync(join(supervisord.path, "units"))).toEqual(["mine.conf"]);
      expect(await supervisord.states()).toEqual({ mine: "RUNNING" });
      expect(readdirSync(join(home.state, "projects"))).toEqual([]);
      expect(await others()).toEqual(before);
    });

    it("end with their children, also with those in a session of their own", async () => {
      const { home } = await supervised();
      const port = await freePort();
      const listener = join(import.meta.dirname, "../rig/listener-program.mjs");
      home.write(
        "servers.d/web.kdl",
        `command "sh"; args "-c" "setsid node ${listener} ${port}; echo over"; port ${port}; stop { grace "1s"; }\n`,
      );
      home.declare("b");
      const left = () => programsWith(`${listener} ${port}`);
      expect(await home.did("apply", "--yes")).toContain("web: added, ready: pid");
      const { processes } = (await home.json("children", "web")) as { processes: { pid: number }[] };
      const [, child] = left().map(({ pid }) => pid);
      expect(processes.map(({ pid }) => pid)).toContain(child);
      const others = (await pids(home)).b;

      expect(await home.did("stop", "web")).toBe("web: stopped\n");
      expect(left()).toEqual([]);
      expect(await home.did("start", "web")).toBe("web: started\n");
      await eventually(async () => expect((await home.servers()).web).toMatchObject({ ready: true }));
      expect(await home.did("kill", "web")).toBe("web: killed\n");
      expect(left()).toEqual([]);
      expect((await pids(home)).b).toBe(others);
      await home.did("start", "web");
      await eventually(async () => expect((await home.servers()).web).toMatchObject({ ready: true }));
      await home.did("destroy", "--yes");
      expect(left()).toEqual([]);
    });

    it("obey an operator, over a new supervisord too, and show what they print", async () => {
      const { home, supervisord } = await supervised();
      home.declare("a");
      home.declare("b");
      await home.did("apply", "--yes");
      expect(await home.did("stop", "a")).toBe("a: stopped\n");
      expect(await home.did("apply", "--yes")).toContain("held: a");
      expect(await home.did("why", "a")).toContain("a is held: you stopped it");
      await supervisord.restart();
      await eventually(async () =>
        expect(await supervisord.states()).toEqual({ "xy.tools.a": "STOPPED", "xy.tools.b": "RUNNING" }),
      );
      expect(await home.did("start", "a", "b")).toBe("a: started\nb: is already running\n");
      await eventually(async () => expect((await home.servers()).a).toMatchObject({ state: "running" }));
      const { a } = await pids(home);
      expect(await home.did("restart", "a")).toBe("a: restarted\n");
      await eventually(async () => expect((await pids(home)).a).not.toBe(a));
      expect(await home.did("kill", "a")).toBe("a: killed\n");
      expect(await home.json("status", "b")).toMatchObject({
        backend: "supervisord",
        started_at_unix_ms: expect.any(Number),
      });
      expect(await home.did("logs", "a", "b", "--tail", "1")).toBe("a | up\nb | up\n");
      expect((await home.xy("logs", "a", "--since", "1h")).code).toBe(64);
      const following = home.xyRunning("logs", "b", "--follow", "--tail", "1");
      await following.prints("[out] up\n");
      await home.did("restart", "b");
      await following.prints("[out] up\n[out] up\n");
      following.child.kill("SIGINT");
      expect((await following.ended).code).toBe(130);
      await home.did("destroy", "--yes");
    });

    it("are reached over HTTP with a password, which nobody else is told", async () => {
      const http = { port: await freePort(), user: "me", password: SECRET_WORD };
      const { home, supervisord } = await supervised({ http });
      const password = home.write("password", `${SECRET_WORD}\n`);
      const url = `http://127.0.0.1:${http.port}`;
      configure(
        home,
        url,
        supervisord.site.includeDir,
        `user "me"; password (file)${JSON.stringify(password)}; `,
      );
      home.write(
        "servers.d/a.kdl",
        `command "sleep"\nargs "600"\nport "none"\nenv { TOKEN (file)${JSON.stringify(password)}; }\n`,
      );
      await home.did("apply", "--yes");
      const { a } = await pids(home);
      expect(readFileSync(`/proc/${a}/environ`, "utf8").split("\0")).toContain(`TOKEN=${SECRET_WORD}`);
      expect(readFileSync(`/proc/${a}/environ`, "utf8")).not.toMatch(/\0(PWD|OLDPWD|SHLVL|_)=/);
      expect(readFileSync(join(supervisord.path, "units/xy.tools.a.conf"), "utf8")).not.toContain(
        SECRET_WORD,
      );
      expect((await home.xy("plan", "--detailed-exitcode")).code).toBe(0);
      configure(home, url, supervisord.site.includeDir, 'user "me"; password "wrong"; ');
      expect(await home.xy("plan")).toMatchObject({
        code: 2,
        stdout: expect.stringContaining("it rejects the user or password"),
      });
      // Without the configuration the one that was used last is used.
      await home.shell("rm xy.config.kdl");
      await home.did("destroy", "--project", "tools", "--yes");
    });

    it("are refused, and left as they are, where supervisord does not read their files", async () => {
      const { home, supervisord } = await supervised();
      configure(home, supervisord.site.url, join(home.path, "elsewhere"));
      home.declare("a");
      const refused = await home.xy("apply", "--yes");
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain(
        `make sure that its [include] section has files = ${home.path}/elsewhere/*.conf`,
      );
      // Nothing is left behind: neither a file, nor a record that the next plan would go by.
      expect(existsSync(join(home.path, "elsewhere"))).toBe(false);
      expect(await home.servers()).toEqual({});
      expect(await home.did("plan")).toContain("Plan: 1 to add (a)");
      configure(home, supervisord.site.url, supervisord.site.includeDir);
      supervisord.write("broken.conf", "[program:broken]\ncommand=true %(ENV_NOPE)s\n");
      const broken = await home.xy("apply", "--yes");
      expect(broken.code).toBe(1);
      expect(broken.stdout).toMatch(/cannot have supervisord read its files: .*ENV_NOPE.*broken\.conf/);
      expect(broken.stdout).not.toContain("Available names");
      supervisord.remove("broken.conf");
      expect(await home.did("apply", "--yes")).toContain("Apply complete");
      expect(existsSync(join(home.path, "elsewhere/xy.tools.a.conf"))).toBe(false);
      await home.did("destroy", "--yes");
    });

    it("have files that end as its [include] says, relative to its own file and among others", async () => {
      const { home, supervisord } = await supervised({
        include: "/nope/*.conf units/*.ini\n  %(here)s/more/*.toml",
      });
      home.declare("a");
      await home.did("apply", "--yes");
      expect(readdirSync(join(supervisord.path, "units"))).toEqual(["xy-logs", "xy.tools.a.ini"]);
      expect(await supervisord.states()).toEqual({ "xy.tools.a": "RUNNING" });
      const { a } = await pids(home);
      expect(await home.did("plan")).toContain("No changes.");
      home.declare("a", 'env { A "1"; }');
      await home.did("apply", "--yes");
      expect((await pids(home)).a).not.toBe(a);
      await home.did("destroy", "--yes");
      expect(readdirSync(join(supervisord.path, "units"))).toEqual([]);
    });

    it("say why a program does not come up", async () => {
      const { home } = await supervised();
      home.write(
        "servers.d/a.kdl",
        'command "sh"\nargs "-c" "echo no table >&2; exit 7"\nport "none"\nrestart { max-retries-per-minute 1; }\n',
      );
      const failed = await home.xy("apply", "--yes");
      expect(failed.code).toBe(1);
      expect(failed.stdout).toMatch(/a: cannot add: failed: it exited too soon each time/);
      expect(failed.stdout).toContain("no table");
      expect(await home.did("why", "a")).toContain("a failed");
      await home.did("destroy", "--yes");
    });

    it("waits no longer than it is told for a line that a pattern could be slow on", async () => {
      const { home } = await supervised();
      const trap = 'const line = "ready listening ".repeat(4096); setInterval(() => console.log(line), 100);';
      home.write(
        "servers.d/trap.kdl",
        `command "node"\nargs "-e" ${JSON.stringify(trap)}\nport "none"\nreadiness "log" pattern="ready.*listening.*port"\n`,
      );
      home.declare("b");
      const { code, stdout } = await home.xy("apply", "--yes", "--wait-timeout", "3s");
      expect(code).toBe(1);
      expect(stdout).toContain("b: added, ready: printed: up");
      expect(await home.servers()).toMatchObject({ b: { state: "running" } });
      await home.did("destroy", "--yes");
    });
  },
);

/** What a supervisord says of itself whose process is not of this machine. */
const REMOTE: Readonly<Record<string, string>> = {
  getPID: "<int>4194304</int>",
  getSupervisorVersion: "<string>4.2.5</string>",
  getState: "<struct><member><name>statename</name><value><string>RUNNING</string></value></member></struct>",
};

describe("a supervisord that is none", () => {
  const listening = async (answer: (response: ServerResponse, asked: string) => void): Promise<string> => {
    const server = createServer(async (request, response) => answer(response, await text(request)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it("is not waited for again by a command that asks more than once", async () => {
    let count = 0;
    const url = await listening((response, asked) => {
      if (asked.includes("getPID")) count++;
      response.writeHead(500).end();
    });
    const manager = await SupervisordManager.open({ url, includeDir: "/nowhere/units" }, []);
    expect(count).toBe(1);
    const spec = shellSpec("a", "true", { backend: "supervisord" });
    for (let times = 0; times < 2; times++)
      await expect(manager.reach([spec])).rejects.toThrow("it answered with HTTP 500");
    expect(count).toBe(1);
  });

  it.each<readonly [string, () => Promise<string>, string]>([
    ["nobody", async () => `http://127.0.0.1:${await freePort()}`, "nothing listens there"],
    ["no socket", async () => "unix:///nowhere/sock", "there is no such socket"],
    [
      "something else",
      () => listening((response) => void response.end("<html>hello")),
      "does not speak XML-RPC",
    ],
    [
      "an error",
      () => listening((response) => void response.writeHead(500).end()),
      "it answered with HTTP 500",
    ],
    [
      "half an answer",
      () =>
        listening((response) => {
          response.writeHead(200, { "Content-Length": "99" }).write("<");
          setImmediate(() => response.destroy());
        }),
      "it cut off its answer|aborted|socket hang up",
    ],
    ["silence", () => listening(() => {}), "it did not answer within 10 s"],
    [
      "one of another machine",
      () =>
        listening((response, asked) => {
          const [, method = ""] = /<methodName>supervisor\.(\w+)</.exec(asked) ?? [];
          const value = REMOTE[method] ?? "<array><data></data></array>";
          response.end(
            `<methodResponse><params><param><value>${value}</value></param></params></methodResponse>`,
          );
        }),
      "it runs on another machine",
    ],
    [
      "another service that speaks its language",
      () =>
        listening(
          (response) =>
            void response.end(
              "<methodResponse><params><param><value><int>4194304</int></value></param></params></methodResponse>",
            ),
        ),
      "its answer to \\w+ is not one of supervisord's",
    ],
  ])("%s: is told, and nothing is done", async (_, urlOf, words) => {
    const home = newHome();
    const units = join(home.path, "units");
    configure(home, await urlOf(), units);
    home.declare("a");
    const { code, stdout, stderr } = await home.xy("apply", "--yes");
    expect(`${stdout}${stderr}`).toMatch(new RegExp(`cannot reach supervisord at [^:]+:.*(${words})`));
    expect(code).toBe(2);
    expect(existsSync(units)).toBe(false);
    expect(await home.did("list")).toContain("No servers.");
  });
});
