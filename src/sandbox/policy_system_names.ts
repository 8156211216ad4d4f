/** The variables of the caller whose values a policy depends on. */
import type { PolicyInput } from "./policy_input.ts";

/** Variables that name files of certificates. */
export const CERTIFICATE_VARIABLES: readonly string[] = [
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
  "CURL_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "AWS_CA_BUNDLE",
];

/** Those of them that are set; a value that does not pass, or is no path, is of no use and left out. */
export function readVariables(
  { variables, environment }: Pick<PolicyInput, "variables" | "environment">,
): Record<string, string> {
  const passing = environment.filter(({ name, passes }) =>
    passes && CERTIFICATE_VARIABLES.includes(name)
  ).map(({ name }) => name);
  return Object.fromEntries(
    ["PATH", ...passing].flatMap((name) => {
      const value = variables[name];
      return value?.startsWith("/") || (name === "PATH" && value !== undefined)
        ? [[name, value]]
        : [];
    }),
  );
}
