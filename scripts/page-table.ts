/** A page that is written by hand, but for a part between two marks. */
export function between(page: string, name: string, table: string, path: string): string {
  const [begin, end] = [`<!-- generated: ${name} -->\n`, `<!-- end: ${name} -->`];
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`cannot write the table "${name}" into ${path}: its two marks are not there`);
  return `${before}${begin}\n${table}\n\n${end}${after}`;
}

export const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
export const head = (cells: readonly string[]) => [row(cells), row(cells.map(() => "---"))];
