// Package insight answers what the owner of a domain asks of DMARC and TLS
// reports (RFC 9990, RFC 8460): who sends as me, what of it fails and why, what do
// I change, may I go on to quarantine or reject.
//
// A report says "198.51.100.7, 12 messages, SPF fail, DKIM fail". Whether that is
// a forgotten server of one's own, a newsletter service nobody set up, a forwarder
// or a forger is the question, and the answer is not in one row. Here all that is
// known of a source is put together: what authenticated, for whom, under which
// name, reported by whom, for how long. The class comes with a confidence and
// with the reasons for it.
//
// For most uses, make a [Query] with an archive and call [Query.Sources] and
// [Query.Readiness]. [Look] asks DNS what is published now; a Query without it
// answers from the reports alone.
//
// # What is never guessed
//
// Forged reports, and those about domains that are not ours, are left out and
// counted in [LeftOut]. Readiness says yes only on enough evidence (see the
// constants), and a source it cannot place keeps it from saying yes. The fix of a
// source holds an edit of a record only if the record was read.
//
// A package below renders the answers as one page: reports/insight/digest. Names
// by reverse DNS are remembered by reports/insight/rdns.
package insight
