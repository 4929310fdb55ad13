/** Things with a unique name, each owned by whoever registered it (`builtin`, a plugin id); plugins use the same door as built-ins. */
export interface Registry<T extends { readonly name: string }> {
	/** @throws Error on a duplicate name: a programmer error, at start. */
	register(ownerId: string, item: T): Disposable;
	get(name: string): T | undefined;
	/** In order of registration. */
	list(): readonly T[];
	unregisterOwner(ownerId: string): void;
}

export function createRegistry<T extends { readonly name: string }>(kind: string): Registry<T> {
	const entries = new Map<string, { ownerId: string; item: T }>();
	return {
		register(ownerId, item) {
			const present = entries.get(item.name);
			if (present)
				throw new Error(`${kind} ${item.name} is registered twice, by ${present.ownerId} and ${ownerId}`);
			const entry = { ownerId, item };
			entries.set(item.name, entry);
			return {
				[Symbol.dispose]: () => {
					if (entries.get(item.name) === entry) entries.delete(item.name);
				},
			};
		},
		get: (name) => entries.get(name)?.item,
		list: () => Array.from(entries.values(), (entry) => entry.item),
		unregisterOwner(ownerId) {
			for (const [name, entry] of entries) if (entry.ownerId === ownerId) entries.delete(name);
		},
	};
}
