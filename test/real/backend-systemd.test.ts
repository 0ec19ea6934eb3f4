import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { SECRET_WORD } from "../rig/secret-scan.ts";
import { SystemdHome, systemdHomesInTurn, whyNoSystemd } from "../rig/systemd.ts";

const UNITS = ".config/systemd/user";
const unitFile = (name: string) => `~/${UNITS}/xy.tools.${name}.service`;
const LISTENER =
  "require('node:http').createServer((_, a) => a.end('hello')).listen(process.env.PORT, '127.0.0.1'); console.log('up')";

describe.skipIf(whyNoSystemd() !== undefined)(
  "servers under a real systemd --user, from the command line",
  () => {
    const nextHome = systemdHomesInTurn();
    let home: SystemdHome;
    beforeEach(async () => {
      home = await nextHome();
      home.write("tools/xy.config.kdl", 'backend "systemd"\n');
    });

    /** Declares a server that is up at once, and runs until it is stopped. */
    const declare = (name: string, more = "") =>
      home.write(
        `tools/servers.d/${name}.kdl`,
        `command "sh"\nargs "-c" "echo up; exec sleep 600"\nport "none"\nreadiness "log" pattern="^up$"\n${more}\n`,
      );
    const pids = async () =>
      Object.fromEntries(
        ((await home.json("list")) as { name: string; pid?: number }[]).map(({ name, pid }) => [name, pid]),
      );
    const property = (name: string, unit: string) =>
      home.did(`systemctl --user show --value --property=${name} ${unit}`);

    it("end with their children, also with those in a session of their own", async () => {
      home.write(
        "tools/servers.d/web.kdl",
        `command "sh"\nargs "-c" "setsid node -e \\"$0\\"; echo over" ${JSON.stringify(LISTENER)}\nport "auto"\nenv { PORT "{port}"; }\n`,
      );
      expect(await home.did("xy apply --yes")).toContain("web: added, ready: pid");
      expect(await home.did("xy children web")).toContain("createServer");
      expect(await home.did("xy stop web")).toBe("web: stopped");
      expect((await home.shell("pgrep -f '[c]reateServer'")).stdout).toBe("");
    });

    it("live their whole life, and nobody else's unit is touched", async () => {
      home.write(
        `${UNITS}/mine.service`,
        "[Service]\nExecStart=sleep 600\n[Install]\nWantedBy=default.target\n",
      );
      home.write(`${UNITS}/xy.other.web.service`, "[Service]\nExecStart=sleep 600\n[X-Xy]\nProject=other\n");
      await home.did(
        "systemctl --user daemon-reload; systemctl --user enable --now mine; systemctl --user start xy.other.web",
      );
      const others = `cd ~/${UNITS}; sha256sum mine.service xy.other.web.service; ls -l --time-style=full-iso mine.service xy.other.web.service; systemctl --user show -p MainPID,UnitFileState,NRestarts mine xy.other.web`;
      const before = await home.did(others);

      declare("a");
      declare("b");
      declare("off", 'wanted "stop"');
      expect(await home.did("xy apply --yes")).toContain("Apply complete: 3 added, 0 changed, 0 removed.");
      expect(await home.did("xy plan --detailed-exitcode")).toBe(
        "No changes. 3 servers match the configuration.",
      );
      expect(await home.did("systemctl --user is-enabled xy.tools.a")).toBe("enabled");
      expect((await home.shell("systemctl --user is-enabled xy.tools.off")).stdout).toBe("disabled\n");
      const first = await pids();
      expect(first).toEqual({ a: expect.any(Number), b: expect.any(Number), off: undefined });

      // By hand, and put back; systemd had read it, and the process was started from it.
      await home.did(`sed -i 's/^UMask=.*/UMask=0077/' ${unitFile("a")}`);
      await home.did("systemctl --user daemon-reload; systemctl --user restart xy.tools.a");
      const edited = await home.shell("xy plan --detailed-exitcode");
      expect(edited.code).toBe(4);
      expect(edited.stdout).toContain("-/+ a will be restarted");
      expect(edited.stdout).toContain("because it was changed outside xy: its unit file was edited");
      expect(edited.stdout).toMatch(/- UMask=0077\n\s+\+ UMask=0022/);
      await home.did("xy apply --yes");
      expect(await home.did("xy plan")).toBe("No changes. 3 servers match the configuration.");
      expect(await property("UMask", "xy.tools.a")).toBe("0022");
      expect((await pids()).b).toBe(first.b);

      // Only what changed is restarted.
      const second = await pids();
      declare("b", 'env { GREETING "hello"; }');
      expect(await home.did("xy apply --yes")).toContain("b: restarted, ready: printed: up");
      const third = await pids();
      expect(third).toEqual({ ...second, b: expect.any(Number) });
      expect(third.b).not.toBe(second.b);
      declare("b", 'env { GREETING "hello"; }\ndescription "greets"');
      expect(await home.did("xy apply --yes")).toContain("b: changed in place");
      expect(await pids()).toEqual(third);
      expect(await property("Description", "xy.tools.b")).toBe("tools/b (greets)");

      await home.did("rm servers.d/b.kdl");
      expect(await home.did("xy reload")).toContain("b: stopped and removed");
      await home.did(`test ! -e ${unitFile("b")}`);
      expect(await home.did("xy destroy --yes")).toContain(
        "Destroy complete: 0 added, 0 changed, 2 removed.",
      );
      expect(await home.did(`ls ~/${UNITS}`)).toBe(
        "default.target.wants\nmine.service\nxy.other.web.service",
      );
      expect(await home.did("systemctl --user list-units --all --plain --no-legend 'xy.tools.*'")).toBe("");
      await home.did('test -z "$(ls ~/.local/state/xy/projects)"');
      expect(await home.did(others)).toBe(before);
    });

    it("are seen as they are when somebody else has changed how systemd has them, and put right", async () => {
      declare("a");
      await home.did("xy apply --yes");
      const drift = async (line: string, clause: string) => {
        await home.did(line);
        const plan = await home.json("plan");
        expect(plan.changes[0].observed.drift, line).toContain(clause);
        expect(await home.did("xy why a")).toContain(clause);
        await home.did("xy apply --yes");
        expect(await home.did("xy plan"), line).toBe("No changes. 1 server matches the configuration.");
      };
      const pid = (await pids()).a;
      await drift("systemctl --user disable xy.tools.a", "its unit is disabled");
      await drift(`touch -d '+1 minute' ${unitFile("a")}`, "systemd has not read its unit again");
      await drift(`rm ${unitFile("a")}`, "its unit file is gone");
      await drift(
        `mkdir ${unitFile("a")}.d; printf '[Service]\\nEnvironment=X=1\\n' > ${unitFile("a")}.d/override.conf; systemctl --user daemon-reload`,
        "settings were laid over its unit",
      );
      await drift(
        "systemctl --user set-property xy.tools.a CPUWeight=50",
        "settings were laid over its unit",
      );
      // A person has moved it to where their dotfiles are: a plan says that the link goes.
      await home.did(`mv ${unitFile("a")} ~/kept.service; ln -s ~/kept.service ${unitFile("a")}`);
      const linked = await home.did("xy plan");
      expect(linked.replace(/\s+/g, " ")).toContain(
        `is a link to ${home.path}/kept.service: an apply replaces the link with a file, and does not change its target`,
      );
      await home.did("xy apply --yes");
      await home.did(`test ! -L ${unitFile("a")} -a -f ${unitFile("a")} -a -f ~/kept.service`);
      expect(await home.did("xy plan")).toBe("No changes. 1 server matches the configuration.");
      // None of that was given to the process.
      expect(await pids()).toEqual({ a: pid });
      await drift(`rm ${unitFile("a")}; systemctl --user mask xy.tools.a`, "its unit is masked");
      await home.did("systemctl --user stop xy.tools.a");
      expect(await home.did("xy plan")).toContain("because it should be running but is not");
      await home.did("xy apply --yes");
      // Started from a unit with something laid over it: only another process is without that.
      const laid = `mkdir ${unitFile("a")}.d; printf '[Service]\\nEnvironment=X=1\\n' > ${unitFile("a")}.d/override.conf; systemctl --user daemon-reload; systemctl --user restart xy.tools.a`;
      await home.did(laid);
      expect(await home.did("xy plan")).toContain("-/+ a will be restarted");
      await home.did("xy apply --yes");
      expect(await home.did("xy plan")).toBe("No changes. 1 server matches the configuration.");
    });

    it("stay stopped when an operator says so, and tell how they are", async () => {
      home.write(
        "tools/servers.d/web.kdl",
        `command "${process.execPath}"\nargs "-e" ${JSON.stringify(LISTENER)}\nport 18421\nenv { PORT "{port}"; }\n`,
      );
      declare("a");
      home.write("tools/servers.d/once.kdl", 'command "sh"\nargs "-c" "echo did it"\nport "none"\n');
      expect(await home.did("xy apply --yes")).toMatch(
        /web: added, ready: pid \d+ listens on 127\.0\.0\.1:18421/,
      );
      expect(await home.json("list")).toMatchObject([
        { name: "a", backend: "systemd", state: "running", ready: true, held: false },
        {
          name: "once",
          backend: "systemd",
          state: "stopped",
          last_exit: 0,
        },
        { name: "web", backend: "systemd", state: "running", ready: true, port: 18421, restart_count: 0 },
      ]);
      expect(await home.did("xy plan")).toBe("No changes. 3 servers match the configuration.");
      expect(await home.did("xy status web")).toMatch(/^web \(project tools, systemd\)\n\s+state: +running/);
      expect(await home.json("status web")).toMatchObject({
        log_path: expect.stringMatching(/web\.out\.log$/),
      });
      expect(await home.did("xy probe web")).toContain("web is ready: pid");
      expect(await home.did("xy logs once")).toBe("[out] did it");

      expect(await home.did("xy stop web")).toBe("web: stopped");
      expect((await home.shell("systemctl --user is-enabled xy.tools.web")).stdout).toBe("disabled\n");
      expect(await home.did("xy apply --yes")).toContain("held: web");
      expect(await home.did("xy stop web")).toBe("web: was not running; it is held now");
      expect(await home.did("xy why web")).toContain("web is held: you stopped it");
      expect(await home.did("xy start web a")).toBe("web: started\na: is already running");
      expect(await home.did("systemctl --user is-enabled xy.tools.web")).toBe("enabled");
      const { web } = await pids();
      expect(await home.did("xy restart web")).toBe("web: restarted");
      expect((await pids()).web).not.toBe(web);
      expect(await home.did("xy kill web")).toBe("web: killed");
      expect(await home.shell("xy pause web")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("cannot pause web: systemd restarts it by rules of its own"),
      });
      expect(await home.did("xy tree")).toBe("a     running, ready\nonce  stopped\nweb   stopped (held)");
      await home.did("xy start --all");
      await eventually(async () => expect((await home.json("list"))[2]).toMatchObject({ state: "running" }));
    });

    it("say why they do not come up, and are put back", async () => {
      declare("a");
      await home.did("xy apply --yes");
      home.write(
        "tools/servers.d/a.kdl",
        'command "sh"\nargs "-c" "echo no table >&2; exit 7"\nport "none"\nrestart { max-retries-per-minute 1; backoff-initial "10ms"; }\n',
      );
      const broken = await home.shell("xy apply --yes");
      expect(broken.code).toBe(1);
      expect(broken.stdout).toMatch(
        /a: cannot restart: failed: exit 7; its previous version is put back: ready: printed: up\n( {2}\| no table\n)+Apply failed/,
      );
      expect(await home.json("list")).toMatchObject([{ name: "a", state: "running", ready: true }]);
      await home.did("rm servers.d/a.kdl");
      home.write(
        "tools/servers.d/new.kdl",
        'command "sh"\nargs "-c" "exit 3"\nport "none"\nrestart { policy "never"; }\n',
      );
      expect((await home.shell("xy apply --yes")).stdout).toContain("new: cannot add: ended: exit 3");
      expect(await home.did("xy why new")).toContain("ended: exit 3");
    });

    it("keep their secrets from everybody", async () => {
      const secret = `${SECRET_WORD}-old "q" \\ $x`;
      home.write("token", secret);
      await home.did("chmod 600 ~/token");
      declare("a", 'env { TOKEN (env)"TOKEN"; }');
      const given = "TOKEN=$(cat ~/token)";
      await home.did(`${given} xy apply --yes`);
      const { a } = await pids();
      expect(await home.did(`tr '\\0' '\\n' </proc/${a}/environ | grep ^TOKEN=`)).toBe(`TOKEN=${secret}`);
      const told = await home.did(
        `cat ${unitFile("a")}; systemctl --user show xy.tools.a; cat /proc/*/cmdline`,
      );
      expect(told).not.toContain(SECRET_WORD);
      home.folder.allow(join(home.path, "word"));
      // Not as an argument: the list of processes is looked at too.
      const open = "find ~ -type f ! -perm 600 -exec grep -lf ~/word {} +";
      expect(await home.did(`umask 077; cut -d' ' -f1 ~/token >~/word; ${open}; true`)).toBe("");
      expect(await home.did(`${given} xy plan`)).toContain("No changes.");
      const changed = await home.did("TOKEN=another xy plan");
      expect(changed).toContain("because env.TOKEN changed");
      expect(changed).not.toContain(SECRET_WORD);
      await home.did("TOKEN=another xy apply --yes");
      expect((await pids()).a).not.toBe(a);
    });

    it("keep nobody waiting for what they print, nor show the secrets in it", async () => {
      home.write("token", "hush-of-the-logs-1234");
      const trap =
        'console.log(Buffer.from(process.env.TOKEN).toString("hex")); const line = "ready listening ".repeat(2048); setInterval(() => console.log(line), 100);';
      home.write(
        "tools/servers.d/trap.kdl",
        `command "node"\nargs "-e" ${JSON.stringify(trap)}\nport "none"\nenv { TOKEN (file)"~/token"; }\nreadiness "log" pattern="ready.*listening.*port"\n`,
      );
      declare("b");
      const { code, stdout } = await home.shell("xy apply --yes --wait-timeout 3s --no-rollback");
      expect(code).toBe(1);
      expect(stdout).toContain("b: added, ready: printed: up");
      await eventually(async () =>
        expect(await home.did("xy logs trap --tail 1000")).toContain("(secret TOKEN)"),
      );
      expect(await home.did("xy logs trap --tail 1000")).not.toContain(
        Buffer.from("hush-of").toString("hex"),
      );
      await home.did("xy stop trap");
    });

    it("leave files alone that xy has not written, unless they are adopted", async () => {
      home.write(`${UNITS}/xy.tools.a.service`, "[Service]\nExecStart=sleep 600\n");
      declare("a");
      const refused = await home.shell("xy apply --yes");
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain("xy did not write what is there; move it away, or use --adopt");
      expect(await home.did(`cat ${unitFile("a")}`)).toBe("[Service]\nExecStart=sleep 600");
      expect(await home.did("xy apply --yes --adopt")).toContain("a: added, ready");
      // What xy wrote, and of which nothing is recorded any more, is its own still.
      await home.did("rm -r ~/.local/state/xy");
      expect(await home.did("xy plan")).toContain("because the record of what was applied cannot be read");
      await home.did("xy apply --yes");
      expect(await home.did("xy plan")).toBe("No changes. 1 server matches the configuration.");
    });

    it("move to another backend and back, and what fails there is put back", async () => {
      declare("a", 'backend "agent"');
      declare("b");
      await home.did("xy apply --yes");
      declare("a");
      const plan = await home.did("xy plan");
      expect(plan).toContain("because it moves to systemd");
      expect(plan).toContain("because it moves here from agent");
      await home.did("xy apply --yes");
      expect(await home.did("xy plan")).toBe("No changes. 2 servers match the configuration.");
      expect(await home.json("list")).toMatchObject([{ name: "a", backend: "systemd" }, { name: "b" }]);
      home.write(
        "tools/servers.d/a.kdl",
        'command "sh"\nargs "-c" "exit 7"\nport "none"\nbackend "agent"\nrestart { policy "never"; }\n',
      );
      const failed = await home.shell("xy apply --yes");
      expect(failed.code).toBe(1);
      expect(failed.stdout).toContain("it is put back under systemd");
      expect(await home.json("list")).toMatchObject([
        { name: "a", backend: "systemd", state: "running", ready: true },
        { name: "b", backend: "systemd" },
      ]);
      // A backend that no server is declared for any more is still looked after.
      await home.did("rm servers.d/*; echo 'backend \"agent\"' > xy.config.kdl");
      declare("c");
      await home.did("xy apply --yes");
      expect(await home.json("list")).toMatchObject([{ name: "c", backend: "agent" }]);
      await home.did("xy destroy --yes");
      await home.did("xy agent stop");
    });

    it("are left as they are when their manager does not answer, and the others go on", async () => {
      declare("a");
      declare("b", 'backend "agent"');
      const without = "XDG_RUNTIME_DIR=/nowhere DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere/bus";
      await home.did("xy apply --yes");
      declare("b", 'backend "agent"\ndescription "changed"');
      const plan = await home.shell(`${without} xy plan`);
      expect(plan.code).toBe(2);
      expect(plan.stdout).toMatch(
        /error: cannot reach the systemd of this account: .*\(left as they are: a\)/,
      );
      expect(plan.stdout).toContain("~ b will be changed in place");
      const apply = await home.shell(`${without} xy apply --yes`);
      expect(apply.code).toBe(2);
      expect(apply.stdout).toContain("b: changed in place");
      const list = await home.shell(`${without} xy list`);
      expect(list.code).toBe(2);
      expect(list.stderr).toContain("(not shown: a)");
      expect(list.stdout).toContain("b     running");
      expect((await home.shell(`${without} xy stop a`)).code).toBe(2);
      expect((await home.shell(`${without} xy destroy --yes`)).code).toBe(2);
      expect(await home.json("list")).toMatchObject([{ name: "a", state: "running" }]);
      await home.did("xy destroy --yes");
      await home.did("xy agent stop");
      await home.did(`test ! -e ${unitFile("a")}`);
    });

    it("wait for each other while they are applied", async () => {
      home.write(
        "tools/servers.d/db.kdl",
        'command "sh"\nargs "-c" "sleep 1; echo up; exec sleep 600"\nport "none"\nreadiness "log" pattern="^up$"\n',
      );
      declare("web", 'depends-on "db"');
      const lines = (await home.did("xy apply --yes")).split("\n");
      expect(lines.findIndex((line) => line.startsWith("db: added"))).toBeLessThan(
        lines.indexOf("web: adding"),
      );
      await home.did("xy stop --all");
      expect(await home.shell("xy start web")).toMatchObject({
        code: 1,
        stderr: "xy: cannot start web: it depends on db (held); run `xy start db`, or use --no-deps\n",
      });
      expect(await home.did("xy start web db")).toBe("db: started\nweb: started");
      // Also on a line that has come before anybody waits for it.
      declare("db");
      await home.did("xy apply --yes");
      await home.did("xy stop --all");
      expect(await home.did("xy start web db")).toBe("db: started\nweb: started");
    });
  },
);

