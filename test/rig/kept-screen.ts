import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { SHOWN_HOME, settled } from "./masks.ts";
import { styleOfSvg, svgOf, textOfSvg } from "./screen-svg.ts";
import { rowsOf } from "./terminal-rows.ts";

const FOLDER = join(import.meta.dirname, "../../docs/screens");
/** Whether `npm run screens` asks: what is kept is then renewed where it differs. */
export const RENEWS = process.env.XY_SCREENS === "renew";

/** A command that somebody typed, and all that a terminal got to show meanwhile. */
export interface Typed {
  readonly command: string;
  readonly output: string;
}

interface Screen {
  readonly name: string;
  readonly description: string;
  readonly columns: number;
  /** Shown as a home that somebody could have. */
  readonly home: string;
  readonly typed: readonly Typed[];
}

/**
 * Expects that docs/screens/NAME.svg shows what the terminal shows, but for what {@link settled} masks; how it is drawn
 * is compared too. The colours of words are not: some come with time.
 */
export async function expectScreen({ name, description, columns, home, typed }: Screen): Promise<void> {
  const file = join(FOLDER, `${name}.svg`);
  const output = typed.map((one) => `\x1b[2m$\x1b[22m \x1b[1m${one.command}\x1b[22m\r\n${one.output}`);
  const pictured = output.join("\r\n").replaceAll(home, SHOWN_HOME);
  const svg = svgOf({
    title: typed.map(({ command }) => command).join(", "),
    description,
    columns,
    rows: await rowsOf(pictured, columns),
  });
  const kept = readIfThere(file);
  const [was, is] = [kept, svg].map((one) => ({ text: settled(textOfSvg(one)), style: styleOfSvg(one) }));
  if (RENEWS && JSON.stringify(was) !== JSON.stringify(is)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, svg);
    console.log(`wrote docs/screens/${name}.svg`);
    return;
  }
  const what = `docs/screens/${name}.svg is not what the terminal shows: npm run screens`;
  expect(is?.text, what).toBe(was?.text);
  expect(is?.style, what).toBe(was?.style);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
