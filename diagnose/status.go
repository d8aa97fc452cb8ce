package diagnose

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

// status is one code of the registry of enhanced status codes, without its class.
type status struct {
	cause   cause.Cause
	meaning string
	vague   bool // used for so many things that the cause is a guess
}

// statuses are the subjects and details of the IANA registry (RFC 5248): RFC 3463,
// RFC 4468, RFC 4954, RFC 5248, RFC 6531, RFC 6710, RFC 7293, RFC 7372, RFC 7505,
// RFC 8616, RFC 8617, RFC 8689.
var statuses = map[string]status{
	"0.0": {cause.Unknown, "The receiver gives no reason.", true},

	"1.0":  {cause.Unknown, "Something is wrong with an address; the receiver does not say what.", true},
	"1.1":  {cause.NoSuchUser, "The part of the recipient's address before the @ is not known to the receiver.", false},
	"1.2":  {cause.NoSuchDomain, "The domain of the recipient's address is not known or takes no mail.", false},
	"1.3":  {cause.NoSuchUser, "The recipient's address is not well-formed.", false},
	"1.4":  {cause.NoSuchUser, "The recipient's address stands for several mailboxes.", false},
	"1.5":  {cause.Unknown, "The recipient's address is valid; the code belongs to a report of delivery.", true},
	"1.6":  {cause.UserMoved, "The mailbox has moved, and nothing is forwarded.", false},
	"1.7":  {cause.SenderRejected, "The sender's address is not well-formed.", false},
	"1.8":  {cause.SenderDomain, "The domain of the sender's address does not exist or takes no mail.", false},
	"1.9":  {cause.ReceiverError, "The mail was handed to a system that does not report further.", true},
	"1.10": {cause.NullMX, "The recipient's domain says in DNS that it takes no mail.", false},

	"2.0": {cause.Unknown, "Something is wrong with the mailbox; the receiver does not say what.", true},
	"2.1": {cause.UserDisabled, "The mailbox exists but takes no mail.", false},
	"2.2": {cause.MailboxFull, "The recipient's mailbox is full.", false},
	"2.3": {cause.TooLarge, "The mail is larger than this mailbox may receive.", false},
	"2.4": {cause.ReceiverError, "The recipient is a mailing list that could not be expanded.", false},

	"3.0": {cause.ReceiverError, "The receiving system has a problem that it does not name.", true},
	"3.1": {cause.ReceiverError, "The receiving system's disk is full.", false},
	"3.2": {cause.ReceiverError, "The receiving system takes no mail at the moment.", false},
	"3.3": {cause.ProtocolError, "The receiving system lacks a feature that the mail needs.", true},
	"3.4": {cause.TooLarge, "The mail is larger than the receiver takes.", false},
	"3.5": {cause.ReceiverError, "The receiving system is not configured for this mail.", true},
	"3.6": {cause.Unknown, "The mail was accepted with another priority.", true},

	"4.0": {cause.Unknown, "Something is wrong with the network or the routing; the code does not say what.", true},
	"4.1": {cause.ConnectionTimeout, "The receiver's server did not answer.", false},
	"4.2": {cause.ConnectionLost, "The connection to the receiver's server broke off.", false},
	"4.3": {cause.DNSFailure, "A directory or DNS server failed.", false},
	"4.4": {cause.NoSuchDomain, "No way to the recipient's domain was found.", false},
	"4.5": {cause.ReceiverError, "The receiving system is overloaded.", false},
	"4.6": {cause.Loop, "The mail went in a circle.", false},
	"4.7": {cause.Expired, "The mail was not delivered in the time allowed.", false},

	"5.0": {cause.Unknown, "The servers misunderstood each other; the code does not say how.", true},
	"5.1": {cause.ProtocolError, "A command was not understood or came out of order.", true},
	"5.2": {cause.ProtocolError, "A command could not be parsed.", true},
	"5.3": {cause.RateLimited, "The mail had more recipients than the receiver takes at once.", false},
	"5.4": {cause.ProtocolError, "A command had a parameter that the receiver does not accept.", true},
	"5.5": {cause.ProtocolError, "The receiver speaks another version of the protocol.", true},
	"5.6": {cause.AuthRequired, "A line of the login was too long.", false},

	"6.0":  {cause.Unknown, "The receiver refuses the content; the code does not say why.", true},
	"6.1":  {cause.MalformedMessage, "The receiver does not support the media type of the mail.", false},
	"6.2":  {cause.MalformedMessage, "The content would have to be converted, which is not allowed.", false},
	"6.3":  {cause.MalformedMessage, "The content would have to be converted, which is not supported.", false},
	"6.4":  {cause.MalformedMessage, "The content was converted with loss.", false},
	"6.5":  {cause.MalformedMessage, "The content could not be converted.", false},
	"6.6":  {cause.ProtocolError, "Content that the mail refers to could not be fetched.", false},
	"6.7":  {cause.ProtocolError, "The receiver does not support addresses beyond ASCII.", false},
	"6.8":  {cause.ProtocolError, "The reply would need UTF-8, which was not agreed on.", false},
	"6.9":  {cause.ProtocolError, "The header holds UTF-8 and the receiver does not support it.", false},
	"6.10": {cause.ProtocolError, "The header holds UTF-8 and the receiver does not support it.", false},

	"7.0":  {cause.Unknown, "The receiver refuses for reasons of security or policy that it does not name.", true},
	"7.1":  {cause.Unknown, "The receiver's policy refuses this mail; the code stands for anything from blocklists to spam filters.", true},
	"7.2":  {cause.PolicyRecipient, "The sender may not write to this mailing list.", false},
	"7.3":  {cause.ProtocolError, "A conversion between secure message formats is not possible.", false},
	"7.4":  {cause.TLSRequired, "A security feature that was demanded is not supported.", true},
	"7.5":  {cause.TLSFailed, "A cryptographic operation failed.", true},
	"7.6":  {cause.Unknown, "A cryptographic algorithm is not supported.", true},
	"7.7":  {cause.DKIMFail, "A check of the message's integrity failed.", true},
	"7.8":  {cause.AuthRequired, "The user name or password of the login is wrong.", false},
	"7.9":  {cause.AuthRequired, "The method of the login is too weak for this account.", true},
	"7.10": {cause.TLSRequired, "The receiver demands an encrypted connection.", false},
	"7.11": {cause.TLSRequired, "This way of logging in needs an encrypted connection.", false},
	"7.12": {cause.AuthRequired, "The account has to log in by another method once.", false},
	"7.13": {cause.AuthRequired, "The account that logs in is disabled.", false},
	"7.14": {cause.AuthRequired, "The server that logs in has no trust relationship with the submission server.", false},
	"7.15": {cause.ReceiverError, "The receiver takes only mail of a higher priority now.", false},
	"7.16": {cause.TooLarge, "The mail is too large for its priority.", false},
	"7.17": {cause.UserMoved, "The mailbox has changed hands since the sender last knew it.", false},
	"7.18": {cause.UserMoved, "The recipient's domain has changed hands since the sender last knew it.", false},
	"7.19": {cause.UserMoved, "The receiver cannot tell whether the mailbox has changed hands.", false},
	"7.20": {cause.DKIMFail, "The mail has no passing DKIM signature.", false},
	"7.21": {cause.DKIMFail, "DKIM passes, but no signature that the receiver accepts.", false},
	"7.22": {cause.NotAligned, "DKIM passes, but not for the author's domain.", false},
	"7.23": {cause.SPFFail, "SPF validation failed: the address may not send for the envelope domain.", false},
	"7.24": {cause.SPFError, "SPF could not be evaluated for the envelope domain.", false},
	"7.25": {cause.NoPTR, "The reverse name of the sending address is missing or does not lead back.", false},
	"7.26": {cause.Unauthenticated, "Several ways of authentication failed.", false},
	"7.27": {cause.SenderDomain, "The domain of the sender's address says in DNS that it takes no mail (null MX).", false},
	"7.28": {cause.RateLimited, "The receiver sees a flood of mail.", false},
	"7.29": {cause.ARCFail, "The ARC chain of the mail does not validate.", false},
	"7.30": {cause.TLSRequired, "The mail demands REQUIRETLS and the next server does not offer it.", false},
}

