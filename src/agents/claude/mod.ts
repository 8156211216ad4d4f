/** Claude Code. Facts about it were measured on 2.1.197 and 2.1.329. */
export { type AgentLock, loginLocks, withAgentLocks } from "./agent_lock.ts";
export { passesToClaude } from "./env_filter.ts";
export { type FirstRun, prepareFirstRun, STATE_FILE } from "./first_run.ts";
export { CREDENTIALS_FILE, LOGIN_VARIABLE } from "./login.ts";
export { EXPIRED_LOGIN, hasExpired, READ_ONLY_LOGIN } from "./login_expiry.ts";
export {
  hoistPluginServers,
  type PluginPlace,
  pluginServers,
  type ServerEntry,
  serverVariables,
  startedIn,
} from "./mcp.ts";
export { commandWords, pluginEffects, textEffects } from "./plugin_effects.ts";
export { type ProjectFacts, projectFacts, projectRoot } from "./project.ts";
export {
  claudeRecipe,
  MCP_FILE,
  type Recipe,
  SETTINGS_FILE,
} from "./recipe.ts";
export { RECORDS, refusedTools } from "./refused_tools.ts";
export {
  type AgentPlace,
  type AgentPlaces,
  agentPlaces,
} from "./sandbox_places.ts";
export {
  type Insertion,
  insertVariable,
  newSettings,
  removeVariable,
  variableIn,
} from "./settings_text.ts";
export { narrowSources, parseUserArgs, type UserArgs } from "./user_args.ts";
export { mergeSettings } from "./settings.ts";
export {
  approvedApiKey,
  asRecord,
  CONFIG_VARIABLES,
  isRecord,
  managedDir,
  readJsonObject,
  type UserConfig,
  userConfig,
} from "./user_config.ts";
export { validateServers, validateSettings } from "./validate.ts";
