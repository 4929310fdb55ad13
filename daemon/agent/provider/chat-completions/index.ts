import { AppError } from "#base/app-error.ts";
import { fetchModels } from "../catalogue/fetch-models.ts";
import { fatalFailure } from "../codex/failure.ts";
import {
	defineProvider,
	type ProviderDescriptor,
	type ProviderPorts,
	type ProviderSettings,
} from "../descriptor.ts";
import { createChatProvider } from "./provider.ts";

interface Key {
	value: string | null;
	source: string;
	unusable: string | null;
}

function keyOf(ports: ProviderPorts, settings: ProviderSettings, name: string): Key {
	if (settings.envKey !== null) {
		const value = ports.env[settings.envKey]?.trim() || null;
		const unusable = value === null ? `the environment variable ${settings.envKey} is not set.` : null;
		return { value, source: settings.envKey, unusable };
	}
	if (settings.apiKey !== null) return { value: settings.apiKey, source: "its settings", unusable: null };
	const stored = ports.credentials.read(name)?.api_key ?? null;
	return { value: stored, source: stored === null ? "none" : `credentials/${name}.json`, unusable: null };
}

function addressOf(settings: ProviderSettings, name: string, path: string): URL {
	if (settings.baseUrl === null || !URL.canParse(settings.baseUrl))
		throw new AppError("CONFIG_INVALID", `The provider ${name} has no base_url that is a URL.`);
	const url = new URL(settings.baseUrl);
	url.pathname = `${url.pathname.replace(/\/+$/, "")}${path}`;
	for (const [key, value] of Object.entries(settings.queryParams)) url.searchParams.set(key, value);
	return url;
}

function headersOf(settings: ProviderSettings, key: Key): Record<string, string> {
	return {
		...(key.value === null ? {} : { authorization: `Bearer ${key.value}` }),
		...settings.headers,
	};
}

/** Values that must not appear in a message; header and query values count, as servers take keys in either. */
function secretsOf(settings: ProviderSettings, key: Key): string[] {
	const values = [...Object.values(settings.headers), ...Object.values(settings.queryParams)];
	return [...(key.value === null ? [] : [key.value]), ...values.filter((value) => value.length >= 6)];
}

/** A server that speaks chat completions (Ollama, llama.cpp, vLLM ...), under the name that a configuration gives it. */
export function createChatDescriptor(name: string, label: string): ProviderDescriptor {
	const hint = (settings: ProviderSettings): string =>
		settings.envKey === null ? "Check its key in the settings." : `Check ${settings.envKey}.`;
	return defineProvider({
		name,
		label,
		loginHint: "Set env_key in its settings to the name of the variable that holds the key, if it wants one.",
		toolPolicy: { parallelCalls: true, images: false },
		fallbackModels: [],
		login(ports, settings) {
			const key = keyOf(ports, settings, name);
			return {
				usable: key.unusable === null,
				detail: key.unusable ?? (key.value === null ? "no key" : `key from ${key.source}`),
			};
		},
		create(ports, settings, choice) {
			const url = addressOf(settings, name, "/chat/completions");
			const known = ports.listModels(name, settings.models);
			return createChatProvider({
				name: choice.name,
				label,
				detail: `${label} at ${url.origin}${url.pathname.replace(/\/chat\/completions$/, "")}`,
				loginHint: hint(settings),
				model: choice.model ?? settings.model ?? known[0] ?? null,
				settings,
				ports,
				images: false,
				async target() {
					const key = keyOf(ports, settings, name);
					if (key.unusable !== null)
						return { failure: fatalFailure(`${label}: ${key.unusable}`, "unauthorized") };
					return { url: url.href, headers: headersOf(settings, key), secrets: secretsOf(settings, key) };
				},
			});
		},
		async discover(ports, settings, signal) {
			const key = keyOf(ports, settings, name);
			if (key.unusable !== null) throw new Error(key.unusable);
			return fetchModels({
				url: addressOf(settings, name, "/models").href,
				headers: headersOf(settings, key),
				signal,
			});
		},
	});
}