// statusCause is the general meaning of an enhanced code; the meaning is empty
// when the code is not in the registry.
func statusCause(enhanced string) (cause.Cause, string) {
	_, sub, ok := strings.Cut(enhanced, ".")
	if !ok {
		return cause.Unknown, ""
	}
	s, ok := statuses[sub]
	if !ok {
		return cause.Unknown, ""
	}
	return s.cause, s.meaning
}

// specific tells whether a code stands for one thing only.
func specific(enhanced string) bool {
	_, sub, _ := strings.Cut(enhanced, ".")
	s, ok := statuses[sub]
	return ok && !s.vague
}

// basicCause is what a basic code alone tells (RFC 5321, Section 4.2.3).
func basicCause(r *reply) (cause.Cause, string) {
	switch r.code {
	case "421":
		return cause.ReceiverError, "The receiver closes the connection for now; the code does not say why."
	case "432":
		return cause.AuthRequired, "The account has to log in by another method once."
	case "450":
		return cause.Unknown, "The receiver cannot take mail for this mailbox now; greylisting often looks like this."
	case "451":
		return cause.ReceiverError, "The receiver had a problem while it handled the mail."
	case "452":
		return cause.ReceiverError, "The receiver lacks room, or took enough recipients for now."
	case "454":
		return cause.TLSFailed, "TLS or the login is not available for a temporary reason."
	case "455", "555":
		return cause.ProtocolError, "The receiver does not accept a parameter of MAIL or RCPT."
	case "500", "501", "502", "503", "504":
		return cause.ProtocolError, "The receiver did not accept a command."
	case "521", "556":
		return cause.NullMX, "The host or domain says that it takes no mail."
	case "523":
		return cause.TooLarge, "The mail is larger than the receiver takes."
	case "530", "534", "535", "538":
		return cause.AuthRequired, "The server demands a login, or an encrypted one."
	case "550":
		return cause.Unknown, "The receiver refuses; 550 stands for an unknown mailbox as well as for any policy."
	case "551":
		return cause.UserMoved, "The recipient is not local to this server."
	case "552":
		return cause.Unknown, "A limit of storage or size was exceeded: mailbox full, or mail too large."
	case "553":
		return cause.Unknown, "The receiver does not accept one of the addresses, the sender's or the recipient's."
	case "554":
		return cause.Unknown, "The receiver refuses and gives no reason."
	}
	switch r.class() {
	case '4':
		return cause.Unknown, "The receiver refuses for now and gives no reason."
	case '5':
		return cause.Unknown, "The receiver refuses and gives no reason."
	}
	return cause.Unknown, ""
}

