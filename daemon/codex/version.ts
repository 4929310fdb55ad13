/** Version of Codex whose behaviour the agent follows (reference: recorded from codex-cli 0.169.0). */
export const CODEX_VERSION = "0.169.0";
