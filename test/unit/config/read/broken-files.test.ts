import { describe, expect, it } from "vitest";
import { problemsOf } from "../rig.ts";

/** What it is, the files, and all that is said about them. */
type Case = [string, Record<string, string>, string[]];

describe("mistakes in KDL", () => {
  it.each<Case>([
    [
      "an unknown key",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nrestrat { policy "always" }\n',
      },
      ['servers.d/a.kdl:2:1: cannot use unknown key "restrat": did you mean "restart"?'],
    ],
    [
      "a camelCase key",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nworkingDir "x"\n',
      },
      ['servers.d/a.kdl:2:1: cannot use unknown key "workingDir": did you mean "working-dir"?'],
    ],
    [
      "an unknown key in a block",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nrestart {\n  polcy "always"\n}\n',
      },
      ['servers.d/a.kdl:3:3: cannot use unknown key "restart.polcy": did you mean "policy"?'],
    ],
    [
      "two settings on one line",
      {
        "servers.d/a.kdl":
          'command "x"; port "none"\nrestart {\n  policy "always" backoff-initial "10ms"\n}\n',
      },
      [
        'servers.d/a.kdl:3:19: cannot give policy several values: in KDL a line is one node; put ";" or a line break before backoff-initial',
      ],
    ],
    [
      "a setting as a property of another",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nrestart { policy "always" backoff-initial="10ms"; }\n',
      },
      [
        'servers.d/a.kdl:2:27: cannot give policy several values: in KDL a line is one node; put ";" or a line break before backoff-initial',
      ],
    ],
    [
      "several values",
      {
        "servers.d/a.kdl": 'command "x" "y"\nport "none"\n',
      },
      ['servers.d/a.kdl:1:13: cannot use "y" here: command takes one value; write command and one value'],
    ],
    [
      "no value",
      {
        "servers.d/a.kdl": 'command\nport "none"\n',
      },
      ["servers.d/a.kdl:1:1: cannot leave command without a value: write command followed by its value"],
    ],
    [
      "a block in place of a value",
      {
        "servers.d/a.kdl": 'command { x 1 }\nport "none"\n',
      },
      ["servers.d/a.kdl:1:1: cannot use a block for command: write a single value"],
    ],
    [
      "a value in place of a block",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nrestart "always"\n',
      },
      [
        'servers.d/a.kdl:2:9: cannot use "always" here: restart is a block; write restart { policy "always" }',
      ],
    ],
    [
      "a block in place of a list",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nargs { x 1 }\n',
      },
      ["servers.d/a.kdl:2:8: cannot use x here: args takes values only"],
    ],
    [
      "the same node twice",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\ntags "a"\ntags "b"\n',
      },
      ['servers.d/a.kdl:3:1: cannot set "tags" twice: it is already set at 2:1; keep one of them'],
    ],
    [
      "the same variable twice",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nenv { A "1"; A "2" }\n',
      },
      ['servers.d/a.kdl:2:14: cannot set "A" twice: it is already set at 2:7; keep one of them'],
    ],
    [
      "the same property twice",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nstop grace="1s" grace="2s"\n',
      },
      ['servers.d/a.kdl:2:17: cannot set "grace" twice: it is already set at 2:6; keep one of them'],
    ],
    [
      "the type of a probe twice",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nreadiness "log" type="log" pattern="x"\n',
      },
      ['servers.d/a.kdl:2:17: cannot set "type" twice: it is already set at 2:11; keep one of them'],
    ],
    [
      "an unknown type annotation",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nenv { A (vault)"x" }\n',
      },
      ["servers.d/a.kdl:2:9: cannot use the type annotation (vault) here: write (env), (file) or (command)"],
    ],
    [
      "an annotation elsewhere",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\n(env)tags "x"\ndescription (env)"X"\n',
      },
      [
        "servers.d/a.kdl:2:1: cannot use the type annotation (env) here: only values in env may have one",
        "servers.d/a.kdl:3:13: cannot use the type annotation (env) here: only values in env may have one",
      ],
    ],
    [
      "a dependency without a name",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\ndepends-on condition="started"\n',
      },
      ['servers.d/a.kdl:2:1: cannot leave depends-on without a server: write depends-on "name"'],
    ],
    [
      "bare keywords, each line",
      {
        "servers.d/a.kdl": "command true\nport null\ntags inf\n",
      },
      [
        'servers.d/a.kdl:1:9: cannot use the bare word true: write #true, or "true" for a string',
        'servers.d/a.kdl:2:6: cannot use the bare word null: write #null, or "null" for a string',
        'servers.d/a.kdl:3:6: cannot use the bare word inf: write #inf, or "inf" for a string',
      ],
    ],
    [
      "a type annotation alone",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nenv { A (env) }\n',
      },
      [
        'servers.d/a.kdl:2:9: cannot use a type annotation on its own: put a value after it, as in (env)"NAME"',
      ],
    ],
    [
      "a word that touches a number",
      {
        "servers.d/a.kdl": 'command "x"\nport 84x1\n',
      },
      [
        'servers.d/a.kdl:2:8: cannot read "x1" directly after the previous value: put a space between them, or quote the whole',
      ],
    ],
    [
      "an assignment",
      {
        "servers.d/a.kdl": 'command = "x"\n',
      },
      [
        'servers.d/a.kdl:1:9: cannot use "=" here: write name=value for a property, or name value for a node of its own',
      ],
    ],
    [
      "brackets",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nargs ["a"]\n',
      },
      [
        'servers.d/a.kdl:2:6: cannot use "[" here: in KDL list values are separated by spaces, as in args "--port" "8080"',
        'servers.d/a.kdl:2:10: cannot use "]" here: in KDL list values are separated by spaces, as in args "--port" "8080"',
      ],
    ],
    [
      "a stray brace",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\n}\n',
      },
      ['servers.d/a.kdl:2:1: cannot use "}" here: no block is open; remove it'],
    ],
    [
      "an unclosed block",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nenv {\n  A "1"\n',
      },
      ['servers.d/a.kdl:2:5: cannot find the end of the block that begins here: add "}"'],
    ],
    [
      "an unclosed text",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\ndescription "x',
      },
      ["servers.d/a.kdl:2:13: cannot find the end of the string that begins here: add the closing quote"],
    ],
    [
      "an unclosed text with lines after it",
      {
        "servers.d/a.kdl": 'command "x\nport "none"\n',
      },
      [
        'servers.d/a.kdl:1:11: cannot continue a text on the next line: close the quotes before, or write the text between """ lines',
      ],
    ],
    [
      "an unclosed comment",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\n/* x',
      },
      ["servers.d/a.kdl:2:1: cannot find the end of the comment that begins here: add */"],
    ],
    [
      "an unknown escape",
      {
        "servers.d/a.kdl": 'command "C:\\qrs"\nport "none"\n',
      },
      [
        'servers.d/a.kdl:1:12: cannot read this escape: write "\\\\" for a backslash, or one of \\n \\r \\t \\" \\u{…}',
      ],
    ],
    [
      "two semicolons",
      {
        "servers.d/a.kdl": 'command "x";; port "none"\n',
      },
      ['servers.d/a.kdl:1:13: cannot use ";" here: one ends a node; remove it'],
    ],
    [
      "a text in three quotes that is not indented",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\ndescription """\n a\n   b\n  """\n',
      },
      [
        'servers.d/a.kdl:3:1: cannot read this text: begin a new line after """, and indent each line at least as far as the closing """',
      ],
    ],
    [
      "a control character",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\ndescription "a\u0007b"\n',
      },
      ["servers.d/a.kdl:2:15: cannot use the character U+0007 as it is: write it as an escape, \\u{…}"],
    ],
    [
      "nodes of a project",
      {
        "xy.config.kdl":
          'server {}\nserver "a" "b" {}\nservers { x {}; }\nserver "c" { command "x"; port 1; }\nserver "c" { command "x"; port 2; }\ncommand "x"\n',
      },
      [
        'xy.config.kdl:1:1: cannot find the name of this server: write server "name" { … }',
        'xy.config.kdl:2:12: cannot find the name of this server: write server "name" { … }',
        'xy.config.kdl:3:1: cannot use unknown key "servers": did you mean "server"?',
        "xy.config.kdl:5:8: cannot declare the server c twice: it is already declared at xy.config.kdl:4:8; keep one of them",
        'xy.config.kdl:6:1: cannot use unknown key "command": write one of action, backend, clients, defaults, include, on, path, project, server, supervisord, systemd, when',
      ],
    ],
  ])("%s", async (_, files, problems) => {
    expect(await problemsOf(files)).toEqual(problems);
  });
});

