/** JSON as formatters write it (prettier, and biome with spaces), so that a generated file can be committed beside others. */

const WIDTH = 80;

/** Objects on lines of their own, lists on one where they fit. Ends with a line break. */
export function jsonText(value: unknown): string {
  return `${text(value, "", 0, 0)}\n`;
}

/** `before`: characters that stand before it on its line; `after`: those that follow it there. */
function text(value: unknown, indent: string, before: number, after: number): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const line = isFlat(value) ? `[${value.map((one) => flat(one)).join(", ")}]` : undefined;
    if (line !== undefined && before + line.length + after <= WIDTH) return line;
    const parts = value.map((one, i) => text(one, inner, inner.length, i < value.length - 1 ? 1 : 0));
    return `[\n${parts.map((part) => inner + part).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  if (entries.length === 0) return "{}";
  const parts = entries.map(([name, part], i) => {
    const key = `${inner}${JSON.stringify(name)}: `;
    return key + text(part, inner, key.length, i < entries.length - 1 ? 1 : 0);
  });
  return `{\n${parts.join(",\n")}\n${indent}}`;
}

const flat = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(flat).join(", ")}]` : JSON.stringify(value);

/** Without objects that are not empty: those have lines of their own. Lists of lists have too. */
function isFlat(values: readonly unknown[]): boolean {
  if (values.length > 1 && values.every((one) => Array.isArray(one) && one.length > 1)) return false;
  return values.every((one) =>
    Array.isArray(one)
      ? isFlat(one)
      : typeof one !== "object" || one === null || Object.keys(one).length === 0,
  );
}
