import { formatPath, type KeyStyle } from "../place.ts";

/**
 * Words of other tools for what a server has here: compose, process-compose, pm2, supervisord, systemd, launchd, and the
 * files of MCP clients. In lower case, without `-` and `_`.
 */
const WORDS = byWord([
  ["command", "script cmd exec execstart executable program programarguments binary entrypoint run start"],
  ["args", "arguments argv params parameters commandargs programargs nodeargs interpreterargs"],
  ["env", "environment environmentvariables environ envs envvars vars variables"],
  ["envFile", "dotenv environmentfile envfiles envfilepath"],
  ["workingDir", "cwd directory workingdirectory workdir chdir dir folder rootdir basedir"],
  ["port", "ports expose listen listenport httpport portmapping portmappings url serverurl httpurl uri"],
  ["host", "hostname bind bindaddress address listenaddress"],
  ["mcp", "transport transporttype"],
  ["readiness", "healthcheck health readinessprobe startupprobe waitready ready probe"],
  ["liveness", "livenessprobe watchdog watchdogsec"],
  ["startTimeout", "listentimeout timeoutstartsec timeoutstart startuptimeout timeout"],
  ["dependsOn", "dependencies depends requires needs links wants waitfor"],
  ["wanted", "disabled disable enabled enable autostart runatload active"],
  ["restart.policy", "autorestart restartpolicy keepalive respawn"],
  ["restart.backoffInitial", "restartdelay restartsec backoff backoffseconds expbackoffrestartdelay"],
  ["restart.maxRetriesPerMinute", "maxrestarts startretries maxretries retries startlimitburst"],
  ["restart.resetAfter", "minuptime startsecs"],
  ["restart.successExitCodes", "exitcodes stopexitcodes successexitstatus successexitcodes"],
  ["stop.grace", "killtimeout stopwaitsecs stopgraceperiod stoptimeout timeoutstopsec exittimeout shutdown"],
  ["stop.signal", "stopsignal killsignal"],
  ["logs", "logging logfile logpath loglocation outfile errorfile stdoutlogfile stderrlogfile output"],
  ["limits.openFiles", "ulimits ulimit limitnofile nofile maxopenfiles"],
  ["tags", "labels namespace group groups"],
  ["description", "comment comments note notes title summary"],
  ["when", "platform platforms os onlyon machines hosts"],
  ["actions", "tasks jobs commands scripts"],
  ["backend", "manager supervisor driver"],
  // Inside of blocks.
  ["policy", "condition when"],
  ["backoffInitial", "delay initial min"],
  ["backoffMax", "max maxdelay"],
  ["maxRetriesPerMinute", "maxattempts maxretries maxrestarts retries attempts"],
  ["resetAfter", "window"],
  ["grace", "timeout killtimeout delay"],
  ["command", "test"],
  ["startPeriod", "initialdelay initialdelayseconds delay"],
  ["interval", "period periodseconds every"],
  ["timeout", "timeoutseconds"],
  ["failureThreshold", "retries"],
  ["keep", "maxfile maxfiles backups maxbackups stdoutlogfilebackups"],
  ["maxSize", "maxbytes size"],
]);

/** Words for settings of a root, where no server setting is meant. */
const ROOT_WORDS = byWord([
  ["servers", "services apps applications processes programs mcpservers contextservers daemons"],
  ["project", "name namespace id"],
  ["defaults", "common shared base template defaultsettings"],
  ["path", "paths"],
  ["actions", "tasks jobs commands scripts"],
]);

/** Other tools' words that have no setting here. */
const NOTES = byWord([
  [
    "xy runs programs, not containers; set command to the program (docker itself, for example)",
    "image build container containername dockerfile pullpolicy",
  ],
  ["xy mounts no folders; a program sees those of its account", "volumes volume mounts"],
  ["servers use this machine's network; remove it", "networks networkmode"],
  ["a server runs as the account that applies it; remove it", "user uid username group gid"],
  ["a server is one process; declare a server for each", "instances numprocs replicas execmode deploy scale"],
  ["the server is named by its file, or by its key in servers; remove it", "name id processname"],
  ["the setting mcp says that a server speaks MCP; remove it", "type"],
  ["xy does not restart servers when files change; remove it", "watch watchdelay ignorewatch"],
  ["client settings belong in the client's own file; remove it", "headers autoapprove alwaysallow trust"],
  ["put the interpreter into command, and the script before the other args", "interpreter shell"],
  ["write it in an action, as its schedule", "cron cronrestart schedule startcalendarinterval startinterval"],
]);

/** What each word may mean, by the word. */
function byWord(table: readonly (readonly [meaning: string, words: string])[]) {
  const found = new Map<string, string[]>();
  for (const [meaning, words] of table)
    for (const word of words.split(" ")) found.set(word, [...(found.get(word) ?? []), meaning]);
  return found as ReadonlyMap<string, readonly string[]>;
}

/** What a word means: the end of a message, and the key of the schema if that key is allowed there. */
export interface Hint {
  readonly message: string;
  readonly meant?: string;
}

/**
 * What another tool's word means here; undefined for words that no other tool has. `known`: allowed keys, as spelled in
 * the file → key in the schema.
 */
export function foreignHint(
  written: string,
  known: ReadonlyMap<string, string>,
  style: KeyStyle,
): Hint | undefined {
  const word = plain(written);
  const spelling = new Map([...known].map(([spelled, key]) => [key, spelled]));
  const inRoot = spelling.has("servers");
  const fits = (path: string) => spelling.has(path.split(".")[0] ?? "");
  const own = WORDS.get(word) ?? [];
  const path = (inRoot ? (ROOT_WORDS.get(word) ?? []) : []).concat(own).find(fits);
  const meant = path ?? (inRoot && own[0] !== undefined ? `defaults.${own[0]}` : undefined);
  if (meant !== undefined) {
    const [head = "", ...rest] = meant.split(".");
    const spelled = [spelling.get(head), ...rest.map((key) => formatPath([key], style))].join(".");
    return { message: `did you mean "${spelled}"?`, ...(rest.length === 0 && { meant: head }) };
  }
  // A block inside of a server has its own words: those for a whole server say nothing there.
  const isWhole = inRoot || (spelling.has("command") && spelling.has("port"));
  const note = isWhole ? NOTES.get(word)?.[0] : undefined;
  return note === undefined ? undefined : { message: note };
}

/** The policy that other tools' word for restarting means, for a `restart` that is a word; undefined for others. */
export function policyOf(word: unknown): string | undefined {
  if (word === true) return "always";
  if (word === false) return "never";
  if (typeof word !== "string") return undefined;
  const [first = ""] = word.split(":");
  return POLICIES.get(plain(first))?.[0];
}

const POLICIES = byWord([
  ["always", "always unlessstopped true yes any"],
  ["never", "never no none false"],
  ["on-failure", "onfailure unexpected onabnormal onabort exitonfailure"],
]);

const plain = (word: string) => word.toLowerCase().replace(/[-_]/g, "");
