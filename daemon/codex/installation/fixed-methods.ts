import type { CodexMethods } from "../method.ts";
import { CodexError } from "../method.ts";
import { list, optional, string, struct } from "../wire/decode.ts";

const cwdsParams = struct("ListParams", { cwds: optional(list(string)) });
const rootsParams = struct("SkillsExtraRootsSetParams", { extraRoots: list(string) });
const modeParams = struct("WindowsSandboxSetupStartParams", { mode: string });

/** What this installation has none of: the answers of the real server where nothing of the kind is set up. */
export function createFixedMethods({ cwd }: { cwd: string }): CodexMethods {
	const emptyPage = () => ({ data: [], nextCursor: null });
	return {
		"hooks/list": (params) => ({
			data: (cwdsParams.decode(params).cwds ?? [cwd]).map((one) => ({
				...{ cwd: one, hooks: [], warnings: [], errors: [] },
			})),
		}),
		"plugin/list": () => ({ marketplaces: [], marketplaceLoadErrors: [], featuredPluginIds: [] }),
		"plugin/installed": () => ({ marketplaces: [], marketplaceLoadErrors: [] }),
		"marketplace/upgrade": () => ({ selectedMarketplaces: [], upgradedRoots: [], errors: [] }),
		"app/list": emptyPage,
		"project/list": emptyPage,
		"externalAgentConfig/detect": () => ({ items: [], connectors: [] }),
		"memory/reset": () => ({}),
		"mock/experimentalMethod": (params) => ({ echoed: params["value"] ?? null }),
		"windowsSandbox/readiness": () => ({ status: "notConfigured" }),
		"windowsSandbox/setupStart"(params, connection) {
			const { mode } = modeParams.decode(params);
			const error = "legacy Windows sandbox setup is only supported on Windows";
			connection.afterResponse(() =>
				connection.notify("windowsSandbox/setupCompleted", { mode, success: false, error }),
			);
			return { started: true };
		},
		"feedback/upload": () => {
			throw new CodexError("feedback is not sent anywhere from here");
		},
		"remoteControl/status/read": () => ({
			status: "disabled",
			serverName: null,
			installationId: null,
			environmentId: null,
		}),
		"skills/extraRoots/set"(params, connection) {
			rootsParams.decode(params);
			connection.afterResponse(() => connection.broadcast("skills/changed", {}));
			return {};
		},
	};
}
