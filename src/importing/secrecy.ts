/** What may be written into a file that is committed, and what may not. */

/** Variables whose values are no secret: how a program runs, not who it is. */
const HARMLESS =
  /^(?:NODE_ENV|NODE_OPTIONS|PORT|HOST|HOSTNAME|BIND|LOG_?LEVEL|LOGLEVEL|DEBUG|VERBOSE|TZ|LANG|LANGUAGE|LC_\w+|TERM|NO_COLOR|FORCE_COLOR|COLORTERM|CI|ENV|ENVIRONMENT|RAILS_ENV|RACK_ENV|FLASK_ENV|APP_ENV|GO_ENV|RUST_LOG|RUST_BACKTRACE|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE|PYTHONPATH|NODE_PATH|PATH|HOME|TMPDIR|SHELL|USER|LOGNAME|EDITOR|PWD|WORKERS|CONCURRENCY|\w+_(?:PORT|HOST|DIR|PATH|FOLDER|LEVEL|ENV|MODE|TIMEOUT|INTERVAL)|XDG_\w+)$/;
/** A name like these holds a secret, whatever else it looks like. */
const TELLING =
  /SECRET|TOKEN|PASS(?:WORD|WD|PHRASE)?|CREDENTIAL|PRIVATE|API_?KEY|AUTH|COOKIE|SESSION|\bKEY\b|_KEY$/i;

/** Beginnings of keys as services give them out. */
const KEY_LIKE =
  /(?:^|[=:\s/])(?:sk-[A-Za-z0-9_-]{8,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|xox[abeoprs]-[\w-]{8,}|glpat-[\w-]{8,}|AKIA[0-9A-Z]{12,}|AIza[\w-]{20,}|ya29\.[\w-]+|eyJ[\w-]{10,}\.[\w-]{10,}|hf_\w{16,}|npm_\w{16,})/;
const IN_URL = /\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:[^\s/@]+@/i;
const IN_QUERY = /[?&](?:[\w-]*(?:token|secret|password|api[_-]?key|access[_-]?key|auth|key|sig))=[^&\s]+/i;
const IN_FLAG =
  /^--?[\w-]*(?:token|secret|password|passwd|api[_-]?key|access[_-]?key|auth|credential|bearer)[\w-]*(?:=(.+))?$/i;
const IN_HEADER =
  /\b(?:[\w-]*(?:authorization|api-?key|cookie)|[\w]+-(?:[\w-]+-)?(?:token|key|secret|auth))\s*[:=]\s*\S+/i;
/** `NAME=value`, as a program such as docker is told what to set. */
const ASSIGNED = /^(?:--?[\w-]+=)?([A-Za-z_]\w*)=(.+)$/s;
/** A reference to a variable, whoever fills it in. */
const IS_REFERENCE = /^(?:["']?\$\{?[\w:]+\}?["']?|%\(ENV_\w+\)s|\{env\.\w+\})$/;

/** Whether the value of a variable may be written into a configuration. */
export function isHarmless(name: string, value: string): boolean {
  if (value === "") return true;
  if (TELLING.test(name) || hasCredential(value)) return false;
  return HARMLESS.test(name);
}

function hasCredential(text: string): boolean {
  return KEY_LIKE.test(text) || IN_URL.test(text) || IN_QUERY.test(text) || IN_HEADER.test(text);
}

/** Positions of arguments that hold a credential, or seem to. */
export function credentialsIn(args: readonly string[]): number[] {
  return args.flatMap((arg, i) => {
    const flag = IN_FLAG.exec(arg);
    const value = flag?.[1];
    if (value !== undefined) return IS_REFERENCE.test(value) ? [] : [i];
    const before = IN_FLAG.exec(args[i - 1] ?? "");
    if (before && before[1] === undefined && !arg.startsWith("-")) return IS_REFERENCE.test(arg) ? [] : [i];
    const [, name = "", said = ""] = ASSIGNED.exec(arg) ?? [];
    if (TELLING.test(name)) return IS_REFERENCE.test(said) ? [] : [i];
    return hasCredential(arg) && !IS_REFERENCE.test(arg) ? [i] : [];
  });
}