describe("mistakes in YAML", () => {
  it.each<Case>([
    [
      "an unknown key",
      {
        "servers.d/a.yaml": "command: x\nport: none\nrestrat: {}\n",
      },
      ['servers.d/a.yaml:3:1: cannot use unknown key "restrat": did you mean "restart"?'],
    ],
    [
      "a camelCase key",
      {
        "servers.d/a.yaml": "command: x\nport: none\nworkingDir: x\nlogs: {maxSize: 10MiB}\n",
      },
      [
        'servers.d/a.yaml:3:1: cannot use unknown key "workingDir": did you mean "working-dir"?',
        'servers.d/a.yaml:4:8: cannot use unknown key "logs.maxSize": did you mean "max-size"?',
      ],
    ],
    [
      "the same key twice",
      {
        "servers.d/a.yaml": "command: x\nport: none\ncommand: y\n",
      },
      ['servers.d/a.yaml:3:1: cannot set "command" twice: it is already set at 1:1; keep one of them'],
    ],
    [
      "the same variable twice",
      {
        "servers.d/a.yaml": 'command: x\nport: none\nenv:\n  A: "1"\n  A: "2"\n',
      },
      ['servers.d/a.yaml:5:3: cannot set "A" twice: it is already set at 4:3; keep one of them'],
    ],
    [
      "a number that would change",
      {
        "servers.d/a.yaml": "command: x\nport: none\nenv:\n  VERSION: 1.10\n",
      },
      [
        "servers.d/a.yaml:4:12: cannot use 1.1 for env.VERSION: write text in quotes, so that it stays as it is written",
      ],
    ],
    [
      "a number as permissions",
      {
        "servers.d/a.yaml": "command: x\nport: none\numask: 022\n",
      },
      ['servers.d/a.yaml:3:8: cannot use 22 for umask: write octal digits in quotes, such as "022"'],
    ],
    [
      "an unclosed list",
      {
        "servers.d/a.yaml": "command: x\nport: none\nargs: [a\n",
      },
      [
        "servers.d/a.yaml:4:1: cannot read this as YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; correct the syntax",
      ],
    ],
    [
      "a tab",
      {
        "servers.d/a.yaml": "command: x\nenv:\n\tA: x\n",
      },
      [
        "servers.d/a.yaml:3:1: cannot read this as YAML: Tabs are not allowed as indentation; correct the syntax",
      ],
    ],
    [
      "an unknown tag",
      {
        "servers.d/a.yaml": "command: x\nport: none\ndescription: !upper x\n",
      },
      ["servers.d/a.yaml:3:14: cannot read this as YAML: Unresolved tag: !upper; correct the syntax"],
    ],
    [
      "an alias without its anchor",
      {
        "servers.d/a.yaml": "command: x\nport: none\ndescription: *x\n",
      },
      [
        "servers.d/a.yaml:3:14: cannot find the anchor &x for *x: define it earlier in the file, or write the value itself",
      ],
    ],
    [
      "two documents",
      {
        "servers.d/a.yaml": "command: x\nport: none\n---\ncommand: x\nport: none\n",
      },
      ["servers.d/a.yaml:3:1: cannot read this as YAML: a second document begins here; correct the syntax"],
    ],
    [
      "a list as a key",
      {
        "servers.d/a.yaml": "command: x\nport: none\n? [a]\n: b\n",
      },
      ["servers.d/a.yaml:3:3: cannot use a list or a map as a key: use a string"],
    ],
    [
      "nothing as a value",
      {
        "servers.d/a.yaml": "command: x\nport: none\ndescription:\n",
      },
      ["servers.d/a.yaml:3:13: cannot use nothing for description: write text in quotes"],
    ],
    [
      "a text in place of everything",
      {
        "servers.d/a.yaml": "hello\n",
      },
      ['servers.d/a.yaml:1:1: cannot use "hello" for this file: write a block that describes a server'],
    ],
    [
      "nothing at all",
      {
        "servers.d/a.yaml": "",
      },
      [
        "servers.d/a.yaml:1:1: cannot leave out command: write the program to run",
        'servers.d/a.yaml:1:1: cannot leave out port: write a number from 1 to 65535, "auto" (one is chosen and kept) or "none"',
      ],
    ],
    [
      "a bomb of aliases",
      {
        "servers.d/a.yaml":
          "command: x\nport: none\na: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
      },
      ["servers.d/a.yaml:1:1: cannot expand so many aliases: write out their values"],
    ],
    [
      "references to secrets",
      {
        "servers.d/a.yaml":
          "command: x\nport: none\nenv:\n  A: {secret: {envv: X}}\n  B: {secret: {env: X, file: Y}}\n  C: {secret: {env: 1}}\n  E: {secret: x}\n  F: [a]\n",
      },
      [
        "servers.d/a.yaml:4:7: cannot leave out env.A.secret.env: write text in quotes",
        'servers.d/a.yaml:4:16: cannot use unknown key "env.A.secret.envv": did you mean "env"?',
        "servers.d/a.yaml:5:15: cannot use a block for env.B.secret: write exactly one of env, file and command",
        "servers.d/a.yaml:6:21: cannot use 1 for env.C.secret.env: write text in quotes",
        'servers.d/a.yaml:7:15: cannot use "x" for env.E.secret: write exactly one of env, file and command',
        "servers.d/a.yaml:8:6: cannot use a list for env.F: write text in quotes, so that it stays as it is written",
      ],
    ],
  ])("%s", async (_, files, problems) => {
    expect(await problemsOf(files)).toEqual(problems);
  });
});

