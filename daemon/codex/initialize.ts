import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "./connection.ts";
import type { CodexFacadePorts } from "./facade.ts";
import { describeMachine, hostname } from "./platform-label.ts";
import { boolean, list, optional, string, struct, withDefault } from "./wire/decode.ts";

const initializeParams = struct("InitializeParams", {
	clientInfo: struct("ClientInfo", { name: string, title: optional(string), version: string }),
	capabilities: optional(
		struct("InitializeCapabilities", {
			experimentalApi: withDefault(boolean, false),
			optOutNotificationMethods: optional(list(string)),
		}),
	),
});

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;

/** The id that this Codex home's installation gave itself; one of our own while it has none. */
function readInstallationId(codexHome: string): string {
	try {
		const stored = readFileSync(join(codexHome, "installation_id"), "utf8").trim();
		if (UUID.test(stored)) return stored;
	} catch {
		// A home that nothing ran in yet.
	}
	return randomUUID();
}

type Place = Pick<CodexFacadePorts, "identity"> & { readonly paths: { readonly codexHome: string } };

/** What `initialize` is answered, and who asked; the same for the same words, whoever answers. @throws CodexError for other words. */
export function createGreeter({ paths, identity }: Place) {
	const machine = describeMachine();
	return (params: unknown) => {
		const { clientInfo, capabilities } = initializeParams.decode(params);
		const { name, version } = clientInfo;
		return {
			greeting: {
				...clientInfo,
				experimentalApi: capabilities?.experimentalApi ?? false,
				optOut: new Set(capabilities?.optOutNotificationMethods ?? []),
			},
			answer: {
				userAgent: `${name}/${identity.protocol} (${machine}) unknown (${name}; ${version})`,
				codexHome: paths.codexHome,
				platformFamily: "unix",
				platformOs: process.platform === "darwin" ? "macos" : "linux",
			},
		};
	};
}

/** Answers `initialize`, and what a client is told right after it. */
export function createInitialize(place: Place) {
	const greet = createGreeter(place);
	const installationId = readInstallationId(place.paths.codexHome);

	return (params: unknown, peer: Peer, after: (action: () => void) => void) => {
		const { greeting, answer } = greet(params);
		peer.greet(greeting);
		after(() => {
			const status = { status: "disabled", serverName: hostname(), installationId, environmentId: null };
			peer.notify("remoteControl/status/changed", status);
		});
		return answer;
	};
}
