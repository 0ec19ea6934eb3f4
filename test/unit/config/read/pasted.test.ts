import { describe, expect, it } from "vitest";
import { problemsOf } from "../rig.ts";

/** What people paste from elsewhere is told as what it is, once, with the way to write it here. */

const CLIENT = JSON.stringify(
  {
    mcpServers: {
      memory: { command: "npx", args: ["-y", "x"], env: { A: "1" } },
      far: { url: "https://x/mcp" },
    },
  },
  null,
  2,
);
const VS_CODE = '{\n  "inputs": [],\n  "servers": { "a": { "type": "http", "url": "http://h/mcp" } }\n}\n';
const PM2 = { apps: [{ name: "web", script: "./server.js", instances: 2, env: { A: "1" } }] };
const COMPOSE =
  'version: "3"\nx-a: &a {A: "1"}\nservices:\n  web:\n    image: nginx\n    ports: ["80:80"]\n    environment: *a\n  db:\n    build: .\n';
const PROCESSES =
  'version: "0.5"\nprocesses:\n  web:\n    command: node x.js\n    availability: {restart: always}\n';
const PROCFILE = "web: bundle exec rails s -p $PORT\nworker: rake jobs:work\n";
const SUPERVISORD =
  "; all of it\n[supervisord]\nlogfile=/x\n\n[program:web]\ncommand=node x.js\nautorestart=true\n";
const UNIT = "[Unit]\nDescription=x\n\n[Service]\nExecStart=/bin/x\n";
const PLIST = '<?xml version="1.0"?>\n<!DOCTYPE plist PUBLIC "x" "y">\n<plist><dict/></plist>\n';
const CODEX = '[mcp_servers.a]\ncommand = "npx"\nargs = ["-y"]\n';
const PACKAGE =
  '{\n  "name": "x",\n  "version": "1.0.0",\n  "scripts": { "start": "node x" },\n  "dependencies": {}\n}\n';
const exported = (value: unknown) => `export default ${JSON.stringify(value)}`;

describe("a pasted file is recognised", () => {
  it.each<[what: string, file: string, text: string, place: string]>([
    ["an MCP client's list of servers", "xy.config.json", CLIENT, ":2:3"],
    ["an MCP client's list of servers", "servers.d/memory.json", CLIENT, ":2:3"],
    ["an MCP client's list of servers", "xy.config.yaml", CLIENT, ":2:3"],
    ["an MCP client's list of servers", "xy.config.kdl", CLIENT, ":1:1"],
    ["an MCP client's list of servers", "xy.config.ts", exported(JSON.parse(CLIENT)), ": mcpServers"],
    ["an MCP client's list of servers", "xy.config.json", VS_CODE, ":3:3"],
    ["an MCP client's list of servers", "xy.config.yaml", CODEX, ":1:1"],
    [
      "an MCP client's list of servers",
      "xy.config.yaml",
      "mcpServers:\n  - name: a\n    command: x\n",
      ":1:1",
    ],
    [
      "an MCP client's list of servers",
      "xy.config.json",
      '{"mcp": {"a": {"type": "local", "command": ["x"]}}}',
      ":1:2",
    ],
    ["a pm2 file", "xy.config.json", JSON.stringify(PM2), ":1:2"],
    ["a pm2 file", "xy.config.js", exported(PM2), ": apps"],
    ["a pm2 file", "xy.config.yaml", "apps:\n  - script: a.js\n    name: a\n", ":1:1"],
    ["a docker compose file", "xy.config.yaml", COMPOSE, ":3:1"],
    ["a docker compose file", "servers.d/web.yml", COMPOSE, ":3:1"],
    ["a process-compose file", "xy.config.yaml", PROCESSES, ":2:1"],
    ["a Procfile", "xy.config.yaml", PROCFILE, ":1:1"],
    ["a Procfile", "xy.config.yaml", `${PROCFILE}odd: A=1 x: y\n`, ":1:1"],
    ["a Procfile", "servers.d/web.kdl", PROCFILE, ":1:1"],
    ["a Procfile", "xy.config.json", PROCFILE, ":1:1"],
    ["a supervisord configuration", "xy.config.yaml", SUPERVISORD, ":1:1"],
    ["a supervisord configuration", "servers.d/web.yaml", SUPERVISORD.slice(12), ":1:1"],
    ["a supervisord configuration", "xy.config.kdl", SUPERVISORD.slice(12), ":1:1"],
    ["a systemd unit", "servers.d/web.yaml", UNIT, ":1:1"],
    ["a launchd plist", "servers.d/web.yaml", PLIST, ":1:1"],
    ["TOML", "xy.config.yaml", '[servers.a]\ncommand = "x"\n', ":1:1"],
    ["a package.json", "xy.config.json", PACKAGE, ":4:3"],
  ])("%s as %s", async (what, file, text, place) => {
    const problems = await problemsOf({ [file]: text });
    expect(problems).toEqual([
      expect.stringMatching(
        new RegExp(
          `^${file}${place}: cannot use this as an xy configuration: it is ${what}; (?:move it .*"xy import"|write a file servers\\.d/NAME\\.yaml )`,
        ),
      ),
    ]);
  });

  it.each([
    [
      "xy.config.kdl",
      '{ "servers": {} }',
      "cannot read this as KDL: it is JSON; rename the file so that it ends with .json",
    ],
    [
      "servers.d/a.kdl",
      "# x\ncommand: sh\nport: none\n",
      "cannot read this as KDL: it is YAML; rename the file so that it ends with .yaml",
    ],
  ])("where only the format is another: %s", async (file, text, message) => {
    expect(await problemsOf({ [file]: text })).toEqual([`${file}:1:1: ${message}`]);
  });

  it("but not what is ours with a slip in it", async () => {
    const said = await problemsOf({
      "xy.config.yaml": "services:\n  a:\n    command: sh\n    port: none\n",
      "servers.d/b.yaml": "comand: sh -c x\n",
      "servers.d/c.yaml": "script: run me\nname: c\n",
    });
    expect(said.filter((line) => line.includes("it is "))).toEqual([]);
    expect(said.length).toBeGreaterThan(4);
  });
});