describe("mistakes in JSON", () => {
  it.each<Case>([
    [
      "an unknown key",
      {
        "servers.d/a.json": '{"command": "x", "port": "none", "restrat": {}}',
      },
      ['servers.d/a.json:1:34: cannot use unknown key "restrat": did you mean "restart"?'],
    ],
    [
      "a kebab-case key",
      {
        "servers.d/a.json": '{"command": "x", "port": "none", "working-dir": "x"}',
      },
      ['servers.d/a.json:1:34: cannot use unknown key "working-dir": did you mean "workingDir"?'],
    ],
    [
      "the same key twice",
      {
        "servers.d/a.json": '{\n  "command": "x",\n  "port": 1,\n  "port": 2\n}\n',
      },
      ['servers.d/a.json:4:3: cannot set "port" twice: it is already set at 3:3; keep one of them'],
    ],
    [
      "a comma too many",
      {
        "servers.d/a.json": '{"command": "x",}',
      },
      [
        "servers.d/a.json:1:17: cannot read this as JSON: Expected double-quoted property name; correct the syntax",
      ],
    ],
    [
      "a comment",
      {
        "servers.d/a.json": "{\n  // x\n}\n",
      },
      ["servers.d/a.json:2:3: cannot read this as JSON: Expected property name or '}'; correct the syntax"],
    ],
    [
      "nothing at all",
      {
        "servers.d/a.json": "",
      },
      ["servers.d/a.json:1:1: cannot read this as JSON: Unexpected end of JSON input; correct the syntax"],
    ],
    [
      "a bare word",
      {
        "servers.d/a.json": '{\n  "command": nope\n}\n',
      },
      ["servers.d/a.json:2:15: cannot read this as JSON: Unexpected token 'o'; correct the syntax"],
    ],
    [
      "an unclosed text",
      {
        "servers.d/a.json": '{"command": "x',
      },
      ["servers.d/a.json:1:15: cannot read this as JSON: Unterminated string; correct the syntax"],
    ],
    [
      "a list in place of everything",
      {
        "servers.d/a.json": "[]",
      },
      ["servers.d/a.json:1:1: cannot use a list for this file: write a block that describes a server"],
    ],
    [
      "a NUL character, and half characters",
      {
        "servers.d/a.json":
          '{"command": "x\\u0000", "port": "none", "args": ["\\ud800"], "env": {"A": "\\udc00", "__proto__": "x"}}',
      },
      [
        "servers.d/a.json:1:13: cannot use a NUL character in command: remove it",
        "servers.d/a.json:1:49: cannot use half a character (a lone surrogate) in args[0]: remove it",
        "servers.d/a.json:1:73: cannot use half a character (a lone surrogate) in env.A: remove it",
        'servers.d/a.json:1:96: cannot use the name "__proto__" in env.__proto__: remove it',
      ],
    ],
  ])("%s", async (_, files, problems) => {
    expect(await problemsOf(files)).toEqual(problems);
  });
});

