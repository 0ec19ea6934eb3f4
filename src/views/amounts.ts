/** Amounts for people. */

export const percent = (value: number) => `${value.toFixed(1)}%`;

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** 12_900_000 → `12.3MiB`. */
export function bytes(value: number): string {
  let [rest, unit] = [value, 0];
  while (rest >= 1024 && unit < UNITS.length - 1) [rest, unit] = [rest / 1024, unit + 1];
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : rest.toFixed(1)}${UNITS[unit]}`;
}
