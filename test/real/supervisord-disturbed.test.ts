import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Home, newHome } from "../cli/cli.ts";
import { eventually } from "../rig/eventually.ts";
import { type SupervisordHome, supervisordsInTurn, whyNoSupervisord } from "../rig/supervisord.ts";

const SAME = "No changes. 1 server matches the configuration.\n";

const nextSupervisord = supervisordsInTurn();
/** The one beside it, where a test has two. */
const nextOther = supervisordsInTurn();

function configure(home: Home, { site }: Pick<SupervisordHome, "site">): void {
  const { url, includeDir } = site;
  home.trusts();
  home.write(
    "xy.config.kdl",
    `backend "supervisord"\nsupervisord { url ${JSON.stringify(url)}; include-dir ${JSON.stringify(includeDir)}; }\n`,
  );
}

/** A way to a supervisord on which requests for these methods take their time. */
async function slowed(url: string, methods: readonly string[]): Promise<string> {
  const server = createServer((asked, response) => {
    const pieces: Buffer[] = [];
    asked.on("data", (piece) => pieces.push(piece));
    asked.once("end", () => {
      const body = Buffer.concat(pieces);
      const { method, headers, url: path } = asked;
      const to = url.startsWith("unix://") ? { socketPath: url.slice(7) } : { port: new URL(url).port };
      const pass = () =>
        // A connection of its own for each: supervisord closes one while it is about to be used again.
        request({ ...to, method, headers, path, agent: false }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        })
          .once("error", () => response.destroy())
          .end(body);
      // Longer than the run of what is started meanwhile.
      setTimeout(pass, methods.some((method) => body.includes(`supervisor.${method}<`)) ? 300 : 0);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/RPC2`;
}

const script = (home: Home, name: string, text: string, more = "") =>
  home.write(
    `servers.d/${name}.kdl`,
    `command "sh"\nargs "-c" ${JSON.stringify(text)}\nport "none"\n${more}\n`,
  );
const pidOf = async (home: Home, name: string) => (await home.servers())[name]?.pid;

describe.skipIf(whyNoSupervisord() !== undefined)(
  "servers under supervisord, while others have a hand in it",
  () => {
    const world = async () => {
      const supervisord = await nextSupervisord();
      const home = newHome();
      configure(home, supervisord);
      const file = (name: string) => join(supervisord.path, `units/xy.tools.${name}.conf`);
      const edit = (name: string, from: RegExp, to: string) =>
        writeFileSync(file(name), readFileSync(file(name), "utf8").replace(from, to));
      return { supervisord, home, file, edit };
    };

    it.each([
      ["could ask for it", ["startProcess", "getProcessInfo"]],
      ["who has asked before starts it", ["startProcess"]],
    ])("run once, when their first run is over before anybody %s", async (_when, methods) => {
      const { supervisord, home } = await world();
      configure(home, { site: { ...supervisord.site, url: await slowed(supervisord.site.url, methods) } });
      script(home, "a", "echo ran >>~/runs; exit 7", 'restart { policy "never"; }');
      const { code, stdout, stderr } = await home.xy("apply", "--yes");
      expect([code, stdout + stderr]).toEqual([1, expect.stringContaining("exit 7")]);
      expect(readFileSync(join(home.path, "runs"), "utf8")).toBe("ran\n");
    });

    it("are not restarted for an edit that their process never saw", async () => {
      const { home, file, edit, supervisord } = await world();
      home.declare("a");
      await home.did("apply", "--yes");
      const pid = await pidOf(home, "a");
      const edits: (() => void)[] = [
        () => writeFileSync(file("a"), `${readFileSync(file("a"), "utf8")}; hello\n`),
        () => rmSync(file("a")),
        () => edit("a", /^umask=.*$/m, "umask=zzz"),
      ];
      for (const change of edits) {
        change();
        expect(await home.did("plan")).toContain("~ a will be changed in place");
        await home.did("apply", "--yes");
        expect(await home.did("plan")).toBe(SAME);
      }
      expect(await pidOf(home, "a")).toBe(pid);
      supervisord.ctl("remove", "xy.tools.a");
    });

    it("are restarted only for what supervisord has of a change", async () => {
      const { home } = await world();
      const settings = async (more: string) => {
        home.declare("a", more);
        return home.did("plan");
      };
      home.declare("a", 'stop { grace "8500ms"; }');
      await home.did("apply", "--yes");
      const place = "~ a will be changed in place";
      expect(await settings('stop { grace "9s"; }')).toContain(place);
      expect(await settings('stop { grace "8500ms"; }\nrestart { backoff-max "31s"; }')).toContain(place);
      expect(await settings('stop { grace "8500ms"; }\nlimits { open-files 99; }')).toContain(place);
      expect(await settings('stop { grace "8s"; }')).toContain("-/+ a will be changed and restarted");
    });

    it("stay held, though somebody has edited their file and somebody else's cannot be read", async () => {
      const { home, supervisord, edit, file } = await world();
      script(home, "a", `echo start >>${home.path}/starts; echo up; exec sleep 600`);
      home.declare("b");
      await home.did("apply", "--yes");
      edit("a", /^umask=.*$/m, "umask=077");
      supervisord.write("broken.conf", "[program:broken]\ncommand=true %(ENV_NOPE)s\n");
      expect(await home.did("stop", "a")).toBe("a: stopped\n");
      expect(await home.did("kill", "b")).toBe("b: killed\n");
      expect(readFileSync(file("a"), "utf8")).toMatch(/umask=077[\s\S]*autostart=false/);
      supervisord.remove("broken.conf");
      await supervisord.restart();
      await eventually(async () =>
        expect(await supervisord.states()).toMatchObject({ "xy.tools.a": "STOPPED" }),
      );
      expect(readFileSync(join(home.path, "starts"), "utf8")).toBe("start\n");
      supervisord.write("broken.conf", "[program:broken]\ncommand=true %(ENV_NOPE)s\n");
      expect(await home.did("destroy", "--yes")).toContain("2 removed");
      expect(existsSync(file("a"))).toBe(false);
      expect(readdirSync(join(supervisord.path, "units"))).toEqual(["broken.conf"]);
    });

    it("are waited for while somebody else stops them", async () => {
      const { home, supervisord } = await world();
      const deaf = "trap '' TERM; echo up; while :; do sleep 0.1; done";
      script(home, "b", deaf, 'stop { grace "2s"; }\nreadiness "log" pattern="up"');
      const stopping = async () => {
        const words = ["-c", join(supervisord.path, "supervisord.conf"), "stop", "xy.tools.b"];
        await home.start({}, "supervisorctl", ...words).ended;
      };
      await home.did("apply", "--yes");
      await stopping();
      await home.did("start", "b");
      await eventually(async () => expect((await home.servers()).b).toMatchObject({ state: "running" }));
      const pid = await pidOf(home, "b");
      void stopping();
      await eventually(async () => expect(await supervisord.states()).toEqual({ "xy.tools.b": "STOPPING" }));
      expect(await home.did("start", "b")).toBe("b: started\n");
      await eventually(async () => expect((await home.servers()).b).toMatchObject({ state: "running" }));
      expect(await pidOf(home, "b")).not.toBe(pid);
      void stopping();
      await eventually(async () => expect(await supervisord.states()).toEqual({ "xy.tools.b": "STOPPING" }));
      await home.did("destroy", "--yes");
      expect(await supervisord.states()).toEqual({});
    });

    it("leave a supervisord that is not theirs any more", async () => {
      const { home, supervisord } = await world();
      home.declare("a");
      await home.did("apply", "--yes");
      const other = await nextOther();
      configure(home, other);
      expect(await home.did("plan")).toContain("-/+ a will be restarted");
      await home.did("apply", "--yes");
      expect(await supervisord.states()).toEqual({});
      expect(await other.states()).toEqual({ "xy.tools.a": "RUNNING" });
      expect(await home.did("plan")).toBe(SAME);
      await home.did("destroy", "--yes");
      expect(await other.states()).toEqual({});
    });

    it("are where they were when they do not come up under another supervisord", async () => {
      const { home, supervisord } = await world();
      home.declare("a");
      await home.did("apply", "--yes");
      const other = await nextOther();
      configure(home, other);
      script(home, "a", "sleep 2; exit 3", 'restart { policy "never"; }\nreadiness "log" pattern="^up$"');
      const { code, stdout } = await home.xy("apply", "--yes");
      expect(code).toBe(1);
      expect(stdout).toContain("its previous version is put back: ready");
      expect(await supervisord.states()).toEqual({ "xy.tools.a": "RUNNING" });
      expect(await other.states()).toEqual({});
      expect(readdirSync(other.site.includeDir)).toEqual([]);
      expect(await home.did("plan")).toContain("-/+ a will be changed and restarted");
      await home.did("destroy", "--yes");
      expect(await supervisord.states()).toEqual({});
    });

    it("are ready by whole lines of whatever they print", async () => {
      const { home } = await world();
      const ready = (pattern: string) => `readiness "log" pattern=${JSON.stringify(pattern)}`;
      script(
        home,
        "halves",
        "printf 'server is '; sleep 0.5; echo ready; exec sleep 600",
        ready("server is ready"),
      );
      script(
        home,
        "bytes",
        "printf 'caf\\351 \\377\\n'; sleep 0.5; echo ready; exec sleep 600",
        ready("^ready"),
      );
      const long =
        "head -c 400000 /dev/zero | tr '\\0' x; echo; echo ready; head -c 3000000 /dev/zero | tr '\\0' y; exec sleep 600";
      script(home, "long", long, ready("^ready"));
      expect(await home.did("apply", "--yes", "--wait-timeout", "15s")).toContain("Apply complete: 3 added");
      await home.did("destroy", "--yes");
    });

    it("do not keep supervisord from starting when xy's records are lost, and run on", async () => {
      const { home, supervisord } = await world();
      home.declare("a");
      await home.did("apply", "--yes");
      rmSync(home.state, { recursive: true });
      await supervisord.restart();
      await eventually(async () => expect(await supervisord.states()).toEqual({ "xy.tools.a": "RUNNING" }));
      expect(await home.did("logs", "a", "--tail", "1").catch(() => "no record")).toBe("no record");
      home.trusts();
      await home.did("apply", "--yes");
      expect(await home.did("logs", "a", "--tail", "1")).toBe("[out] up\n");
      await supervisord.stop();
      expect(await home.did("logs", "a", "--tail", "1")).toBe("[out] up\n");
      const list = await home.xy("list");
      expect(list).toMatchObject({ code: 2, stdout: "" });
      expect(list.stderr).toContain("(not shown: a)");
      await supervisord.open();
      await home.did("destroy", "--yes");
    });
  },
);
