/**
 * Which of the caller's variables reach a confined process. The lists in this file are all there is:
 *
 * 0. What `unix_sockets` names, such as SSH_AUTH_SOCK, passes while it holds a path.
 * 1. What makes programs run something (NEVER, unless PASS has the very name) passes in no case.
 * 2. What looks like a credential, by its name or its value, passes in no case but one: the agent's own login (LOGIN). The
 *    agent needs it to talk to its maker, and could not be kept from using it.
 * 3. What `env_host` names passes.
 * 4. What the lists (PASS) name passes, and what the agent's own filter accepts among the agent's variables.
 * 5. Everything else does not pass.
 *
 * `[vars]` and what the launch itself sets are not the caller's and come on top.
 */
import { looksLikeCredential } from "../base/redact.ts";
import { isSwitch } from "./env_memory.ts";
import type { VariableDecision } from "./types.ts";

/** Names, and beginnings of names that end in `*`, by what they are for. */
const PASS: Readonly<Record<string, readonly string[]>> = {
  system: words(`
    PATH HOME USER LOGNAME SHELL PWD OLDPWD SHLVL HOSTNAME HOSTTYPE OSTYPE MACHTYPE TZ TZDIR
    XDG_SESSION_TYPE XDG_CURRENT_DESKTOP XDG_DATA_DIRS XDG_CONFIG_DIRS XDG_CONFIG_HOME XDG_DATA_HOME
    XDG_STATE_HOME XDG_CACHE_HOME WSL_DISTRO_NAME WSLENV NIX_PATH NIX_PROFILES NIX_SSL_CERT_FILE
    __CF_USER_TEXT_ENCODING
  `),
  locale: words(`LANG LANGUAGE LC_* LOCPATH CHARSET`),
  terminal: words(`
    TERM TERM_PROGRAM TERM_PROGRAM_VERSION TERM_FEATURES TERMINFO TERMINFO_DIRS COLORTERM COLORFGBG
    COLUMNS LINES LS_COLORS LSCOLORS CLICOLOR CLICOLOR_FORCE NO_COLOR FORCE_COLOR VTE_VERSION
    KONSOLE_VERSION KITTY_WINDOW_ID WT_SESSION WEZTERM_PANE ITERM_PROFILE ITERM_SESSION_ID LC_TERMINAL
    LC_TERMINAL_VERSION ZELLIJ STY EDITOR VISUAL PAGER MANPAGER LESS LESSCHARSET
  `),
  toolchain: words(`
    CC CXX AR LD AS NM CFLAGS CXXFLAGS CPPFLAGS LDFLAGS MAKEFLAGS CMAKE_GENERATOR CMAKE_PREFIX_PATH
    CMAKE_BUILD_PARALLEL_LEVEL PKG_CONFIG_PATH ACLOCAL_PATH SDKROOT DEVELOPER_DIR
    MACOSX_DEPLOYMENT_TARGET NODE_ENV NVM_DIR NVM_BIN NVM_INC FNM_DIR FNM_MULTISHELL_PATH VOLTA_HOME
    PNPM_HOME BUN_INSTALL DENO_INSTALL COREPACK_HOME GOROOT GOPATH GOBIN GOOS GOARCH GOTOOLCHAIN
    GOPRIVATE CGO_ENABLED CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN RUST_LOG RUST_BACKTRACE JAVA_HOME
    JDK_HOME MAVEN_HOME M2_HOME GRADLE_HOME GRADLE_USER_HOME ANDROID_HOME ANDROID_SDK_ROOT KOTLIN_HOME
    SDKMAN_DIR VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_EXE PYENV_ROOT PYENV_VERSION RBENV_ROOT
    RBENV_VERSION GEM_HOME GEM_PATH ASDF_DIR ASDF_DATA_DIR MISE_DATA_DIR DOTNET_ROOT HOMEBREW_PREFIX
    HOMEBREW_CELLAR HOMEBREW_REPOSITORY CI DEBIAN_FRONTEND GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL
    GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_TERMINAL_PROMPT
  `),
  certificates: words(`
    SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS CURL_CA_BUNDLE REQUESTS_CA_BUNDLE GIT_SSL_CAINFO
    AWS_CA_BUNDLE
  `),
};

