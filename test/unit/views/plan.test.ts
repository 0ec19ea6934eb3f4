import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import type { ActionSpec } from "../../../src/model/action.ts";
import type { Diagnostic } from "../../../src/model/diagnostic.ts";
import type { Observed } from "../../../src/model/observed.ts";
import type { ServerSpec } from "../../../src/model/spec.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import { planView } from "../../../src/views/plan.ts";
import type { Screen } from "../../../src/views/screen.ts";
import {
  action,
  desired,
  exited,
  GIVEN,
  MINUTE,
  NOW,
  resting,
  running,
  secret,
  spec,
} from "../reconciler/fixtures.ts";

const plain: Screen = { colour: false, now: NOW, given: () => GIVEN };

function view(
  servers: readonly ServerSpec[],
  observed: readonly Observed[],
  screen: Screen = plain,
  diagnostics: readonly Diagnostic[] = [],
  except: readonly string[] = [],
): string {
  const plan = buildPlan(desired(...servers), observed, diagnostics, { except });
  if (!plan.ok) throw new Error("no plan");
  return planView(plan.value, screen);
}

const web = spec("web");

describe("a plan for people", () => {
  test("that changes nothing", () => {
    expect(view([web], [running(web)])).toBe("No changes. 1 server matches the configuration.\n");
    const others = [spec("a"), spec("own", { wanted: "ignore" })];
    expect(view([web, ...others], [running(web), running(spec("a"))])).toBe(
      "No changes. 2 servers match the configuration. Ignored: own.\n",
    );
  });

  test("that changes nothing, and is no claim that all is well", () => {
    const failing = { status: "failing", evidence: "nothing listens on port 8421", at: NOW } as const;
    const db = {
      server: "db",
      condition: "ready",
      state: "running, not ready: it says",
      resting: false,
    } as const;
    const observed = [running(spec("db"), { ready: failing }), resting(web, { waitsFor: [db] })];
    expect(view([spec("db"), web], observed)).toMatchInlineSnapshot(`
      "waiting: web waits for db to be ready: running, not ready: it says
      not ready: db is running, but nothing listens on port 8421

      No changes. 2 servers match the configuration. But not all of them are up: waiting: web; not ready: db.
      "
    `);
    expect(view([spec("db"), { ...web, tags: ["new"] }], observed)).toContain("~ web will be changed\n");
    expect(view([spec("db"), { ...web, args: ["b.js"] }], observed)).toContain(
      "~ web will be changed and started\n",
    );
  });

  test("a new server shows what is not default", () => {
    const notes = spec("notes", {
      args: ["serve.js", "--title", "my notes", "--port", "8421"],
      mcp: { path: "/mcp" },
      env: { HOME: "/home/me", PATH: "/bin", RUST_LOG: "debug", TOKEN: secret("aa") },
      workingDir: "/home/me/notes",
      umask: 0o077,
      restart: { ...web.restart, policy: "always", backoffInitial: 90_000 },
      logs: { maxSize: 64 * 1024, keep: 5 },
      dependsOn: [{ server: "db", condition: "ready" }],
    });
    expect(view([notes], [])).toMatchInlineSnapshot(`
      "  + notes will be added and started
            + command: node serve.js --title 'my notes' --port 8421
            + program: /usr/bin/node
            + url: http://127.0.0.1:8421/mcp
            + env.PATH: "/bin"
            + env.RUST_LOG: "debug"
            + env.TOKEN: (secret from env GITHUB_TOKEN)
            + working-dir: /home/me/notes
            + umask: 077
            + restart.policy: always
            + restart.backoff-initial: 1m30s
            + readiness.type: tcp
            + depends-on: db (ready)
            + logs.max-size: 64KiB
              (27 defaults hidden; --defaults shows them)

      Plan: 1 to add (notes), 0 to change, 0 to remove.
      "
    `);
  });

  test("every kind of change", () => {
    const old = spec("api", {
      args: ["run", "api", "--verbose", "--level", "3", "--log", "x"],
      env: { HOME: "/home/me", RUST_LOG: "info", OLD: "1", TOKEN: secret("aa"), KEY: secret("cc", "A") },
    });
    const api = spec("api", {
      args: ["run", "api", "--quiet", "--level", "3", "--log", "x", "--fast"],
      env: { HOME: "/home/me", RUST_LOG: "debug", NEW: "2", TOKEN: secret("bb"), KEY: secret("cc", "B") },
      stop: { grace: 90_000, signal: "SIGINT", descendants: "own" },
    });
    const observed = [
      running(old),
      running(spec("cfg")),
      resting(spec("down"), {
        state: "failed",
        lastExit: exited(7),
        reason: "exit 7, 5 restarts in the last minute",
      }),
      resting(spec("gone")),
      running(spec("loud")),
      running(spec("old"), { runningHash: "earlier" }),
      running(spec("orphan")),
      resting(spec("still"), { operator: "stop" }),
      running(spec("touched"), { drift: "unit file edited" }),
    ];
    const servers = [
      api,
      spec("cfg", {
        restart: { ...web.restart, backoffMax: 60_000 },
        logs: { maxSize: 2 ** 20, keep: 5 },
        umask: 0o022,
      }),
      spec("down"),
      spec("gone"),
      spec("loud", { wanted: "stop" }),
      spec("old"),
      spec("still", { description: "rests" }),
      spec("touched"),
    ];
    expect(view(servers, observed)).toMatchInlineSnapshot(`
      "-/+ api will be changed and restarted, which breaks its live sessions
            because args, env.KEY, env.NEW and 3 more changed
            ~ args:
                "run"
                "api"
              - "--verbose"
              + "--quiet"
                "--level"
                (2 unchanged)
                "x"
              + "--fast"
            ~ env.KEY: (secret from env A) -> (secret from env B) (same value)
            + env.NEW: "2"
            - env.OLD: "1"
            ~ env.RUST_LOG: "info" -> "debug"
            ~ env.TOKEN: (secret from env GITHUB_TOKEN) (changed)
            ~ stop.grace: 10s -> 1m30s
            ~ stop.signal: SIGTERM -> SIGINT

        ~ cfg will be changed in place
            because restart.backoff-max and logs.max-size changed
            ~ restart.backoff-max: 30s -> 1m
            ~ logs.max-size: 10MiB -> 1MiB

        ~ down will be started
            because it failed 3 minutes ago (exit 7)

        ~ gone will be started
            because it should be running but is not

        ~ loud will be changed and stopped, which breaks its live sessions
            because wanted changed
            ~ wanted: start -> stop

      -/+ old will be restarted, which breaks its live sessions
            because its process was started with an earlier configuration

        - orphan will be stopped and removed, which breaks its live sessions
            because it is no longer declared

        ~ still will be changed
            because description changed
            ~ description: "" -> rests

        ~ touched will be changed in place
            because it was changed outside xy: unit file edited

      held: still, stopped 3 minutes ago; it stays stopped until \`xy start still\`
      drifted: touched was changed outside xy (unit file edited), and will be restored

      Plan: 0 to add, 8 to change (api, cfg, down, gone, loud, old, still, touched), 1 to remove (orphan).
      "
    `);
  });

  test("problems have their place, those left out are named", () => {
    const diagnostics: Diagnostic[] = [
      {
        severity: "warning",
        message: "cannot express restart.backoff-max: it is ignored",
        server: "web",
      },
      {
        severity: "error",
        message: "cannot find the program nod: install it, or correct the name",
        file: "/home/me/dots/servers.d/web.kdl",
        line: 2,
        column: 9,
      },
      {
        severity: "error",
        message: "cannot use port 8421: it is held by pid 812 (node)",
        file: "/home/me/dots/xy.config.ts",
        path: "servers.web.port",
      },
    ];
    const shorten = (path: string) => path.replace("/home/me/", "~/");
    expect(
      view([spec("web"), spec("db")], [], { ...plain, shorten }, diagnostics, ["db"]),
    ).toMatchInlineSnapshot(`
      "  + web will be added and started
            + command: node server.js
            + program: /usr/bin/node
            + port: 8421
              (35 defaults hidden; --defaults shows them)

      left out: db

      warning: web: cannot express restart.backoff-max: it is ignored
      error: ~/dots/servers.d/web.kdl:2:9: cannot find the program nod: install it, or correct the name
      error: ~/dots/xy.config.ts: servers.web.port: cannot use port 8421: it is held by pid 812 (node)

      Plan: 1 to add (web), 0 to change, 0 to remove.
      "
    `);
  });

  test("long values are broken, and cut only for a terminal", () => {
    const path = (last: string) => `/home/me/${"a-folder-with-a-name/".repeat(4)}${last}`;
    const before = spec("web", { workingDir: path("x"), env: { A: "1", LONG: "l".repeat(40) } });
    const after = spec("web", { workingDir: path("y"), env: { A: "2", LONG: "m".repeat(40) } });
    expect(view([after], [running(before)])).toMatchInlineSnapshot(`
      "-/+ web will be changed and restarted, which breaks its live sessions
            because env.A, env.LONG and working-dir changed
            ~ env.A: "1" -> "2"
            ~ env.LONG:
              - "llllllllllllllllllllllllllllllllllllllll"
              + "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
            ~ working-dir:
              - /home/me/a-folder-with-a-name/a-folder-with-a-name/a-folder-with-a-name/a-folder-with-a-name/x
              + /home/me/a-folder-with-a-name/a-folder-with-a-name/a-folder-with-a-name/a-folder-with-a-name/y

      Plan: 0 to add, 1 to change (web), 0 to remove.
      "
    `);
    const narrow = view([after], [running(before)], { ...plain, width: 60 });
    expect(narrow).toMatchInlineSnapshot(`
      "-/+ web will be changed and restarted, which breaks
              its live sessions
            because env.A, env.LONG and working-dir changed
            ~ env.A: "1" -> "2"
            ~ env.LONG:
              - "llllllllllllllllllllllllllllllllllllllll"
              + "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
            ~ working-dir:
              - …-name/a-folder-with-a-name/a-folder-with-a-name/x
              + …-name/a-folder-with-a-name/a-folder-with-a-name/y

      Plan: 0 to add, 1 to change (web), 0 to remove.
      "
    `);
    for (const line of narrow.split("\n").slice(1)) expect(line.length).toBeLessThanOrEqual(60);
  });

  test("text from outside cannot steer the terminal", () => {
    const failed = resting(web, { state: "failed", reason: "\x1b[2Jgone\nnext" });
    const armed = spec("web", { env: { A: "\x1b[2J\x9b" } });
    const text = view([armed], [failed], { ...plain, width: 80 });
    expect(text).toBe(stripVTControlCharacters(text));
    expect(view([armed], [])).toContain('env.A: "\\u{1b}[2J\\u{9b}"');
  });

  test("in colour", () => {
    const servers = [spec("web", { args: ["b.js"] }), spec("api")];
    const observed = [running(web), running(spec("old"), { pid: 5 })];
    expect(view(servers, observed, { ...plain, colour: true, width: 80 })).toMatchInlineSnapshot(`
      "[32m  +[39m [1mapi[22m will be added and started
            [32m+[39m command: node server.js
            [32m+[39m program: /usr/bin/node
            [32m+[39m port: 8421
              [2m(35 defaults hidden; --defaults shows them)[22m

      [31m  -[39m [1mold[22m will be stopped and removed, which breaks its live sessions
            [2mbecause it is no longer declared[22m

      [33m-/+[39m [1mweb[22m will be changed and restarted, which breaks its live sessions
            [2mbecause args changed[22m
            [33m~[39m args: ["server.js"] -> ["b.js"]

      [1mPlan:[22m 1 to add (api), 1 to change (web), 1 to remove (old).
      "
    `);
  });

  test("is a server that moves", () => {
    const elsewhere = resting(spec("web", { backend: "systemd" as ServerSpec["backend"] }), {
      operator: "stop",
    });
    expect(view([web], [elsewhere])).toMatchInlineSnapshot(`
      "  - web will be removed
            because it moves to agent

        + web will be added and stays stopped (held)
            because it moves here from systemd
            + command: node server.js
            + program: /usr/bin/node
            + port: 8421
              (35 defaults hidden; --defaults shows them)

      held: web; it stays stopped until \`xy start web\`

      Plan: 1 to add (web), 0 to change, 1 to remove (web).
      "
    `);
  });
});