describe("mistakes in TypeScript", () => {
  it.each<Case>([
    [
      "an unknown key",
      {
        "xy.config.ts": 'export default { servers: { a: { command: "x", port: 1, restrat: {} } } };',
      },
      [
        'xy.config.ts: servers.a.restrat: cannot use unknown key "servers.a.restrat": did you mean "restart"?',
      ],
    ],
    [
      "a wrong value",
      {
        "xy.config.ts":
          'export default { servers: { a: { command: "x", port: 1, restart: { policy: "sometimes" } } } };',
      },
      [
        'xy.config.ts: servers.a.restart.policy: cannot use "sometimes" for restart.policy: write "on-failure", "always" or "never"',
      ],
    ],
    [
      "a missing field",
      {
        "xy.config.ts": 'export default { servers: { a: { command: "x" } } };',
      },
      [
        'xy.config.ts: servers.a: cannot leave out port: write a number from 1 to 65535, "auto" (one is chosen and kept) or "none"',
      ],
    ],
    [
      "something else than data",
      {
        "xy.config.ts":
          'class Foo {}\nexport default { servers: { a: { command: () => "x", port: 1n, args: [new Foo(), Symbol("x")], env: { A: Promise.resolve("x") } } } };',
      },
      [
        "xy.config.ts: servers.a.command: cannot use a function for servers.a.command: write text, a number, a list or a block",
        "xy.config.ts: servers.a.port: cannot use a bigint for servers.a.port: write text, a number, a list or a block",
        "xy.config.ts: servers.a.args[0]: cannot use a Foo for servers.a.args[0]: write plain data",
        "xy.config.ts: servers.a.args[1]: cannot use a symbol for servers.a.args[1]: write text, a number, a list or a block",
        "xy.config.ts: servers.a.env.A: cannot use a promise for servers.a.env.A: await it",
      ],
    ],
    [
      "a value that contains itself",
      {
        "xy.config.ts": "const a: any = {};\na.servers = { a };\nexport default a;",
      },
      ["xy.config.ts: servers.a: cannot use a value that contains itself for servers.a: write the part out"],
    ],
    [
      "no default export",
      {
        "xy.config.ts": "export const config = {};",
      },
      ["xy.config.ts: cannot find a configuration in this file: write export default defineConfig({ … })"],
    ],
    [
      "a default export that is no object",
      {
        "xy.config.ts": "export default [];",
      },
      [
        "xy.config.ts: cannot use a list as a configuration: export an object, or a function that returns one",
      ],
    ],
    [
      "a function that returns nothing",
      {
        "xy.config.ts": "export default () => {};",
      },
      [
        "xy.config.ts: cannot use nothing as a configuration: export an object, or a function that returns one",
      ],
    ],
    [
      "a throw",
      {
        "xy.config.ts":
          '\nconst config: object = {};\n  throw new Error("no token");\nexport default config;',
      },
      ["xy.config.ts:3:7: cannot evaluate this file: Error: no token; correct the code"],
    ],
    [
      "a throw in the function",
      {
        "xy.config.ts": 'export default async () => {\n  throw new TypeError("odd");\n};',
      },
      ["xy.config.ts:2:9: cannot evaluate this file: TypeError: odd; correct the code"],
    ],
    [
      "a throw of no error",
      {
        "xy.config.ts": 'export default () => { throw "just so"; };',
      },
      ["xy.config.ts: cannot evaluate this file: just so; correct the code"],
    ],
    [
      "a syntax error",
      {
        "xy.config.ts": "export default {\n  a: [1, 2\n}\n",
      },
      [
        'xy.config.ts:3:1: cannot evaluate this file: ParseError: Unexpected token, expected ","; correct the code',
      ],
    ],
    [
      "an unknown module",
      {
        "xy.config.ts": '\nimport "./helper.ts";\nexport default {};',
      },
      [
        "xy.config.ts:2:1: cannot evaluate this file: Error: Cannot find module './helper.ts'; correct the code",
      ],
    ],
    [
      "an error in a module of one's own",
      {
        "xy.config.ts": 'import { x } from "./lib/helper.ts";\nexport default x;',
        "lib/helper.ts": "export const x = {};\n  null.x;\n",
      },
      [
        "lib/helper.ts:2:6: cannot evaluate this file: TypeError: Cannot read properties of null (reading 'x'); correct the code",
      ],
    ],
    [
      "an exit",
      {
        "xy.config.ts": "process.exit(7);",
      },
      ["xy.config.ts: cannot evaluate this file: it called process.exit(7); remove the call"],
    ],
    [
      "a promise that nothing settles",
      {
        "xy.config.ts": "export default new Promise(() => {});",
      },
      [
        "xy.config.ts: cannot evaluate this file: it ended without returning; look for process.exit, or a promise that never settles",
      ],
    ],
  ])("%s", async (_, files, problems) => {
    expect(await problemsOf(files)).toEqual(problems);
  });
});

const PREFER = '"prefer" goes with "auto" alone, such as port "auto" prefer=8765';