/** Proxies. They pass with a password in them too while the network is open: without it nothing could be reached. In the other modes they would lead past our own proxy. */
const PROXY: ReadonlySet<string> = new Set(words(`
  HTTP_PROXY HTTPS_PROXY ALL_PROXY FTP_PROXY NO_PROXY http_proxy https_proxy all_proxy ftp_proxy
  no_proxy
`));

/** The login of each agent, and what it is used with. */
const LOGIN: Readonly<Record<string, readonly string[]>> = {
  claude: words(`
    ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_CUSTOM_HEADERS ANTHROPIC_FOUNDRY_API_KEY
    AWS_BEARER_TOKEN_BEDROCK CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_OAUTH_REFRESH_TOKEN
    CLAUDE_CODE_GATEWAY_TOKEN CLAUDE_CODE_CLIENT_KEY_PASSPHRASE
  `),
  codex: words(`OPENAI_API_KEY CODEX_API_KEY CODEX_ACCESS_TOKEN`),
};

/** Settings of an agent and of the service it talks to; beginnings end in `*`. */
const AGENT: Readonly<Record<string, readonly string[]>> = {
  claude: words(`
    ANTHROPIC_* CLAUDE* AWS_REGION AWS_DEFAULT_REGION CLOUD_ML_REGION VERTEX_REGION_*
    GOOGLE_CLOUD_PROJECT API_TIMEOUT_MS API_FORCE_IDLE_TIMEOUT BASH_DEFAULT_TIMEOUT_MS
    BASH_MAX_TIMEOUT_MS BASH_MAX_OUTPUT_LENGTH MAX_THINKING_TOKENS MAX_MCP_OUTPUT_TOKENS MCP_TIMEOUT
    MCP_TOOL_TIMEOUT DISABLE_* ENABLE_TOOL_SEARCH FALLBACK_FOR_ALL_PRIMARY_MODELS USE_BUILTIN_RIPGREP
    OTEL_* DO_NOT_TRACK IS_SANDBOX
  `),
  codex: words(`
    OPENAI_BASE_URL OPENAI_ORGANIZATION OPENAI_PROJECT CODEX_NON_INTERACTIVE CODEX_TUI_* RUST_LOG
  `),
};

/**
 * Variables that make a loader, an interpreter or a tool run something. Names, beginnings that end in `*`. Not only against
 * attackers: what they name lies outside of the sandbox, and the tool would fail.
 */
const NEVER: Readonly<Record<string, readonly string[]>> = {
  loaders: words(`
    LD_* DYLD_* GCONV_PATH GLIBC_TUNABLES LIBPATH SHLIB_PATH GTK_MODULES GTK_PATH GIO_EXTRA_MODULES
    GIO_MODULE_DIR QT_PLUGIN_PATH OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES KRB5_CONFIG MALLOC_*
    XDG_RUNTIME_DIR
  `),
  shells: words(`
    BASH_ENV BASH_FUNC_* BASHOPTS SHELLOPTS ENV ZDOTDIR PROMPT_COMMAND PS1 PS2 PS4 IFS CDPATH GLOBIGNORE
    FPATH FIGNORE
  `),
  interpreters: words(`
    NODE_OPTIONS NODE_PATH NODE_REPL_EXTERNAL_MODULE NODE_V8_COVERAGE NODE_CHANNEL_FD
    ELECTRON_RUN_AS_NODE BUN_OPTIONS BUN_INSPECT* DENO_CERT PYTHON* PERL* RUBYOPT RUBYLIB RUBYSHELL
    BUNDLE_GEMFILE BUNDLE_BIN_PATH LUA_* PHPRC PHP_INI_SCAN_DIR JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS
    _JAVA_OPTIONS CLASSPATH MAVEN_OPTS MAVEN_ARGS GRADLE_OPTS SBT_OPTS GOFLAGS GOENV GODEBUG RUSTC*
    RUSTFLAGS RUSTDOCFLAGS CARGO_BUILD_* CARGO_TARGET_* CARGO_ENCODED_RUSTFLAGS DOTNET_STARTUP_HOOKS
    DOTNET_ADDITIONAL_DEPS CORECLR_* COR_* ERL_* ELIXIR_ERL_OPTIONS R_PROFILE* R_ENVIRON* JULIA_*
    OCAMLRUNPARAM GUILE_*
  `),
  tools: words(`
    SUDO_EDITOR BROWSER LESSOPEN LESSCLOSE LESSKEY* MAKEFILES npm_config_* NPM_CONFIG_* YARN_* PNPM_*
    PIP_* UV_* HGRCPATH HGPLAIN SVN_* RIPGREP_CONFIG_PATH CURL_HOME WGETRC INPUTRC TAR_OPTIONS
    GREP_OPTIONS GZIP XZ_OPT TEXINPUTS VIMINIT EXINIT EMACSLOADPATH TMUX* SCREENRC LIBVA_DRIVERS_PATH
    VK_* VAGRANT_* ANSIBLE_* TF_* HELM_* KUBECONFIG DOCKER_* SSH_* GPG_* GNUPGHOME DBUS_* DISPLAY
    WAYLAND_DISPLAY XAUTHORITY ICEAUTHORITY SYSTEMD_* NOTIFY_SOCKET LISTEN_* VSCODE_* CURSOR_*
    JETBRAINS_* AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE GOOGLE_APPLICATION_CREDENTIALS
  `),
};