test("a server that cannot be watched is told of, and changes nothing", () => {
  const text = view([web], [running(web, { unwatched: { reason: "no room" } })]);
  expect(text).toContain("unwatched: web is running, but its output is not read: no room\n");
  expect(text).toContain("No changes.");
});

test("a paused server is told of, whatever the plan does", () => {
  const paused = { at: NOW - MINUTE, until: NOW + 7 * MINUTE };
  const down = { state: "restarting", lastExit: exited(7), paused: { at: NOW - MINUTE } } as const;
  const [api, db, old] = [spec("api"), spec("db"), spec("old")];
  const observed = [
    running(web, { paused }),
    resting(api, down),
    resting(db, { ...down, state: "failed" }),
    running(old, { paused }),
  ];
  expect(view([web, api, db, { ...old, umask: 0 }], observed)).toMatchInlineSnapshot(`
    "  ~ db will be started
          because it failed 3 minutes ago (exit 7)

    -/+ old will be changed and restarted, which breaks its live sessions
          because umask changed
          ~ umask: 022 -> 000

    paused: api, which is down (exit 7); nothing starts it until \`xy resume api\`
    paused: db; nothing restarts it until \`xy resume db\`
    paused: old, for another 7 minutes; nothing restarts it until \`xy resume old\`
    paused: web, for another 7 minutes; nothing restarts it until \`xy resume web\`

    Plan: 0 to add, 2 to change (db, old), 0 to remove.
    "
  `);
});