/** Each word, and what it is said to be. */
const SERVER_WORDS: [string, string][] = [
  ["cwd: /", '"working-dir"?'],
  ["directory: /", '"working-dir"?'],
  ["script: x.js", '"command"?'],
  ["cmd: x", '"command"?'],
  ["environment: {A: x}", '"env"?'],
  ["envFile: x", '"env-file"?'],
  ["env_file: x", '"env-file"?'],
  ["healthcheck: {test: x}", '"readiness"?'],
  ["readiness_probe: {}", '"readiness"?'],
  ["liveness_probe: {}", '"liveness"?'],
  ["autorestart: true", '"restart.policy"?'],
  ["restart_delay: 1", '"restart.backoff-initial"?'],
  ["max_restarts: 1", '"restart.max-retries-per-minute"?'],
  ["stopsignal: INT", '"stop.signal"?'],
  ["kill_timeout: 1", '"stop.grace"?'],
  ["depends_on: [b]", '"depends-on"?'],
  ['ports: ["80:80"]', '"port"?'],
  ["url: http://x", '"port"?'],
  ["disabled: true", '"wanted"?'],
  ["ulimits: {}", '"limits.open-files"?'],
  [
    "image: nginx",
    "xy runs programs, not containers; set command to the program (docker itself, for example)",
  ],
  ["instances: 2", "a server is one process; declare a server for each"],
  ["user: root", "a server runs as the account that applies it; remove it"],
  ["restart: {delay: 1s}", '"backoff-initial"?'],
  ["stop: {timeout: 3s}", '"grace"?'],
];

describe("a word of another tool", () => {
  it.each(SERVER_WORDS)("is told as ours: %s", async (line, ours) => {
    const [first, ...more] = await problemsOf({ "servers.d/a.yaml": `command: sh\nport: none\n${line}\n` });
    expect(more).toEqual([]);
    expect(first).toMatch(/^servers\.d\/a\.yaml:3:\d+: cannot use unknown key "[\w.]+": /);
    expect(first?.endsWith(ours.endsWith("?") ? `: did you mean ${ours}` : `: ${ours}`)).toBe(true);
  });

  it("is told in the way of each format", async () => {
    expect(
      await problemsOf({
        "servers.d/a.kdl":
          'command "sh"; port "none"\ncwd "/"\nautorestart #true\nrestart "unless-stopped"\n',
        "servers.d/b.yaml": "command: sh\nport: none\nrestart: always\n",
        "servers.d/c.json": '{"command":"sh","port":"none",\n"cwd":"/","restart":"on-failure:3"}',
        "servers.d/d.yaml": "command: [npx, -y, x]\nport: none\nrestart: false\n",
        "xy.config.ts":
          'export default { processes: 1, environment: {}, servers: { e: { command: "sh", port: "none", cwd: "/", restart: "no" } } }',
      }),
    ).toEqual([
      'servers.d/a.kdl:2:1: cannot use unknown key "cwd": did you mean "working-dir"?',
      'servers.d/a.kdl:3:1: cannot use unknown key "autorestart": did you mean "restart.policy"?',
      'servers.d/a.kdl:4:9: cannot use "unless-stopped" here: restart is a block; write restart { policy "always" }',
      'servers.d/b.yaml:3:10: cannot use "always" for restart: write { policy: always }',
      'servers.d/c.json:2:1: cannot use unknown key "cwd": did you mean "workingDir"?',
      'servers.d/c.json:2:21: cannot use "on-failure:3" for restart: write { "policy": "on-failure" }',
      "servers.d/d.yaml:1:10: cannot use a list for command: write its first word, and put the others into args",
      "servers.d/d.yaml:3:10: cannot use false for restart: write { policy: never }",
      'xy.config.ts: processes: cannot use unknown key "processes": did you mean "servers"?',
      'xy.config.ts: environment: cannot use unknown key "environment": did you mean "defaults.env"?',
      'xy.config.ts: servers.e.cwd: cannot use unknown key "servers.e.cwd": did you mean "workingDir"?',
      'xy.config.ts: servers.e.restart: cannot use "no" for restart: write { "policy": "never" }',
    ]);
  });
});
