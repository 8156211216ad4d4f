/** Codex. Facts about it were measured on 0.169.0. */
export {
  checkArguments,
  type LaunchArguments,
  launchArguments,
} from "./arguments.ts";
export { passesToCodex } from "./env_filter.ts";
export {
  CONFIG_FILE,
  HOME_VARIABLE,
  REMADE,
  type SteeringPlace,
  steeringPlaces,
} from "./home.ts";
export { type ServerEntry, serverEntry, type ServerFacts } from "./mcp.ts";
export {
  apiUrls,
  type LaunchSettings,
  type MadeSettings,
  makeSettings,
  parseSettings,
  type Settings,
} from "./settings.ts";
export { RECORDS, refusedTools } from "./refused_tools.ts";
export { PROJECT_SKILLS, skillFiles, USER_SKILLS } from "./skills.ts";