describe("a plan of servers that run as units", () => {
  const unit = { file: "/home/me/u/xy.dots.web.service", to: "[Service]\nUMask=0022\nNice=1\n" };
  const planOf = (servers: readonly ServerSpec[], observed: readonly Observed[]) => {
    const plan = buildPlan(desired(...servers), observed);
    if (!plan.ok) throw new Error("no plan");
    return plan.value;
  };

  test("shows the unit's file as a diff, and harmless", () => {
    const drifted = running(web, { drift: "its unit file was edited" });
    const plan = planOf([web], [drifted]);
    const from = "[Service]\nUMask=0077\u001b[2J\nNice=1\n";
    const changes = plan.changes.map((change) => ({ ...change, unit: { ...unit, from } }));
    expect(
      planView({ ...plan, changes }, { ...plain, shorten: (path) => path.replace("/home/me", "~") }),
    ).toMatchInlineSnapshot(`
      "  ~ web will be changed in place
            because it was changed outside xy: its unit file was edited
            ~ unit: ~/u/xy.dots.web.service
                @@ -1 +1 @@
                [Service]
              - UMask=0077\\u{1b}[2J
              + UMask=0022
                Nice=1

      drifted: web was changed outside xy (its unit file was edited), and will be restored

      Plan: 0 to add, 1 to change (web), 0 to remove.
      "
    `);
  });

  test("says that the version before is back, and why", () => {
    const because = "not ready after 20s: nothing listens on port 8421";
    const restored = { at: NOW - 180_000, because };
    const back = running({ ...web, args: [] }, { restored });
    expect(planView(planOf([web], [back]), plain)).toContain(
      `put back: web, 3 minutes ago, by an apply that failed: ${because}\n`,
    );
    // What is declared now is what runs: nothing waits to be mended.
    expect(planView(planOf([web], [running(web, { restored })]), plain)).not.toContain("put back:");
  });

  test("only names the file of a new one", () => {
    const plan = planOf([web], []);
    const changes = plan.changes.map((change) => ({ ...change, unit }));
    expect(planView({ ...plan, changes }, plain)).toContain("      + unit: /home/me/u/xy.dots.web.service\n");
  });

  test("says which backend does not answer, and whose servers are left alone", () => {
    const plan = planOf([web], [running(web)]);
    const unreachable = [
      {
        backend: "supervisord",
        message: "cannot reach supervisord at x: it is gone; start it",
        servers: ["a", "b"],
      },
    ] as const;
    expect(planView({ ...plan, unreachable }, plain)).toMatchInlineSnapshot(`
      "error: cannot reach supervisord at x: it is gone; start it (left as they are: a, b)

      No changes. 1 server matches the configuration.
      "
    `);
  });

  test("says once what is true of several servers", () => {
    const message = "systemd cannot express liveness: only its exit is noticed";
    const warning = (server: string): Diagnostic => ({ severity: "warning", server, message });
    const text = view([web, spec("api")], [], plain, [warning("api"), warning("web")]);
    expect(text).toContain(`\nwarning: api, web: ${message}\n`);
  });
});

