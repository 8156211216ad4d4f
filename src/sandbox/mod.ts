/** The sandbox: what a launch may do, and how the system holds it to that. */
export {
  type Access,
  type AgentPart,
  type HostGrant,
  type LeftOut,
  type NetworkPolicy,
  type Operation,
  type PathGrant,
  type PortGrant,
  type ProtectedPath,
  type Reason,
  type ReasonSource,
  RIGHTS,
  type SandboxPolicy,
  type SealedPath,
  type SocketGrant,
  type VariableDecision,
} from "./types.ts";
