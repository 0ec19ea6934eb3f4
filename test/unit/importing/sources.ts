/** Files of other tools as people have them: short, but with the keys that each tool knows. */

export interface Sample {
  readonly file: string;
  readonly text: string;
}

const json = (value: unknown) => JSON.stringify(value, null, 2);
/** A variable, as clients write it. */
const of = (name: string) => `$${"{"}${name}}`;
const sample = (file: string, text: string): Sample => ({ file: `/home/ann/src/app/${file}`, text });

export const CLIENTS: readonly Sample[] = [
  sample(
    "claude_desktop_config.json",
    json({
      mcpServers: {
        filesystem: { command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", "/home/ann"] },
        github: { command: "docker", args: ["run", "-i", "mcp/github"], env: { GITHUB_TOKEN: "ghp_x" } },
      },
      globalShortcut: "Ctrl+Space",
    }),
  ),
  sample(
    ".cursor/mcp.json",
    `{\n  // ours\n  "mcpServers": {\n    "db": { "command": "uvx", "args": ["pg-mcp", "--dsn", "${of("env:DSN")}"], "envFile": "${of("workspaceFolder")}/.env", },\n    "far": { "url": "https://api.example.com/mcp", "headers": { "Authorization": "Bearer x" } },\n  },\n}\n`,
  ),
  sample(
    ".vscode/mcp.json",
    json({
      inputs: [{ id: "key", type: "promptString", password: true }],
      servers: {
        Perplexity: { type: "stdio", command: "npx", args: ["-y", "p"], env: { KEY: of("input:key") } },
        local: { type: "http", url: "http://127.0.0.1:3000/mcp" },
      },
    }),
  ),
  sample(
    "settings.json",
    json({
      theme: "One",
      context_servers: {
        old: { command: { path: "node", args: ["x.js"], env: { A_DIR: "/x" } }, settings: { b: 1 } },
        now: { source: "custom", command: "node", args: ["y.js"], env: {} },
      },
    }),
  ),
  sample(
    "config.toml",
    'model = "o5"\n\n[mcp_servers.docs]\ncommand = "npx"\nargs = ["-y", "docs-mcp"]\nstartup_timeout_sec = 20\nenabled = false\n[mcp_servers.docs.env]\nDOCS_KEY = "abc"\nLOG_LEVEL = "debug"\n\n[mcp_servers.far]\nurl = "https://x.example/mcp"\nbearer_token_env_var = "T"\n',
  ),
  sample(
    "opencode.json",
    json({
      $schema: "https://opencode.ai/config.json",
      mcp: {
        mine: {
          type: "local",
          command: ["bun", "x", "my-mcp"],
          enabled: true,
          environment: { TOKEN: "{env:TOKEN}" },
        },
        far: { type: "remote", url: "https://mcp.example/mcp", enabled: true },
      },
    }),
  ),
  sample(
    "config.yaml",
    "name: mine\nmodels: []\nmcpServers:\n  - name: SQLite MCP\n    command: npx\n    args:\n      - -y\n      - mcp-sqlite\n      - /tmp/a.db\n    env:\n      NODE_ENV: production\n  - name: http\n    type: streamable-http\n    url: http://localhost:8080/mcp\n",
  ),
  sample(
    "goose/config.yaml",
    "GOOSE_MODEL: x\nextensions:\n  github:\n    type: stdio\n    name: GitHub\n    cmd: npx\n    args: [-y, gh-mcp]\n    envs: {GH: abc}\n    env_keys: [OTHER]\n    timeout: 300\n    enabled: true\n    bundled: null\n",
  ),
  sample(
    ".claude.json",
    json({
      numStartups: 12,
      mcpServers: {
        a: { type: "stdio", command: "node", args: ["a.js", "--token=abcdef"], env: { TZ: "UTC" } },
      },
      projects: {
        "/home/ann/p": { allowedTools: [], mcpServers: { b: { command: "./b", args: [], cwd: "/b" } } },
      },
    }),
  ),
  sample(
    "cline_mcp_settings.json",
    json({
      mcpServers: {
        x: { command: "python", args: ["-m", "x"], disabled: true, autoApprove: ["t"], timeout: 60 },
        y: { type: "streamableHttp", url: "http://127.0.0.1:1/mcp", disabled: false },
        z: { command: `${of("HOME")}/bin/z`, args: [of("FOO:-bar"), "{port}"], alwaysAllow: [] },
      },
    }),
  ),
];

export const PM2: readonly Sample[] = [
  sample(
    "ecosystem.config.json",
    json({
      apps: [
        {
          ...{
            name: "api",
            script: "./dist/api.js",
            args: "--verbose 'two words'",
            cwd: "api",
            node_args: "--max-old-space-size=256",
          },
          ...{
            env: { NODE_ENV: "production", PORT: 3000, DB_PASSWORD: "x y" },
            env_staging: { NODE_ENV: "staging" },
          },
          ...{
            instances: 4,
            exec_mode: "cluster",
            watch: ["src"],
            ignore_watch: ["x"],
            max_memory_restart: "200M",
          },
          ...{
            error_file: "e.log",
            out_file: "o.log",
            merge_logs: true,
            log_date_format: "YYYY",
            pid_file: "p",
          },
          ...{
            autorestart: true,
            max_restarts: 7,
            min_uptime: 5000,
            restart_delay: 4000,
            kill_timeout: 3000,
          },
          ...{
            wait_ready: true,
            listen_timeout: 9000,
            cron_restart: "0 3 * * *",
            namespace: "back",
            treekill: false,
          },
        },
      ],
      deploy: { production: { user: "x" } },
    }),
  ),
  sample(
    "pm2.yaml",
    "apps:\n  - script: worker.py\n    interpreter: python3\n    name: worker\n    autorestart: false\n  - script: /opt/bin/tool\n    args: [a, b c]\n    exec_mode: fork\n    instances: 1\n",
  ),
  sample(
    "process.json",
    json([
      { name: "one", script: "one.js" },
      { name: "one two", script: "two.sh", interpreter: "none" },
    ]),
  ),
  sample(
    "app.json",
    json({
      name: "solo",
      script: "npm",
      args: "run start",
      cwd: "/srv/solo",
      stop_exit_codes: [0, 3],
      exp_backoff_restart_delay: 100,
    }),
  ),
  sample("a.json", json({ apps: [{ script: "x.rb", name: "ruby" }] })),
  sample(
    "b.json",
    json({ apps: [{ script: "python3 -m http.server", name: "files", env: { PATH: "/x" } }] }),
  ),
  sample(
    "c.json",
    json({
      apps: [
        {
          script: "s.ts",
          interpreter: "node",
          interpreter_args: "--import tsx",
          source_map_support: true,
          vizion: false,
          time: true,
          uid: "www",
        },
      ],
    }),
  ),
  sample(
    "d.json",
    json({
      apps: [
        {
          name: "t",
          script: "t.js",
          increment_var: "PORT",
          instance_var: "I",
          filter_env: ["A"],
          append_env_to_name: true,
        },
      ],
    }),
  ),
  sample(
    "e.yaml",
    'apps:\n  - name: q\n    script: ./q.sh\n    args: "it\'s open"\n    combine_logs: true\n    log_type: json\n    shutdown_with_message: true\n',
  ),
  sample(
    "dump.pm2",
    json([
      {
        ...{
          name: "dumped",
          pm_exec_path: "/srv/app.js",
          pm_cwd: "/srv",
          args: ["-x"],
          exec_interpreter: "node",
          node_args: [],
        },
        ...{
          exec_mode: "fork_mode",
          instances: 1,
          autorestart: true,
          status: "online",
          restart_time: 0,
          pm_uptime: 1,
          axm_options: {},
        },
        ...{
          SECRET_KEY: "k",
          PATH: "/usr/bin",
          env: { SECRET_KEY: "k", PATH: "/usr/bin", PM2_HOME: "/h", unique_id: "u" },
        },
      },
    ]),
  ),
];

export const COMPOSE: readonly Sample[] = [
  sample(
    "compose.yaml",
    "name: x\nservices:\n  db:\n    image: postgres:17\n    ports: ['5432:5432']\n    environment: {POSTGRES_PASSWORD: x}\n    volumes: [data:/var]\n    restart: unless-stopped\nvolumes: {data: {}}\n",
  ),
  sample(
    "docker-compose.yml",
    "version: '3'\nservices:\n  web:\n    build: .\n    ports:\n      - target: 80\n        published: 8080\n    depends_on:\n      db:\n        condition: service_healthy\n  db:\n    image: mysql\n    healthcheck: {test: [CMD, x]}\n",
  ),
  sample("c1/compose.yaml", "services:\n  a: {image: a, ports: ['127.0.0.1:81:80/tcp', '82:82']}\n"),
  sample("c2/compose.yaml", "services:\n  a: {image: a, expose: [80], depends_on: [b]}\n  b: {image: b}\n"),
  sample(
    "c3/compose.yaml",
    "x-c: &c\n  restart: always\nservices:\n  a:\n    <<: *c\n    image: a\n    command: [x, y]\n",
  ),
  sample("c4/compose.yaml", "services:\n  a:\n    extends: {file: other.yaml, service: x}\n"),
  sample(
    "c5/compose.yaml",
    "services:\n  My_App:\n    image: a\n    networks: [n]\n    profiles: [dev]\nnetworks: {n: {}}\n",
  ),
  sample(
    "c6/compose.yaml",
    "services:\n  a: {image: a, ports: ['8000-8010:80'], secrets: [s]}\nsecrets: {s: {file: ./s}}\n",
  ),
  sample(
    "c7/compose.yaml",
    `services:\n  a: {image: 'a:${of("TAG:-1")}', env_file: .env, deploy: {replicas: 2}}\n`,
  ),
  sample(
    "c8/compose.yaml",
    "include: [other.yaml]\nservices:\n  a: {image: a, container_name: x, logging: {driver: none}, user: '1'}\n",
  ),
];

const unit = (service: string, more = "") =>
  `[Unit]\nDescription=It\n${more}\n[Service]\n${service}\n[Install]\nWantedBy=default.target\n`;
export const SYSTEMD: readonly Sample[] = [
  sample(
    "web.service",
    unit(
      'Type=simple\nExecStart=/usr/bin/node "%h/my app/x.js" --port 80\nWorkingDirectory=%h/app\nEnvironment="A_DIR=b c" TOKEN=x\nRestart=on-failure\nRestartSec=5',
      "After=network.target\nStartLimitIntervalSec=60\nStartLimitBurst=4",
    ),
  ),
  sample(
    "a.service",
    unit(
      `Type=notify\nExecStartPre=/bin/true\nExecStart=/bin/a $OPTS ${of("X")}\nExecStop=/bin/b\nExecReload=/bin/kill -HUP $MAINPID\nEnvironmentFile=-/etc/default/a\nUser=www\nGroup=www\nRestart=always`,
    ),
  ),
  sample(
    "b.service",
    unit(
      "ExecStart=/bin/a\nExecStart=\nExecStart=/bin/b\nExecStart=/bin/c\nKillMode=process\nKillSignal=SIGINT\nTimeoutStopSec=1min 30s\nTimeoutStartSec=20",
    ),
  ),
  sample(
    "c.service",
    unit(
      "ExecStart=-/bin/sh -c 'a \\\n  b'\nProtectSystem=strict\nPrivateTmp=yes\nNoNewPrivileges=true\nLimitNOFILE=4096:8192\nUMask=0077\nMemoryMax=1G",
    ),
  ),
  sample(
    "d.service",
    "[Service]\nExecStart=@/bin/a name x\nStandardOutput=journal\nSyslogIdentifier=d\nNice=5\nOOMScoreAdjust=-5\nPIDFile=/run/x\nType=forking\n",
  ),
  sample("e.service", unit("Type=oneshot\nExecStart=/bin/once\nRemainAfterExit=yes")),
  sample(
    "f@.service",
    unit(
      "ExecStart=/bin/f %i --dir=%t\nRestart=on-abnormal\nRestartSec=100ms\nSuccessExitStatus=3 4 SIGKILL\nRestartPreventExitStatus=9\nWatchdogSec=30",
    ),
  ),
  sample(
    "g.service",
    unit(
      "ExecStart=:/bin/g $NOT %%\nEnvironment=PORT=8080\nEnvironment='Q=\"x\"' E=\\x41\nSlice=x.slice\nPassEnvironment=Z",
    ),
  ),
  sample(
    "h.service",
    "[Unit]\nDescription=h\nRequires=db.service\nWants=b.service\nConditionPathExists=/x\n\n[Service]\nExecStart=/bin/h\n\n[Install]\nWantedBy=multi-user.target\nAlso=x.socket\n",
  ),
  sample(
    "i.service",
    "# a comment\n; another\n[Service]\nDynamicUser=yes\nStateDirectory=i\nLoadCredential=a:/b\nExecStart=+/bin/i\nRestart=no\n",
  ),
];

export const OTHERS: readonly Sample[] = [
  sample(
    "Procfile",
    "web: bundle exec puma -p $PORT\nworker: node worker.js\n# a comment\nrelease: cd a && ./b\n",
  ),
  sample("Procfile.dev", "web: PORT=3001 npm start\ncss: npx tailwind --watch\n"),
  sample("Procfile.test", "one-two: ./x 'a b' | tee log\n"),
  sample(
    "process-compose.yaml",
    "version: '0.5'\nlog_level: debug\nenvironment: [A_DIR=/a, 'B=b']\nshell: {shell_command: zsh, shell_argument: -c}\nprocesses:\n  db:\n    command: postgres -D $PGDATA\n    working_dir: data\n    availability: {restart: on_failure, backoff_seconds: 2, max_restarts: 5}\n    readiness_probe:\n      http_get: {host: 127.0.0.1, port: 5432, path: /h, scheme: http}\n      period_seconds: 5\n      timeout_seconds: 4\n      failure_threshold: 2\n      success_threshold: 1\n      initial_delay_seconds: 3\n    shutdown: {signal: 2, timeout_seconds: 4, command: foo}\n  web:\n    command: node web.js\n    depends_on: {db: {condition: process_healthy}}\n    disabled: true\n    namespace: front\n    is_tty: true\n    log_location: ./l\n",
  ),
  sample(
    "pc2.yaml",
    "processes:\n  a:\n    entrypoint: [node, a.js]\n    environment: ['TOKEN={{.T}}']\n    liveness_probe: {exec: {command: 'curl -f x'}, period_seconds: 3}\n    ready_log_line: 'is (up)'\n    description: It\n  b: {command: x, depends_on: {a: {condition: process_completed}}, availability: {restart: exit_on_failure}, replicas: 2}\n",
  ),
  sample(
    "pc3.yaml",
    "processes:\n  a: {command: 'sleep 1', is_daemon: true, vars: {X: 1}, shutdown: {signal: 9}}\n",
  ),
  sample(
    "supervisord.conf",
    '[unix_http_server]\nfile=/tmp/s.sock\n[supervisord]\nlogfile=/x\n[program:web]\ncommand=/usr/bin/node %(here)s/x.js "a;b" %(ENV_FOO)s ; why\nprocess_name=%(program_name)s\nnumprocs=2\ndirectory=/srv\numask=022\npriority=999\nautostart=false\nautorestart=unexpected\nstartsecs=10\nstartretries=5\nexitcodes=0,2\nstopsignal=QUIT\nstopwaitsecs=15\nstopasgroup=false\nuser=www\nredirect_stderr=true\nstdout_logfile=/l\nstdout_logfile_maxbytes=1MB\nstdout_logfile_backups=10\nenvironment=A_DIR="1,2",TOKEN=\'s\'\nserverurl=AUTO\n[group:all]\nprograms=web\n[eventlistener:e]\ncommand=x\n',
  ),
  sample(
    "conf.d/one.conf",
    "[program:one]\ncommand = sh -c\n  'a\n  b'\nautorestart = true\nstopsignal = KILL\nstderr_logfile_maxbytes = 5MB\n",
  ),
  sample(
    "conf.d/two.ini",
    '[program:two]\ncommand=%(ENV_HOME)s/bin/x --n=%(process_num)02d 100%%\nenvironment=PATH="/x:%(ENV_PATH)s"\n[program:three]\ndirectory=/\n',
  ),
  sample(
    "com.example.web.plist",
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://x">\n<plist version="1.0">\n<dict>\n<key>Label</key>\n<string>com.example.web</string>\n<key>ProgramArguments</key>\n<array>\n<string>/usr/bin/node</string>\n<string>a &amp; b</string>\n</array>\n<key>EnvironmentVariables</key>\n<dict>\n<key>A_DIR</key>\n<string>x</string>\n<key>API_KEY</key>\n<string>y</string>\n</dict>\n<key>KeepAlive</key>\n<dict>\n<key>SuccessfulExit</key>\n<false/>\n<key>NetworkState</key>\n<true/>\n</dict>\n<key>RunAtLoad</key>\n<true/>\n<key>ThrottleInterval</key>\n<integer>5</integer>\n<key>StandardOutPath</key>\n<string>/l</string>\n<key>WorkingDirectory</key>\n<string>/srv</string>\n<key>Nice</key>\n<integer>3</integer>\n</dict>\n</plist>\n',
  ),
  sample(
    "b.plist",
    '<plist version="1.0"><dict>\n<key>Label</key>\n<string>b</string>\n<key>Program</key>\n<string>/bin/b</string>\n<key>KeepAlive</key>\n<true/>\n<key>Umask</key>\n<integer>63</integer>\n<key>ExitTimeOut</key>\n<integer>7</integer>\n<key>Disabled</key>\n<true/>\n</dict></plist>\n',
  ),
  sample(
    "c.plist",
    '<plist version="1.0"><dict>\n<key>Label</key>\n<string>org.x.c</string>\n<key>ProgramArguments</key>\n<array>\n<string>c</string>\n</array>\n<key>StartInterval</key>\n<integer>60</integer>\n<key>Sockets</key>\n<dict/>\n<key>SoftResourceLimits</key>\n<dict>\n<key>NumberOfFiles</key>\n<integer>512</integer>\n<key>CPU</key>\n<integer>1</integer>\n</dict>\n</dict></plist>\n',
  ),
];