/** Git reads many variables, and most of them run something: those of PASS are all that pass. */
const GIT = /^GIT_/;

/** What the decisions depend on. */
export interface FilterInput {
  /** The caller's variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** `env_host`: names, or beginnings that end in `*`. */
  readonly envHost: readonly string[];
  /** Variables that hold the path of a granted Unix socket. */
  readonly sockets?: readonly string[];
  readonly agent: "claude" | "codex" | "none";
  /** Whether a variable may reach the agent at all; the agent's own rule about its variables. */
  readonly agentAccepts: (name: string) => boolean;
  readonly network: "open" | "none" | "hosts";
}

/** A decision for each variable of the caller, sorted by name. Values are looked at, and not given on. */
export function filterVariables(input: FilterInput): VariableDecision[] {
  return Object.entries(input.variables)
    .map(([name, value]) => ({ name, ...decide(name, value, input) }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

type Verdict = Omit<VariableDecision, "name">;

function decide(name: string, value: string, input: FilterInput): Verdict {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return no("its name is no plain variable name");
  }
  if (input.sockets?.includes(name) && value.startsWith("/")) {
    return { ...yes(`sandbox.unix_sockets: $${name}`), socket: true };
  }
  const group = groupOf(name, PASS);
  const injects = groupOf(name, NEVER) ?? (GIT.test(name) ? "git" : undefined);
  if (injects !== undefined && group === undefined) {
    return no(`it makes programs run something (${injects})`);
  }
  if (!input.agentAccepts(name)) return no("it belongs to another session");
  if ((LOGIN[input.agent] ?? []).includes(name)) {
    return yes(`login of ${input.agent}`);
  }
  if (PROXY.has(name)) {
    return input.network === "open"
      ? yes("proxy")
      : no("the network goes through the proxy of the sandbox, or nowhere");
  }
  const isSetting = isListed(name, AGENT[input.agent] ?? []);
  // `CLAUDE_CODE_SKIP_BEDROCK_AUTH=1` is no credential, whatever it is called.
  if (looksLikeCredential(name, value) && !(isSetting && isSwitch(value))) {
    return no(
      "it looks like a credential: hand it out with [secrets] or ${secret:…}",
    );
  }
  const named = input.envHost.find((pattern) => isListed(name, [pattern]));
  if (named !== undefined) return yes(`sandbox.env_host: ${named}`);
  if (group !== undefined) return yes(group);
  if (isSetting) return yes(`setting of ${input.agent}`);
  return no("it is on no list");
}

function groupOf(
  name: string,
  table: Readonly<Record<string, readonly string[]>>,
): string | undefined {
  return Object.entries(table).find(([, names]) => isListed(name, names))?.[0];
}

/** Whether a list has the name, or the beginning of it with a `*`. */
function isListed(name: string, list: readonly string[]): boolean {
  return list.some((entry) =>
    entry.endsWith("*") ? name.startsWith(entry.slice(0, -1)) : entry === name
  );
}

function yes(why: string): Verdict {
  return { passes: true, why };
}

function no(why: string): Verdict {
  return { passes: false, why };
}

/** The variables that pass, with their values. */
export function passingVariables(
  variables: Readonly<Record<string, string>>,
  decisions: readonly VariableDecision[],
): Record<string, string> {
  return Object.fromEntries(
    decisions.filter(({ passes }) => passes).flatMap(({ name }) =>
      variables[name] === undefined ? [] : [[name, variables[name]]]
    ),
  );
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
