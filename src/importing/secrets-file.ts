const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  $: "\\$",
};

/** A dotenv file with these values, each exactly as it is. */
export function dotenvText(values: ReadonlyMap<string, string>): string {
  return [...values]
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n\r\t$]/g, (char) => ESCAPES[char] ?? char)}"\n`)
    .join("");
}
