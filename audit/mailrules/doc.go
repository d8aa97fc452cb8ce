// Package mailrules is the table of rules about one mail: its authentication (AUTH),
// its form and what filters see in it (MSG), and how its readers get rid of it (UNS).
//
// The rules look at what package audit/mail has gathered, do no I/O and read no clock.
// Each carries mails that show it and mails that do not; they are the tests and part of
// the pages. [Profiles] is what large receivers demand of senders, decided by these
// rules where the DNS alone could not tell.
//
//	facts := mail.Gather(ctx, resolver, message, mail.Options{})
//	report := audit.RunMail(facts, mailrules.All(), audit.Options{Profiles: mailrules.Profiles()})
//
// Severities are as for domains: an error means that this mail is refused or filed as
// spam by somebody for it, a warning that it may be, a notice that it could be better.
package mailrules
