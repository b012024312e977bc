// Package notify tells people and systems that are no recipients what happens.
//
// The rejected list goes to a Google Sheet (Sheet): every message that failed or
// was refused is a row of it, at least once and in the order in which it was told,
// whatever crashes. No row is lost: it leaves the queue on disk when the sheet has
// confirmed it. As the API knows no idempotency key, a batch of which no answer
// came is looked for in the sheet before it is appended again; a row can be there
// twice only if the sheet was changed by others meanwhile in a way that hides the
// first, or if Google carries a request out after it was given up. Nothing waits
// for the sheet: it reads behind, on connections that only read.
package notify
