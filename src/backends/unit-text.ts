import { readFileSync } from "node:fs";
import { templatePath } from "../system/package.ts";

/** Texts for service managers: templates, and how values are escaped in them. */

/**
 * A token of `ExecStart=` or `Environment=`. Unknown escapes would be kept with a warning, so there are no others.
 * `$` needs none: it is literal in `Environment=`, and in an `ExecStart=` that begins with `:`.
 */
export function systemdToken(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    "%": "%%",
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\t": "\\t",
  };
  const code = (char: string) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a carriage return, for one, would end the line.
  return `"${text.replace(/[%\\"\u0001-\u001f\u007f]/g, (char) => escapes[char] ?? code(char))}"`;
}

/** The rest of a line, as in `StandardOutput=append:`. Throws on what a line cannot contain. */
export function systemdRest(text: string): string {
  if (/[\n\r]|^\s|\s$|\\$/.test(text))
    throw new Error(`cannot write ${JSON.stringify(text)} in a unit: choose a path without such characters`);
  return text.replaceAll("%", "%%");
}

/** Text of an XML element. Throws on what XML 1.0 cannot contain. */
export function xmlText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u.test(text))
    throw new Error(`cannot write ${JSON.stringify(text)} in a property list: it has control characters`);
  const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;" };
  return text.replace(/[&<>\r]/g, (char) => escapes[char] as string);
}

/** Expands to nothing, and separates what supervisord would otherwise join. */
const NOTHING = "%(program_name).0s";

/**
 * A value of a supervisord section. Its lines lose the spaces around them, `;` and `#` begin a comment even in quotes,
 * and `%(here)s` is looked for before `%%` is: all of that is prevented by what expands to nothing.
 */
export function supervisordValue(text: string): string {
  const written = text
    .replaceAll("%", "%%")
    .replaceAll("%(", `%${NOTHING}(`)
    .replace(/[;#]/g, `${NOTHING}$&`)
    .replaceAll("\n", `${NOTHING}\n ${NOTHING}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Python takes these for spaces.
  return /^[\s\u001c-\u001f\u0085]|[\s\u001c-\u001f\u0085]$/.test(text)
    ? `${NOTHING}${written}${NOTHING}`
    : written;
}

/** A path in `stdout_logfile=` or `stderr_logfile=`, which are expanded twice. */
function supervisordLogfile(path: string): string {
  return supervisordValue(path.replaceAll("%", "%%"));
}

/** A word of `command=`, which is split as a shell does. */
export function supervisordToken(text: string): string {
  return supervisordValue(`"${text.replace(/[\\"]/g, "\\$&")}"`);
}

type Template = (values: object) => string;

/** Templates that were compiled: each is filled in twice for every server, and to compile it takes the most time. */
const compiled = new Map<string, Template>();

/** Fills in a template of the package. A missing value is an error. */
export async function renderTemplate(name: string, values: object): Promise<string> {
  const template = compiled.get(name) ?? (await compile(name));
  compiled.set(name, template);
  return template(values);
}

async function compile(name: string): Promise<Template> {
  const { default: handlebars } = await import("handlebars");
  const own = handlebars.create();
  const safe = (write: (text: string) => string) => (text: string) => new own.SafeString(write(text));
  own.registerHelper({
    token: safe(systemdToken),
    rest: safe(systemdRest),
    xml: safe(xmlText),
    value: safe(supervisordValue),
    logfile: safe(supervisordLogfile),
    word: safe(supervisordToken),
    assignment: (key: string, value: string) => new own.SafeString(systemdToken(`${key}=${value}`)),
  });
  return own.compile(readFileSync(templatePath(name), "utf8"), { strict: true });
}
