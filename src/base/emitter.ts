/** Broadcasts state to listeners, in order of subscription; control flow goes by direct calls instead. */
export interface Emitter<T> {
	on(listener: (value: T) => void): Disposable;
	emit(value: T): void;
	readonly listenerCount: number;
}

/** A listener that throws does not keep the others from hearing; its error goes to `onError`, which defaults to a rethrow in a microtask. */
export function createEmitter<T>(
	onError: (error: unknown) => void = (error) =>
		queueMicrotask(() => {
			throw error;
		}),
): Emitter<T> {
	const listeners = new Set<(value: T) => void>();
	return {
		on(listener) {
			const own = (value: T): void => listener(value);
			listeners.add(own);
			return { [Symbol.dispose]: () => void listeners.delete(own) };
		},
		emit(value) {
			for (const listener of [...listeners]) {
				try {
					listener(value);
				} catch (error) {
					onError(error);
				}
			}
		},
		get listenerCount() {
			return listeners.size;
		},
	};
}
