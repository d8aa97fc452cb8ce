// Package audit judges what is known of a mail domain: rules over gathered
// facts give findings, each with its evidence, the RFC section that decides and
// the edit that repairs it.
//
// An operator whose mail is junked at night needs to know what blocks mail now,
// what is at risk, and what could not be found out. So a rule has four outcomes
// (pass, fail, not applicable, unknown), a DNS timeout is never a missing
// record, and a severity is the effect on delivery, not the force of the RFC's
// words: those stand in [Ref].
//
// For most uses, gather facts with facts.Gather and call [Run] with the table
// of package audit/rules:
//
//	snapshot := facts.Gather(ctx, resolver, domain, facts.Options{})
//	report := audit.Run(snapshot, rules.All(), audit.Options{})
//
// A rule does no I/O and reads no clock: the same snapshot always gives the
// same report.
package audit