// families are causes that one may say for another without a contradiction.
var families = [][]cause.Cause{
	{cause.NoSuchUser, cause.UserDisabled, cause.UserMoved, cause.NoSuchDomain, cause.NullMX},
	{cause.SPFFail, cause.SPFError, cause.Unauthenticated, cause.DMARCFail, cause.NotAligned, cause.DKIMFail, cause.DKIMMissing},
	{cause.NoPTR, cause.PTRMismatch, cause.PTRGeneric},
	{cause.TLSFailed, cause.TLSRequired, cause.DANEFail, cause.MTASTSFail},
	{cause.SenderDomain, cause.SenderRejected},
	{cause.MailboxFull, cause.TooLarge, cause.ReceiverError},
	{cause.ConnectionLost, cause.ConnectionRefused, cause.ConnectionTimeout, cause.DNSFailure, cause.NoSuchDomain, cause.Expired},
	{cause.ReceiverError, cause.RateLimited, cause.Greylisted, cause.ConnectionTimeout},
	{cause.NoSuchUser, cause.RelayDenied, cause.NoSuchDomain},
	{cause.ProtocolError, cause.HELOBad, cause.MalformedMessage, cause.SenderRejected, cause.RateLimited},
	{cause.Loop, cause.ReceiverError, cause.NoSuchDomain},
	{cause.AuthRequired, cause.SenderMismatch, cause.RelayDenied, cause.TLSRequired},
}

func kin(a, b cause.Cause) bool {
	for _, f := range families {
		in := 0
		for _, c := range f {
			if c == a || c == b {
				in++
			}
		}
		if in == 2 {
			return true
		}
	}
	return false
}
