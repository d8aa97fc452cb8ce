// Package diagnose goes from what a receiver said (RFC 5321 replies, the status
// codes of RFC 3463, RFC 7372 and RFC 7505, RFC 3464 notifications, lines of mail
// logs) to the cause: what is wrong, whose task it is, whether waiting helps, and
// which facts decide.
//
// An operator is left with a code that stands for thirty things (5.7.1) and a text
// that every receiver words anew. The catalogue holds the wordings, each with its
// source and an example that the tests try; where it knows nothing, the codes
// decide; where they tell nothing, the verdict is [cause.Unknown].
//
// For most uses, call [Reply] with whatever text is at hand (a reply, a log line, a
// quoted fragment), or [Log] with a whole mail log. [Bounce] reads the text of a
// bounce, [DSN] a recipient of a parsed one, [Explain] tells what a code can mean.
//
// # Said and inferred
//
// [Said] holds what the receiver itself put into words: the address it saw, the
// domain, its SPF and DKIM verdicts, the list. Cause, meaning and remedies are our
// inference, and Confidence says how far to trust it. Text and code that contradict
// each other lower it and leave a note. What the receiver claims is neither trusted
// nor checked here: an audit of the domain and the address does that, and Remedies
// say what to ask.
//
// # Limits
//
// All input is hostile. A text counts up to [MaxText] octets, a log line up to
// [MaxLine]; a log of any size is read in flat memory. Texts in results are parts
// of the input: escape them before they are shown.
//
// # Provenance
//
// catalogue.json was written for this package. The wordings are facts, taken from
// the receivers' own postmaster pages, from the sources of mail servers and from
// published bounces; the source and the date stand in every row, and a row whose
// wording was not seen at its source says so. Meanings and
// examples are ours, with names and addresses for documentation.
package diagnose
