/** Keeps the newest `capacityBytes` of a byte stream, addressed by absolute offset since the stream began. */
export interface ByteRing {
	append(chunk: Uint8Array): void;
	/** Offset of the oldest byte still held. */
	readonly startOffset: number;
	/** Offset one past the newest byte. */
	readonly endOffset: number;
	/** A copy of the bytes from `fromOffset` to the end; undefined when some of them are gone already. */
	readFrom(fromOffset: number): Uint8Array | undefined;
}

/** The buffer grows by doubling up to its capacity, so that an idle stream costs next to nothing. */
export function createByteRing(capacityBytes: number): ByteRing {
	let store = new Uint8Array(Math.min(4096, capacityBytes));
	let end = 0;
	let length = 0;

	function grow(needed: number): void {
		if (needed <= store.length || store.length >= capacityBytes) return;
		let size = store.length;
		while (size < needed && size < capacityBytes) size = Math.min(size * 2, capacityBytes);
		const next = new Uint8Array(size);
		const held = copyOut(end - length);
		store = next;
		// Positions are taken modulo the size, so held bytes are laid anew.
		for (let start = end - length, done = 0; done < held.length; ) {
			const at = (start + done) % size;
			const part = held.subarray(done, done + Math.min(held.length - done, size - at));
			store.set(part, at);
			done += part.length;
		}
	}

	function copyOut(fromOffset: number): Uint8Array {
		const out = new Uint8Array(end - fromOffset);
		let done = 0;
		while (done < out.length) {
			const at = (fromOffset + done) % store.length;
			const take = Math.min(out.length - done, store.length - at);
			out.set(store.subarray(at, at + take), done);
			done += take;
		}
		return out;
	}

	return {
		append(chunk) {
			grow(length + chunk.length);
			const kept = chunk.length > store.length ? chunk.subarray(chunk.length - store.length) : chunk;
			let position = end + (chunk.length - kept.length);
			let done = 0;
			while (done < kept.length) {
				const at = position % store.length;
				const take = Math.min(kept.length - done, store.length - at);
				store.set(kept.subarray(done, done + take), at);
				done += take;
				position += take;
			}
			end += chunk.length;
			length = Math.min(store.length, length + chunk.length);
		},
		get startOffset() {
			return end - length;
		},
		get endOffset() {
			return end;
		},
		readFrom(fromOffset) {
			if (fromOffset < end - length || fromOffset > end) return undefined;
			return copyOut(fromOffset);
		},
	};
}
