// Package cause names why mail was not delivered: one word for each cause, with
// whose task it is to act and what has to be looked at. The words of RFC 3463 and
// RFC 7372 are too few for that (5.7.1 stands for thirty of them) and the texts
// of the receivers are too many.
//
// For most uses, take a [Cause] from package diagnose and call [Cause.Info] for
// all that is known of it; [All] lists the causes.
package cause
