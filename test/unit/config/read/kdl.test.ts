import { describe, expect, it } from "vitest";
import { type KdlNode, parseKdl } from "../../../../src/config/read/kdl-parser.ts";
import { problemsOf } from "../rig.ts";

type Shown = readonly [name: string, ...parts: unknown[]];
const shown = ({ name, arguments: values, entries }: KdlNode): Shown => [
  name,
  ...values.map(({ value }) => value),
  ...entries.map(shown),
];

/** A text as its nodes: name, values, and what is in them. */
async function nodesOf(text: string): Promise<readonly Shown[]> {
  const { nodes, problems } = await parseKdl(text);
  expect(problems).toEqual([]);
  return nodes.map(shown);
}

describe("KDL 2 wants no white space", () => {
  it.each<[text: string, nodes: Shown[]]>([
    ['args "1"/-"2"', [["args", "1"]]],
    ['args "1"/-"2"/-"3" "4"', [["args", "1", "4"]]],
    ["args 1/-2 /-#true/-(env)x", [["args", 1]]],
    ['args #"a"#/-#"b"#', [["args", "a"]]],
    ["a b/-c", [["a", "b"]]],
    ['a/-"x"', [["a"]]],
    ["a b=1/-c=2", [["a", ["b", 1]]]],
    ["a/-b=1 c=2", [["a", ["c", 2]]]],
    ['a "1"/-{ b; }', [["a", "1"]]],
    ["a/-{}{ c; }", [["a", ["c"]]]],
    ["a { b; }/-{ c; }", [["a", ["b"]]]],
    ['a """\n  x\n  """/-"y"', [["a", "x"]]],
    ["a x/* c *//-y", [["a", "x"]]],
    ["a{b}", [["a", ["b"]]]],
    ["a{b{c x}}\nd", [["a", ["b", ["c", "x"]]], ["d"]]],
    ['a "x"{b}', [["a", "x", ["b"]]]],
    ["(t)a{b}", [["a", ["b"]]]],
    ["/-a{b}\nc{/-d{e};f}", [["c", ["f"]]]],
  ])("%s", async (text, nodes) => {
    expect(await nodesOf(text)).toEqual(nodes);
  });

  it("where it is a server", async () => {
    const text =
      'command "sh"; port "none"\nargs "-c"/-"old" "exec sleep 9"\nrestart{policy "always"}\nstop/-{grace "1s"}';
    expect(await problemsOf({ "servers.d/a.kdl": text })).toEqual([]);
  });

  it("but behind a block, or between values", async () => {
    const after =
      'cannot read "c" directly after the previous value: put a space between them, or quote the whole';
    expect((await parseKdl("a{b}c d")).problems).toEqual([{ line: 1, column: 5, message: after }]);
    expect((await parseKdl('a "x""y"')).problems).toHaveLength(1);
    expect((await parseKdl("a{b}{c}")).problems).toHaveLength(1);
  });
});

describe("what only KDL 1 has", () => {
  const RAW = 'cannot read r"…", as KDL 1 writes raw texts: in KDL 2 write #"…"#';
  const bare = (word: string) =>
    `cannot use the bare word ${word}: write #${word}, or "${word}" for a string`;

  it("is told by name, wherever it stands", async () => {
    const text = [
      'command r"C:\\x"',
      'args "a" r#"b "c" "#',
      'description r##"d"##',
      "mcp true",
      "env { A null; }",
      "logs keep=true",
      'stop grace=r"1s"',
      'tags "r" "x"',
    ];
    const said = await Promise.all(text.map(async (line) => (await parseKdl(line)).problems));
    expect(said.map(([first, ...more]) => [first?.column, first?.message, more.length])).toEqual([
      [9, RAW, 0],
      [10, RAW, 0],
      [13, RAW, 0],
      [5, bare("true"), 0],
      [9, bare("null"), 0],
      [11, bare("true"), 0],
      [12, RAW, 0],
      [undefined, undefined, 0],
    ]);
  });

  it("and each line of it once", async () => {
    expect(
      await problemsOf({ "servers.d/a.kdl": 'command r"sh"\nport "none"\nargs r"a" r"b"\nmcp false\n' }),
    ).toEqual([
      `servers.d/a.kdl:1:9: ${RAW}`,
      `servers.d/a.kdl:3:6: ${RAW}`,
      `servers.d/a.kdl:4:5: ${bare("false")}`,
    ]);
  });
});