describe.skipIf(whyNoSystemd() !== undefined)("servers under a real systemd --user beside a journal", () => {
  it("have their output there, with its times", async () => {
    const home = await SystemdHome.open({ journal: true });
    try {
      home.write("tools/xy.config.kdl", 'backend "systemd"\n');
      home.write(
        "tools/servers.d/a.kdl",
        'command "sh"\nargs "-c" "echo up; echo oops >&2; exec sleep 600"\nport "none"\nreadiness "log" pattern="^up$"\n',
      );
      home.write(
        "tools/servers.d/long.kdl",
        `command "node"\nargs "-e" "console.log('l'.repeat(9000)); console.log('a\\\\u0000b'); setInterval(() => {}, 1e6)"\nport "none"\n`,
      );
      expect(await home.did("xy apply --yes")).toContain("a: added, ready: printed: up");
      // Longer than what journalctl tells unless it is asked to. The journal itself ends a line at a NUL.
      await eventually(async () =>
        expect(await home.did("xy logs long --raw")).toBe(`[out] ${"l".repeat(9000)}\n[out] a\n[out] b`),
      );
      await eventually(async () => expect(await home.did("xy logs a")).toBe("[out] up\n[out] oops"));
      expect(await home.did("xy logs a --tail 1 --json")).toMatch(/"line":"oops","ts_unix_ms":\d{13}\}$/);
      expect(await home.did("xy logs a --since 1h")).toBe("[out] up\n[out] oops");
      expect(await home.did("xy plan")).toBe("No changes. 2 servers match the configuration.");
      expect(await home.did(`grep ^Standard ~/${join(UNITS, "xy.tools.a.service")}`)).toBe(
        "StandardOutput=journal\nStandardError=journal",
      );
      // A run that failed is told with its lines, and not with those of the one after it.
      const runs =
        "if [ -e mark ]; then echo second; exec sleep 600; fi; : > mark; echo no disk; sleep 1.2; exit 3";
      home.write(
        "tools/servers.d/b.kdl",
        `command "sh"\nargs "-c" "${runs}"\nport "auto"\nrestart backoff-initial="10ms"\n`,
      );
      const { code, stdout } = await home.shell("xy apply --yes --wait-timeout 16s");
      expect(code).toBe(1);
      // What it printed last comes from the journal, on a busy machine perhaps after the only line of progress.
      expect(stdout, stdout).toMatch(
        /^b: waited 1\ds of 16s: .*; restarted once, its last failed run: exit .*$/m,
      );
      expect(stdout).toMatch(/^b: cannot add: not ready after 16s: .*; it is left stopped$/m);
      expect(stdout).toContain('\n  if it never listens on a port, set `port "none"`\n  | no disk\n');
      expect(stdout).not.toContain("  | second");
      await home.did("xy destroy --yes");
    } finally {
      await home.close();
    }
  });
});
