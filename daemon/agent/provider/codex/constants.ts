/** The built-in provider of config.toml. */
export const OPENAI_PROVIDER_ID = "openai";
