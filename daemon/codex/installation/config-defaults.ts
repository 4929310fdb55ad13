import type { JsonObject } from "../wire/decode.ts";

/** Members that `config/read` shows as null where no layer says anything. */
const UNSET =
	"agents allow_symlinked_codex_home analytics approval_policy approvals_reviewer apps apps_mcp_product_sku audio auto_review browser_use check_for_update_on_startup client_search_provider cloud compact_prompt computer_use daybreak default_permissions desktop developer_instructions disable_paste_burst experimental_compact_prompt_file experimental_realtime_start_instructions experimental_realtime_webrtc_call_base_url experimental_realtime_ws_backend_prompt experimental_realtime_ws_base_url experimental_realtime_ws_model experimental_realtime_ws_startup_context experimental_thread_store experimental_thread_store_endpoint experimental_use_unified_exec_tool feedback forced_chatgpt_workspace_id forced_login_method ghost_snapshot goals hooks instructions js_repl_node_module_dirs js_repl_node_path log_dir mcp_enterprise_managed_auth mcp_oauth_callback_port mcp_oauth_callback_url mcp_optional_startup_grace_ms memories model model_auto_compact_token_limit model_auto_compact_token_limit_scope model_catalog_json model_context_window model_instructions_file model_post_turn_compact_threshold_percent model_provider model_reasoning_effort model_reasoning_summary model_verbosity notice notify openai_base_url orchestrator oss_provider otel permissions personality plan_mode_reasoning_effort profile realtime responses_api_metadata review_model sandbox_mode sandbox_workspace_write service_tier show_raw_agent_reasoning skills sqlite_home suppress_unstable_features_warning thread_unload_delay_secs tool_output_token_limit tool_suggest tools tui web_search windows";

/** Features that `config/read` shows; the whole list is `experimentalFeature/list`. */
const SHOWN_FEATURES = {
	...{ api_key_cyber_access_programs: true, api_key_model_discovery: true, auth_elicitation: true },
	...{ background_paginated_rollout_migration: false, codex_apps_mcp_2026_07_28: false },
	...{ daybreak_program_propagation: false, mcp_2026_07_28: false, mcp_connection_sharing: false },
	...{ mcp_lazy_stdio_startup: false, memories: false, mentions_v2: true, remote_control: false },
	...{ remote_plugin: true, tool_suggest: true, windows_sandbox_service: false },
};

const SHELL_ENVIRONMENT = {
	...{ inherit: null, ignore_default_excludes: null, exclude: null, set: null, include_only: null },
	...{ filters: null, experimental_use_profile: null },
};

/** What the effective configuration says where no file does (Codex 0.169.0). */
export const CONFIG_DEFAULTS: JsonObject = {
	...Object.fromEntries(UNSET.split(" ").map((name) => [name, null])),
	...{ allow_login_shell: true, background_terminal_max_timeout: 300_000 },
	...{ chatgpt_base_url: "https://chatgpt.com/backend-api/", cli_auth_credentials_store: "file" },
	...{ features: SHOWN_FEATURES, file_opener: "vscode", hide_agent_reasoning: false },
	history: { persistence: "save-all", max_bytes: null },
	...{ include_apps_instructions: true, include_collaboration_mode_instructions: true },
	...{ include_environment_context: true, include_environment_context_time: true },
	...{ include_permissions_instructions: true, marketplaces: {}, mcp_servers: {} },
	...{ mcp_oauth_credentials_store: "auto", model_providers: {}, plugins: {}, profiles: {} },
	...{ project_doc_fallback_filenames: [], project_doc_max_bytes: 32_768, project_root_markers: [".git"] },
	...{ projects: {}, shell_environment_policy: SHELL_ENVIRONMENT },
};

/** Members of one entry of `model_providers`. */
export const PROVIDER_DEFAULTS: JsonObject = {
	...{ name: null, base_url: null, model_catalog_url: null, env_key: null, env_key_instructions: null },
	...{ experimental_bearer_token: null, auth: null, gateway_oauth: null, aws: null, project_id: null },
	...{ location: null, credential_file: null, wire_api: "responses", capabilities: null },
	...{ query_params: null, http_headers: null, env_http_headers: null, request_max_retries: null },
	...{ stream_max_retries: null, stream_idle_timeout_ms: null, websocket_connect_timeout_ms: null },
	...{ requires_openai_auth: false, supports_websockets: false, supports_standalone_web_search: false },
};