describe("mistakes in every format", () => {
  it.each<Case>([
    [
      "values of the wrong kind",
      {
        "servers.d/a.kdl":
          'command 5\nport 99999\nargs 1 #true #null\numask 022\nenv { A 1.10; B #true }\nrestart { policy "sometimes"; backoff-initial 5; max-retries-per-minute 1.5; success-exit-codes 256 "x" }\nstop { signal "SIGKILL"; grace "1m 3w" }\nlogs { max-size "10MB" }\nreadiness "udp"\nliveness "log"\ndepends-on "B!"\nwanted "yes"\nhost "a b"\nmcp path="x"\nlimits { open-files 1 }\ntags ""\nwhen { os "windows" }\nbackend "pm2"\nport-flag ""\n',
      },
      [
        "servers.d/a.kdl:1:9: cannot use 5 for command: write the program to run",
        "servers.d/a.kdl:2:6: cannot use 99999 for port: write a whole number from 1 to 65535",
        'servers.d/a.kdl:3:6: cannot use 1 for args[0]: write text in quotes, such as "8080"',
        'servers.d/a.kdl:3:8: cannot use true for args[1]: write text in quotes, such as "8080"',
        'servers.d/a.kdl:3:14: cannot use nothing for args[2]: write text in quotes, such as "8080"',
        'servers.d/a.kdl:4:7: cannot use 22 for umask: write octal digits in quotes, such as "022"',
        "servers.d/a.kdl:5:9: cannot use 1.1 for env.A: write text in quotes, so that it stays as it is written",
        "servers.d/a.kdl:5:17: cannot use true for env.B: write text in quotes, so that it stays as it is written",
        'servers.d/a.kdl:6:18: cannot use "sometimes" for restart.policy: write "on-failure", "always" or "never"',
        'servers.d/a.kdl:6:47: cannot use 5 for restart.backoff-initial: write a duration such as "250ms", "2s" or "1m30s"',
        "servers.d/a.kdl:6:73: cannot use 1.5 for restart.max-retries-per-minute: write a whole number from 0 to 1000",
        "servers.d/a.kdl:6:97: cannot use 256 for restart.success-exit-codes[0]: write a whole number from 0 to 255",
        'servers.d/a.kdl:6:101: cannot use "x" for restart.success-exit-codes[1]: write a whole number from 0 to 255',
        'servers.d/a.kdl:7:15: cannot use "SIGKILL" for stop.signal: write "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1" or "SIGUSR2"',
        'servers.d/a.kdl:7:32: cannot use "1m 3w" for stop.grace: write a duration such as "250ms", "2s" or "1m30s"',
        'servers.d/a.kdl:8:17: cannot use "10MB" for logs.max-size: write a size such as "64KiB" or "10MiB"',
        'servers.d/a.kdl:9:11: cannot use "udp" for readiness.type: write "mcp", "http", "tcp", "command", "log" or "none"',
        'servers.d/a.kdl:10:10: cannot use "log" for liveness.type: write "mcp", "http", "tcp", "command" or "none"',
        'servers.d/a.kdl:11:12: cannot use "B!" for depends-on[0]: write a name of a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit',
        'servers.d/a.kdl:12:8: cannot use "yes" for wanted: write "start", "stop" or "ignore"',
        'servers.d/a.kdl:13:6: cannot use "a b" for host: write a host name or address',
        'servers.d/a.kdl:14:10: cannot use "x" for mcp.path: write a path that begins with "/", such as "/mcp"',
        "servers.d/a.kdl:15:21: cannot use 1 for limits.open-files: write a whole number from 16 to 1048576",
        'servers.d/a.kdl:16:6: cannot use "" for tags[0]: write at least one character',
        'servers.d/a.kdl:17:11: cannot use "windows" for when.os: write "linux", "macos" or a list of them',
        'servers.d/a.kdl:18:9: cannot use "pm2" for backend: write "agent", "systemd", "launchd" or "supervisord"',
        'servers.d/a.kdl:19:11: cannot use "" for port-flag: write at least one character',
      ],
    ],
    [
      "no command and no port",
      {
        "servers.d/a.kdl": "",
      },
      [
        "servers.d/a.kdl:1:1: cannot leave out command: write the program to run",
        'servers.d/a.kdl:1:1: cannot leave out port: write a number from 1 to 65535, "auto" (one is chosen and kept) or "none"',
      ],
    ],
    [
      "a port in quotes",
      {
        "servers.d/a.yaml": 'command: x\nport: "8080"\n',
      },
      [
        'servers.d/a.yaml:2:7: cannot use "8080" for port: write a number from 1 to 65535, "auto" (one is chosen and kept) or "none"',
      ],
    ],
    [
      "actions that come after what is not there, or after themselves",
      {
        "xy.config.yaml":
          "project: p\nactions:\n  a: {command: x, after: [b, buidl]}\n  b: {command: x, after: c}\n  c: {command: x, after: [web:d]}\n  own: {command: x, after: own}\n  build: {command: x}\n",
        "servers.d/web.kdl":
          'command "x"\nport "none"\naction "d" { command "x"; after "b" "e"; }\naction "e" { command "x"; after "build" "web:build" "api:x"; }\naction "f" { command "x"; after "g"; }\naction "g" { command "x"; stop-signal "SIGKILL"; }\n',
      },
      [
        'servers.d/web.kdl:4:41: cannot come after "web:build": no such action; write NAME or SERVER:NAME of a declared action',
        'servers.d/web.kdl:4:53: cannot come after "api:x": no such action; write NAME or SERVER:NAME of a declared action',
        'servers.d/web.kdl:6:39: cannot use "SIGKILL" for actions.g.stop-signal: write "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1" or "SIGUSR2"',
        'xy.config.yaml:3:30: cannot come after "buidl": no such action; did you mean "build"?',
        "xy.config.yaml:5:27: cannot run actions that wait for each other: c -> web:d -> b -> c; remove one of these",
        "xy.config.yaml:6:28: cannot run actions that wait for each other: own -> own; remove one of these",
      ],
    ],
    [
      "a preference for a port that is not chosen",
      {
        "servers.d/a.kdl": 'command "x"\nport 8421 prefer=8765\n',
        "servers.d/b.kdl": 'command "x"\nport "none" prefer=8765\n',
        "servers.d/c.kdl": 'command "x"\nport "auto" prefer=0\n',
        "servers.d/d.kdl": 'command "x"\nport "auto" prefered=8765\n',
        "servers.d/e.yaml": "command: x\nport: {prefer: 8765}\n",
        "servers.d/f.yaml": "command: x\nport: {auto: false, prefer: 8765}\n",
        "servers.d/g.yaml": "command: x\nport: {auto: true, prefer: auto}\n",
      },
      [
        `servers.d/a.kdl:2:6: cannot use 8421 for port.auto: ${PREFER}`,
        `servers.d/b.kdl:2:6: cannot use "none" for port.auto: ${PREFER}`,
        "servers.d/c.kdl:2:20: cannot use 0 for port.prefer: write a whole number from 1 to 65535",
        'servers.d/d.kdl:2:13: cannot use unknown key "port.prefered": did you mean "prefer"?',
        `servers.d/e.yaml:2:1: cannot leave out port.auto: ${PREFER}`,
        `servers.d/f.yaml:2:14: cannot use false for port.auto: ${PREFER}`,
        'servers.d/g.yaml:2:28: cannot use "auto" for port.prefer: write a whole number from 1 to 65535',
      ],
    ],
    [
      "probes that do not fit together",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nreadiness "log"\nliveness "none" interval="1s"\n',
      },
      [
        "servers.d/a.kdl:2:11: cannot leave out readiness.pattern: write a regular expression in quotes",
        "servers.d/a.kdl:3:10: cannot use interval in liveness: it does not fit the other settings there; remove it",
      ],
    ],
    [
      "settings of whose listener counts, where none can",
      {
        "servers.d/a.kdl":
          'command "x"; port 1\nreadiness { owner "me"; }\nliveness "command" command="x" owner="any"\n',
        "servers.d/b.kdl":
          'command "x"; port "none"\nreadiness { owner "any"; }\nliveness "none" owner="any"\n',
      },
      [
        'servers.d/a.kdl:2:19: cannot use "me" for readiness.owner: write "own" or "any"',
        "servers.d/a.kdl:3:10: cannot use owner in liveness: it does not fit the other settings there; remove it",
        "servers.d/b.kdl:2:1: cannot use these settings for readiness: without a port there is no check; set its type, or remove them",
        "servers.d/b.kdl:3:10: cannot use owner in liveness: it does not fit the other settings there; remove it",
      ],
    ],
    [
      "a pattern that is none",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nreadiness "log" pattern="("\n',
      },
      ["servers.d/a.kdl:2:25: cannot use this pattern: missing closing ): `(`; correct it"],
    ],
    [
      "a duration too long for a timer",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\nstop grace="25d" descendants="some"\n',
      },
      [
        'servers.d/a.kdl:2:12: cannot use "25d" for stop.grace: write at most "24d"',
        'servers.d/a.kdl:2:30: cannot use "some" for stop.descendants: write "own" or "all"',
      ],
    ],
    [
      "settings of a server over stdin and stdout for one that speaks HTTP",
      {
        "servers.d/a.yaml":
          "command: x\nport: 1\nmcp: { share: all, max-children: 3, token: { secret: { env: T } } }\n",
      },
      [
        'servers.d/a.yaml:3:15: cannot use share for a server that speaks HTTP: set transport to "stdio" beside it, or remove it',
        'servers.d/a.yaml:3:34: cannot use max-children for a server that speaks HTTP: set transport to "stdio" beside it, or remove it',
        'servers.d/a.yaml:3:44: cannot use token for a server that speaks HTTP: set transport to "stdio" beside it, or remove it',
      ],
    ],
    [
      "a server over stdin and stdout that no bridge can serve",
      {
        "servers.d/a.yaml":
          "command: x\nport: 1\nhost: 0.0.0.0\nport-flag: --port\nmcp: { transport: stdio, path: /a b, capabilities: [sampling] }\nenv: { XY_BRIDGE_TOKEN: x }\n",
        "servers.d/b.yaml": "command: x\nport: none\nmcp: { transport: stdio }\n",
      },
      [
        "servers.d/a.yaml:3:7: cannot serve 0.0.0.0 to everybody who reaches it: set token in mcp to a reference to a secret, or use a host such as 127.0.0.1",
        "servers.d/a.yaml:4:12: cannot use port-flag for a server that speaks over stdin and stdout: xy's bridge listens on the port; remove it",
        'servers.d/a.yaml:5:32: cannot serve at "/a b": leave out spaces, ? and #',
        'servers.d/a.yaml:5:52: cannot use capabilities where each client has a process of its own, which is told what that client can do: set share to "all" beside it, or remove it',
        "servers.d/a.yaml:6:25: cannot set XY_BRIDGE_TOKEN in env: xy's bridge takes its token under that name; write the reference to it as token in mcp",
        'servers.d/b.yaml:3:6: cannot use mcp without a port: set port to a number or "auto", or remove it',
      ],
    ],
    [
      "settings of the wrong form for a server over stdin and stdout",
      {
        "servers.d/a.yaml":
          'command: x\nport: 1\nmcp:\n  transport: sse\n  share: some\n  start: late\n  idle-stop: 5\n  max-sessions: 0\n  max-children: "3"\n  capabilities: [roots]\n  allow-hosts: ["a:1/"]\n  allow-origins: [app.example]\n  token: abc\n',
      },
      [
        'servers.d/a.yaml:4:14: cannot use "sse" for mcp.transport: write "http" or "stdio"',
        'servers.d/a.yaml:5:10: cannot use "some" for mcp.share: write "session" or "all"',
        'servers.d/a.yaml:6:10: cannot use "late" for mcp.start: write "eager" or "on-demand"',
        'servers.d/a.yaml:7:14: cannot use 5 for mcp.idle-stop: write a duration such as "250ms", "2s" or "1m30s"',
        "servers.d/a.yaml:8:17: cannot use 0 for mcp.max-sessions: write a whole number from 1 to 100000",
        'servers.d/a.yaml:9:17: cannot use "3" for mcp.max-children: write a whole number from 1 to 10000',
        'servers.d/a.yaml:10:18: cannot use "roots" for mcp.capabilities[0]: leave out roots: those of one client would count for all',
        'servers.d/a.yaml:11:17: cannot use "a:1/" for mcp.allow-hosts[0]: write a host name or address, without a port',
        'servers.d/a.yaml:12:19: cannot use "app.example" for mcp.allow-origins[0]: write an origin such as "https://app.example"',
        'servers.d/a.yaml:13:10: cannot use "abc" for mcp.token: write a reference to a secret, such as a file that holds it',
      ],
    ],
    [
      "settings without a port",
      {
        "servers.d/a.yaml":
          "command: x\nport: none\nmcp: true\nport-flag: --port\nreadiness: tcp\nliveness: {type: tcp}\n",
      },
      [
        'servers.d/a.yaml:3:6: cannot use mcp without a port: set port to a number or "auto", or remove it',
        'servers.d/a.yaml:4:12: cannot use a port flag without a port: set port to a number or "auto", or remove it',
        'servers.d/a.yaml:5:12: cannot use a tcp probe for readiness without a port: set port to a number or "auto", or remove it',
        'servers.d/a.yaml:6:11: cannot use a tcp probe for liveness without a port: set port to a number or "auto", or remove it',
      ],
    ],
    [
      "a first wait longer than the longest",
      {
        "servers.d/a.yaml": "command: x\nport: none\nrestart: {backoff-initial: 1m}\n",
      },
      [
        "servers.d/a.yaml:3:28: cannot use restart.backoff-initial 1m: it is longer than backoff-max 30s; shorten this one, or lengthen the other",
      ],
    ],
    [
      "names of variables",
      {
        "servers.d/a.yaml": 'command: x\nport: none\nenv: {PWD: x, 1A: x, "A-B": x, "": x}\n',
      },
      [
        "servers.d/a.yaml:3:12: cannot set PWD in env: the shell that starts the program uses that name; use another one",
        'servers.d/a.yaml:3:15: cannot use the name "1A": write a name of letters, digits and _ that does not begin with a digit',
        'servers.d/a.yaml:3:22: cannot use the name "A-B": write a name of letters, digits and _ that does not begin with a digit',
        'servers.d/a.yaml:3:32: cannot use the name "": write a name of letters, digits and _ that does not begin with a digit',
      ],
    ],
    [
      "templates that cannot be filled in",
      {
        "servers.d/a.yaml":
          'command: x\nport: none\nargs: ["{port}", "{env.NO}", "{env.S}", "{{env.NO}}", "{env.HOME}", "{x}"]\nenv:\n  A: "{env.B}"\n  B: "x{env.A}"\n  S: {secret: {env: X}}\n  T: "Bearer {env.S}"\n  P: "{env.P}"\n',
      },
      [
        "servers.d/a.yaml:3:8: cannot fill in {port}: the server has no port; give it one, or write {{port}} for the literal text",
        "servers.d/a.yaml:3:18: cannot fill in {env.NO}: env does not set NO; set it there, or write {{env.NO}} for the literal text",
        "servers.d/a.yaml:3:30: cannot fill in the secret {env.S}: it would show in the process list; let the program read S from its environment",
        "servers.d/a.yaml:6:6: cannot fill in {env.A}: the values refer to each other (A -> B -> A); write one of them out",
        "servers.d/a.yaml:8:6: cannot fill in the secret {env.S}: it would be kept in plain text; make T a secret too, such as a command that prints the whole value",
        "servers.d/a.yaml:9:6: cannot fill in {env.P}: the values refer to each other (P -> P); write one of them out",
      ],
    ],
    [
      "waiting for the end of what never ends, in every format",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\ndepends-on "loop" condition="completed"',
        "servers.d/b.yaml":
          "command: x\nport: none\ndepends-on:\n  - server: loop\n    condition: completed\n  - once\n",
        "servers.d/c.json":
          '{"command":"x","port":"none",\n"dependsOn":[{"server":"once","condition":"completed"},{"server":"loop","condition":"started"}]}',
        "servers.d/once.kdl": 'command "x"; port "none"\n',
        "xy.config.ts":
          'export default { defaults: { restart: { backoffInitial: "2s" } }, servers: { loop: { command: "x", port: "none", restart: { policy: "always" } }, d: { command: "x", port: "none", dependsOn: [{ server: "loop", condition: "completed" }] } } }',
      },
      [
        'servers.d/a.kdl:2:12: cannot wait until loop has completed: its restart policy is "always", so it never does; use the policy "on-failure", or wait until it is "ready"',
        'servers.d/b.yaml:4:5: cannot wait until loop has completed: its restart policy is "always", so it never does; use the policy "on-failure", or wait until it is "ready"',
        'xy.config.ts: servers.d.dependsOn[0]: cannot wait until loop has completed: its restart policy is "always", so it never does; use the policy "on-failure", or wait until it is "ready"',
      ],
    ],
    [
      "a cycle, and what is not there",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\ndepends-on "b"',
        "servers.d/b.kdl": 'command "x"; port "none"\ndepends-on "c"',
        "servers.d/c.kdl": 'command "x"; port "none"\ndepends-on "a" "d" "d"',
        "servers.d/d.kdl": 'command "x"; port "none"\ndepends-on "d" "databse" "e" "zzz"',
        "servers.d/database.kdl": 'command "x"; port "none"\n',
        "servers.d/e.kdl": 'command "x"; port "none"\nwhen { os "macos"; }',
      },
      [
        "servers.d/c.kdl:2:12: cannot start servers that wait for each other: a -> b -> c -> a; remove one of these dependencies",
        "servers.d/c.kdl:2:20: cannot depend on d twice: keep one of them",
        "servers.d/d.kdl:2:12: cannot start servers that wait for each other: d -> d; remove one of these dependencies",
        'servers.d/d.kdl:2:16: cannot depend on "databse": no such server; did you mean "database"?',
        'servers.d/d.kdl:2:26: cannot depend on e: its "when" does not match this machine; give d the same "when"',
        'servers.d/d.kdl:2:30: cannot depend on "zzz": no such server; declare it, or remove it here',
      ],
    ],
    [
      "two servers on one port",
      {
        "servers.d/a.kdl": 'command "x"\nport 8421\n',
        "xy.config.yaml": "servers:\n  b:\n    command: x\n    port: 8421\n",
      },
      [
        'xy.config.yaml:4:11: cannot give port 8421 to b: a already uses it (servers.d/a.kdl:2:6); choose another, or "auto"',
      ],
    ],
    [
      "the same server three times",
      {
        "xy.config.yaml": "servers:\n  a:\n    command: x\n    port: none\n",
        "servers.d/a.kdl": 'command "x"; port "none"\n',
        "servers.d/a.json": '{"command": "x", "port": "none", "tags": []}',
      },
      [
        "servers.d/a.json:1:1: cannot declare the server a twice: it is already declared at xy.config.yaml:2:3; keep one of them",
        "servers.d/a.kdl:1:1: cannot declare the server a twice: it is already declared at xy.config.yaml:2:3; keep one of them",
      ],
    ],
    [
      "names of files",
      {
        "servers.d/A.kdl": 'command "x"; port "none"\n',
        "servers.d/a b.kdl": 'command "x"; port "none"\n',
        "servers.d/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.kdl":
          'command "x"; port "none"\n',
        "servers.d/a\nb.yaml": "command: x\nport: none\n",
      },
      [
        'servers.d/A.kdl: cannot use "A" as the name of a server: it takes a-z, 0-9, "-" and "_", at most 63 characters, and begins with a letter or digit; rename the file',
        'servers.d/a\\nb.yaml: cannot use "a\\nb" as the name of a server: it takes a-z, 0-9, "-" and "_", at most 63 characters, and begins with a letter or digit; rename the file',
        'servers.d/a b.kdl: cannot use "a b" as the name of a server: it takes a-z, 0-9, "-" and "_", at most 63 characters, and begins with a letter or digit; rename the file',
        'servers.d/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.kdl: cannot use "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…" as the name of a server: it takes a-z, 0-9, "-" and "_", at most 63 characters, and begins with a letter or digit; rename the file',
      ],
    ],
    [
      "names in a file",
      {
        "xy.config.yaml":
          'servers:\n  "a/b": &x {command: x, port: none}\n  "..": *x\n  "a\\0b": *x\n  "a\\nb": *x\n  "": *x\n  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": *x\n  __proto__: *x\n',
      },
      [
        'xy.config.yaml:2:3: cannot use the name "a/b": write a name of a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit',
        'xy.config.yaml:3:3: cannot use the name "..": write a name of a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit',
        'xy.config.yaml:4:3: cannot use the name "a\\u0000b": write a name of a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit',
        'xy.config.yaml:5:3: cannot use the name "a\\nb": write a name of a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit',
        'xy.config.yaml:6:3: cannot use the name "": write a name of a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit',
        'xy.config.yaml:7:3: cannot use the name "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…": write a name of a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit',
        'xy.config.yaml:8:14: cannot use the name "__proto__" in servers.__proto__: remove it',
      ],
    ],
    [
      "the name of the project",
      {
        "xy.config.kdl": 'project "My Project"\n',
      },
      [
        'xy.config.kdl:1:9: cannot use "My Project" for project: write a name of a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit',
      ],
    ],
    [
      "defaults, once for all servers",
      {
        "xy.config.kdl":
          'defaults {\n  port "any"\n  env { A 1; B "{env.NO}" }\n}\nserver "a" { command "x"; port "none"; }\nserver "b" { command "x"; port "none"; }\n',
      },
      [
        'xy.config.kdl:2:8: cannot use "any" for defaults.port: write a number from 1 to 65535, "auto" (one is chosen and kept) or "none"',
        "xy.config.kdl:3:11: cannot use 1 for defaults.env.A: write text in quotes, so that it stays as it is written",
        "xy.config.kdl:3:16: cannot fill in {env.NO}: env does not set NO; set it there, or write {{env.NO}} for the literal text",
      ],
    ],
    [
      "one bad file among good ones",
      {
        "servers.d/a.kdl": 'command "x"; port "none"\n',
        "servers.d/b.kdl": 'command "x',
        "servers.d/c.yaml": "command: x\nport: none\n",
        "servers.d/d.yaml": "command: x\nport: none\ndepends-on: [b]\n",
      },
      ["servers.d/b.kdl:1:9: cannot find the end of the string that begins here: add the closing quote"],
    ],
    [
      "every file at once",
      {
        "servers.d/a.kdl": 'command "x',
        "servers.d/b.yaml": "a: [",
        "servers.d/c.json": "{",
        "servers.d/d.kdl": 'command "x"; port "none"\nx 1\n',
        "xy.config.ts": "export default 5",
      },
      [
        "servers.d/a.kdl:1:9: cannot find the end of the string that begins here: add the closing quote",
        "servers.d/b.yaml:1:5: cannot read this as YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; correct the syntax",
        "servers.d/c.json:1:2: cannot read this as JSON: Expected property name or '}'; correct the syntax",
        'servers.d/d.kdl:2:1: cannot use unknown key "x": write one of action, args, backend, class, command, depends-on, description, env, env-file, host, limits, liveness, logs, mcp, on, port, port-flag, readiness, restart, start-timeout, stop, tags, umask, wanted, when, working-dir',
        "xy.config.ts: cannot use 5 as a configuration: export an object, or a function that returns one",
      ],
    ],
    [
      "two main files",
      {
        "xy.config.kdl": "",
        "xy.config.yaml": "",
        "servers.d/a.kdl": 'command "x"; port "none"\nx 1\n',
      },
      [
        ".: cannot choose between xy.config.kdl and xy.config.yaml: keep one of them",
        'servers.d/a.kdl:2:1: cannot use unknown key "x": write one of action, args, backend, class, command, depends-on, description, env, env-file, host, limits, liveness, logs, mcp, on, port, port-flag, readiness, restart, start-timeout, stop, tags, umask, wanted, when, working-dir',
      ],
    ],
    [
      "a program in servers.d",
      {
        "servers.d/a.ts": "",
        "servers.d/README.md": "",
        "servers.d/.a.kdl.swp": "",
      },
      [
        "servers.d/a.ts: ignored this file: a server in servers.d is written in KDL, YAML or JSON; TypeScript goes into xy.config.ts",
      ],
    ],
  ])("%s", async (_, files, problems) => {
    expect(await problemsOf(files)).toEqual(problems);
  });
});
