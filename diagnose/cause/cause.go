package cause

// Cause is why a mail was refused, delayed or lost, as a word that never changes.
type Cause string

// The causes. Delivered is the one that is none: the receiver took the mail.
// Unknown is an honest verdict: nothing that was said tells the cause.
const (
	Unknown   Cause = "unknown"
	Delivered Cause = "delivered"

	// Authentication.
	SPFFail         Cause = "spf-fail"        // the client is not authorized by the envelope sender's domain
	SPFError        Cause = "spf-error"       // the SPF record cannot be used
	DKIMMissing     Cause = "dkim-missing"    // a signature is demanded and there is none
	DKIMFail        Cause = "dkim-fail"       // no signature verifies
	DMARCFail       Cause = "dmarc-fail"      // the author's domain asks for rejection
	DMARCMissing    Cause = "dmarc-missing"   // a DMARC record is demanded and there is none
	NotAligned      Cause = "not-aligned"     // what passes is not the author's domain
	Unauthenticated Cause = "unauthenticated" // neither SPF nor DKIM passes
	ARCFail         Cause = "arc-fail"        // the chain of a forwarder does not validate

	// The sending host.
	NoPTR          Cause = "no-ptr"           // the address has no reverse name
	PTRMismatch    Cause = "ptr-mismatch"     // the reverse name does not lead back
	PTRGeneric     Cause = "ptr-generic"      // the reverse name looks like a customer line
	HELOBad        Cause = "helo-bad"         // the name of the greeting is refused
	IPBlocklisted  Cause = "ip-blocklisted"   // the address is on a list
	IPReputation   Cause = "ip-reputation"    // the receiver's own opinion of the address
	RateLimited    Cause = "rate-limited"     // too much, too fast, too many at once
	Greylisted     Cause = "greylisted"       // come again, says a receiver that does not know the host yet
	AuthRequired   Cause = "auth-required"    // submission without or with wrong credentials
	RelayDenied    Cause = "relay-denied"     // the server does not take mail for that domain from this host
	ProtocolError  Cause = "protocol-error"   // commands out of order or not known
	SenderMismatch Cause = "sender-not-owned" // the login may not use that sender address

	// The sending domain and address.
	DomainBlocklisted Cause = "domain-blocklisted"
	DomainReputation  Cause = "domain-reputation"
	SenderRejected    Cause = "sender-address-rejected"
	SenderDomain      Cause = "sender-domain-unresolvable" // no MX, A or AAAA, or a null MX

	// The content.
	ContentSpam      Cause = "content-spam"
	Virus            Cause = "virus"
	Attachment       Cause = "attachment-blocked"
	URLBlocklisted   Cause = "url-blocklisted"
	MalformedMessage Cause = "malformed-message" // the header or body breaks RFC 5322
	TooLarge         Cause = "too-large"

	// The way.
	TLSRequired       Cause = "tls-required"
	TLSFailed         Cause = "tls-failed"
	DANEFail          Cause = "dane-fail"
	MTASTSFail        Cause = "mta-sts-fail"
	NullMX            Cause = "null-mx"
	NoSuchDomain      Cause = "no-such-domain"
	DNSFailure        Cause = "dns-failure"
	ConnectionTimeout Cause = "connection-timeout"
	ConnectionRefused Cause = "connection-refused"
	ConnectionLost    Cause = "connection-lost"
	Loop              Cause = "loop"
	Expired           Cause = "expired" // given up after many attempts whose cause was not told

	// The recipient and the receiver.
	NoSuchUser        Cause = "no-such-user"
	UserDisabled      Cause = "user-disabled"
	UserMoved         Cause = "user-moved"
	MailboxFull       Cause = "mailbox-full"
	PolicyRecipient   Cause = "policy-recipient" // a rule of the recipient or the receiving organization
	ChallengeResponse Cause = "challenge-response"
	ReceiverError     Cause = "receiver-error" // the receiving system has trouble of its own
	LocalError        Cause = "local-error"    // the sending system has trouble of its own
)

// Whose tells who has to act.
type Whose string

// The parties.
const (
	Nobody        Whose = "nobody"
	SendingDomain Whose = "sender-domain"
	SenderHost    Whose = "sender-host"
	SenderContent Whose = "sender-content"
	RecipientSide Whose = "recipient"
	Receiver      Whose = "receiver-system"
	Network       Whose = "network"
	NotKnown      Whose = "unknown"
)

// Check is a fact that decides whether the cause still holds.
type Check string

// The facts. Those of a domain or an address take the one that the receiver named.
const (
	CheckSPF       Check = "spf"              // evaluate SPF of the domain for the address
	CheckDKIM      Check = "dkim"             // the domain's keys, and the signatures of the mail
	CheckDMARC     Check = "dmarc"            // the author domain's policy
	CheckAlignment Check = "alignment"        // author domain against envelope and signing domain
	CheckPTR       Check = "ptr"              // the reverse name of the address, and its way back
	CheckHELO      Check = "helo"             // the greeting against the reverse name
	CheckIPList    Check = "ip-blocklist"     // the list that was named, for the address
	CheckNameList  Check = "domain-blocklist" // the list that was named, for the domain
	CheckTLS       Check = "tls"              // STARTTLS, versions and certificate
	CheckDANE      Check = "dane"             // TLSA of the MX hosts
	CheckMTASTS    Check = "mta-sts"          // policy of the recipient's domain
	CheckMX        Check = "mx"               // MX and addresses of the domain
	CheckVolume    Check = "volume"           // what is sent, how fast, by whom
	CheckContent   Check = "content"          // the message itself
	CheckRecipient Check = "recipient"        // the address, asked of its owner
	CheckLogin     Check = "login"            // credentials and the sender addresses they may use
	CheckQueue     Check = "queue"            // whether a later attempt was delivered
	CheckHost      Check = "host"             // the sending system itself: disk, maps, filters
)

// Info is what is known of a cause in general.
type Info struct {
	Cause   Cause    `json:"cause"`
	Whose   Whose    `json:"whose"`
	Meaning string   `json:"meaning"` // one sentence
	Remedy  string   `json:"remedy"`  // what to do, in one or two sentences
	Checks  []Check  `json:"checks,omitempty"`
	Rules   []string `json:"rules,omitempty"` // IDs of audit rules that may find the defect
	Refs    []string `json:"refs,omitempty"`
}

// Info describes the cause; a cause that is not in the table is described as
// [Unknown].
func (c Cause) Info() Info {
	if i, ok := index[c]; ok {
		return table[i]
	}
	return table[index[Unknown]]
}

// Known tells whether c is one of the constants.
func (c Cause) Known() bool {
	_, ok := index[c]
	return ok
}

// All lists the causes in the order of the table. The slices are shared: do not
// change them.
func All() []Info { return table }

var index = func() map[Cause]int {
	m := make(map[Cause]int, len(table))
	for i := range table {
		m[table[i].Cause] = i
	}
	return m
}()
