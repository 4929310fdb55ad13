/** Asks for a summary that another run of the model can go on from; the last message of the request. */
export const COMPACTION_REQUEST = `The conversation has grown too long and will be replaced by a summary. Write that summary now, for a model that takes over with nothing else to go by than it, the messages of the person, and the files as they are.

Say, in this order, and leave out what does not apply:
1. What the person wants, in their words where these matter, and what they ruled out.
2. What is done: files changed and how, commands that proved it.
3. What was decided, and why.
4. What was found out that would be costly to find out again: paths, names, numbers, errors, quirks.
5. What is left, the next step first.

No greeting and no comment on the summary itself. Do not call tools.`;

/** Ahead of a summary, for the model that goes on from it; also how a summary is known again. */
export const COMPACTION_PREFACE =
	"The conversation up to here was long and is replaced by this summary, written by the model that led it. The work it tells of is done: build on it, do not repeat it.";
