/** The line of a file for editors that says which xy wrote it, and how it was then. */

export const EDITOR_TEXTS = ["types", "root yaml", "root json", "server yaml", "server json"] as const;
export type EditorText = (typeof EDITOR_TEXTS)[number];

/** Where they are in a root. */
export const EDITOR_FILES = ["xyctl.d.ts", "xy.schema.json", "xy.server.schema.json"] as const;

export interface Mark {
  /** Of the xy that wrote it. */
  readonly version: string;
  readonly what: EditorText;
  /** Of what it wrote, without the mark. */
  readonly digest: string;
}

/** Characters at the beginning of a file in which its mark is. */
export const MARK_WITHIN = 512;

const MARK = new RegExp(
  String.raw`^(?:// |\{\r?\n  "\$comment": ")Written by xy (\S{1,64}) \((${EDITOR_TEXTS.join("|")}), ([0-9a-f]{16})\) [^\n]*\n`,
);

/** The text with its mark. */
export function marked(text: string, { version, what, digest }: Mark): string {
  const line = `Written by xy ${version} (${what}, ${digest}) for editors. xy does not read it; \`xy init --refresh\` renews it.`;
  return what === "types"
    ? `// ${line}\n${text}`
    : text.replace("{\n", () => `{\n  "$comment": ${JSON.stringify(line)},\n`);
}

/** The mark of a text, or of its beginning. */
export function markOf(text: string): Mark | undefined {
  const [, version, what, digest] = MARK.exec(text) ?? [];
  if (version === undefined || digest === undefined) return undefined;
  return { version, what: what as EditorText, digest };
}

/** The text as it was before it was marked. */
export const unmarked = (text: string): string =>
  text.replace(MARK, (line) => (line.startsWith("{") ? "{\n" : ""));

/** How the files of versions began that did not mark them. */
const BEFORE_MARKS = {
  "xyctl.d.ts": /^\/\/ Written by "xy init" for editors and tsc\./,
  "xy.schema.json": /^\{\r?\n {2}"\$schema": "[^"\n]+",\r?\n {2}"type": "object",\r?\n {2}"properties": \{/,
  "xy.server.schema.json":
    /^\{\r?\n {2}"\$schema": "[^"\n]+",\r?\n {2}"type": "object",\r?\n {2}"properties": \{/,
} as const satisfies Record<(typeof EDITOR_FILES)[number], RegExp>;

export const isFromBeforeMarks = (name: (typeof EDITOR_FILES)[number], text: string): boolean =>
  BEFORE_MARKS[name].test(text);

/** Whether one version, as semver writes it, comes after another. What follows a hyphen is not looked at. */
export function isLater(version: string, than: string): boolean {
  const parts = (text: string) => (/^\d+\.\d+\.\d+/.exec(text)?.[0] ?? "0.0.0").split(".").map(Number);
  const [a, b] = [parts(version), parts(than)];
  const at = a.findIndex((part, i) => part !== b[i]);
  return at !== -1 && (a[at] ?? 0) > (b[at] ?? 0);
}
