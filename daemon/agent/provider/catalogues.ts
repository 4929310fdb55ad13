import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { type Catalogue, createCatalogue } from "./catalogue/catalogue.ts";
import type { ProviderPorts } from "./descriptor.ts";
import type { FoundProvider, ProviderFinder } from "./finder.ts";

/** The catalogue of each provider, made at first sight and anew when its address changes. */
export interface Catalogues extends Disposable {
	of(found: FoundProvider): Catalogue;
}

export function createCatalogues(options: {
	home: string;
	clock: Clock;
	finder: ProviderFinder;
	ports: () => ProviderPorts;
}): Catalogues {
	const known = new Map<string, { source: string; catalogue: Catalogue }>();

	function make(found: FoundProvider, source: string): Catalogue {
		const { name, fallbackModels } = found.descriptor;
		return createCatalogue({
			file: join(options.home, "cache", `models-${name.replaceAll(/[^a-zA-Z0-9_-]/g, "_")}.json`),
			source,
			clock: options.clock,
			fallback: fallbackModels,
			async discover(signal) {
				const { descriptor, settings } = options.finder.find(name) ?? found;
				// Without a login there is nobody to ask; the fall-back stays.
				const login = descriptor.login(options.ports(), settings);
				if (!login.usable) throw new Error(login.detail);
				return descriptor.discover(options.ports(), settings, signal);
			},
		});
	}
	return {
		of(found) {
			const { name } = found.descriptor;
			// Another login may see other models, but its secret is no part of a cache's name.
			const source = `${name} ${found.settings.baseUrl ?? ""}`;
			const present = known.get(name);
			if (present?.source === source) return present.catalogue;
			present?.catalogue[Symbol.dispose]();
			const catalogue = make(found, source);
			known.set(name, { source, catalogue });
			return catalogue;
		},
		[Symbol.dispose]() {
			for (const { catalogue } of known.values()) catalogue[Symbol.dispose]();
		},
	};
}