describe("a plan of actions", () => {
  const actionsView = (
    actions: readonly ActionSpec[],
    recorded: readonly ActionSpec[],
    { screen = plain, servers = [] }: { screen?: Screen; servers?: readonly ServerSpec[] } = {},
  ) => {
    const observed = servers.map((server) => running(server));
    const plan = buildPlan({ ...desired(...servers), actions }, observed, [], {}, { recorded });
    if (!plan.ok) throw new Error("no plan");
    return planView(plan.value, screen);
  };
  const script = ["#!/bin/sh", "set -e", "cd /srv", "dump notes >notes.sql", "clean", "echo done"];
  const backup = action("backup", null, { command: null, program: "/bin/sh", script: script.join("\n") });

  test("that match names them only where there is nothing else", () => {
    const both = [action("a"), action("b")];
    expect(actionsView(both, both)).toBe("No changes. 2 actions match the configuration.\n");
    expect(actionsView([backup], [backup])).toBe("No changes. 1 action matches the configuration.\n");
    expect(actionsView(both, both, { servers: [web] })).toBe(
      "No changes. 1 server matches the configuration.\n",
    );
    expect(actionsView([], [])).toBe("No changes. 0 servers match the configuration.\n");
  });

  test("a new one shows what is not default, one that goes its name", () => {
    const whole = action("check", "web", {
      args: ["--all", "two words"],
      env: { HOME: "/home/me", PATH: "/bin", MODE: "fast", TOKEN: secret("aa") },
      workingDir: "/srv",
      umask: 0o077,
      timeout: null,
      grace: 1000,
      retries: { max: 2, backoffInitial: 250, backoffMax: 90_000 },
      schedule: { cron: "0 3 * * *", timeZone: "Europe/Berlin", missed: "skip" },
      concurrency: "replace",
      description: "Looks",
      tags: ["a", "b c"],
    });
    expect(actionsView([backup, whole], [action("old")], { servers: [web] })).toMatchInlineSnapshot(`
      "  + action backup will be added
            + script: 6 lines, by /bin/sh SCRIPT
              + #!/bin/sh
              + set -e
              + cd /srv
              + dump notes >notes.sql
              + clean
              + echo done

        - action old will be removed

        + action web:check will be added
            + command: true --all 'two words'
            + program: /bin/true
            + env.PATH: "/bin"
            + env.MODE: "fast"
            + env.TOKEN: (secret from env GITHUB_TOKEN)
            + working-dir: /srv
            + umask: 077
            + timeout: none
            + grace: 1s
            + retries.max: 2
            + retries.backoff-initial: 250ms
            + retries.backoff-max: 1m30s
            + schedule.cron: "0 3 * * *"
            + schedule.time-zone: Europe/Berlin
            + schedule.missed: skip
            + concurrency: replace
            + description: Looks
            + tags: a, "b c"

      Plan: 2 to add (action backup, action web:check), 0 to change, 1 to remove (action old).
      "
    `);
  });

  test("one that differs shows each field, a secret by its reference, and a script line by line", () => {
    const lines = [...script.slice(0, 4), "clean --all", "echo done", "exit 0"];
    const before = action("check", "web", {
      env: { TOKEN: secret("aa"), KEY: secret("cc", "A") },
      schedule: { cron: "0 3 * * *", timeZone: "UTC", missed: "once" },
      timeout: null,
    });
    const after = action("check", "web", {
      env: { TOKEN: secret("bb"), KEY: secret("cc", "B") },
      schedule: { cron: "0 4 * * *", timeZone: "UTC", missed: "once" },
      retries: { max: 1, backoffInitial: 1000, backoffMax: 60_000 },
      umask: 0o077,
      tags: ["x"],
    });
    expect(
      actionsView([{ ...backup, script: lines.join("\n") }, after], [backup, before]),
    ).toMatchInlineSnapshot(`
      "  ~ action backup will be changed
            ~ script:
                @@ -4 +4 @@
                dump notes >notes.sql
              - clean
              + clean --all
                echo done
              + exit 0

        ~ action web:check will be changed
            ~ env.KEY: (secret from env A) -> (secret from env B) (same value)
            ~ env.TOKEN: (secret from env GITHUB_TOKEN) (changed)
            ~ umask: 022 -> 077
            ~ timeout: none -> 1h
            ~ retries.max: 0 -> 1
            ~ retries.backoff-max: 30s -> 1m
            ~ schedule.cron: "0 3 * * *" -> "0 4 * * *"
            ~ tags: none -> x

      Plan: 0 to add, 2 to change (action backup, action web:check), 0 to remove.
      "
    `);
  });

  test("a script that comes or goes shows every line, its last line break only where that is all", () => {
    const named = action("backup");
    expect(actionsView([backup], [named])).toContain("+ script: 6 lines\n        + #!/bin/sh\n");
    expect(actionsView([named], [backup])).toContain("- script: 6 lines\n        - #!/bin/sh\n");
    const ended = { ...backup, script: `${backup.script}\n` };
    expect(actionsView([ended], [backup])).toMatch(
      /- echo done\n.* No newline at end of file\n.*\+ echo done\n/,
    );
    const other = { ...backup, script: backup.script?.replace("echo done", "exit") ?? "" };
    expect(actionsView([other], [backup])).not.toContain("No newline");
  });

  test("text of a script cannot steer the terminal, and is cut for a narrow one", () => {
    const armed = { ...backup, script: `#!/bin/sh\n\u001b[2J\u009b${"x".repeat(80)}\r\n` };
    const text = actionsView([armed], [backup], { screen: { ...plain, width: 60 } });
    expect(text).toBe(stripVTControlCharacters(text));
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
    for (const line of text.split("\n").slice(0, -2)) expect(line.length).toBeLessThanOrEqual(60);
  });
});
